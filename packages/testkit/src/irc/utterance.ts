import type { Client, Stamp } from "./client.js";
import { fromBytes } from "./line.js";
import type { Network } from "./network.js";
import type { LoggedMessage } from "./records.js";

/** One line of a message; only a `draft/multiline` message has more than one. */
export interface Piece {
  readonly text: string;
  /** The whole line without tags, cut as it is relayed. */
  readonly body: string;
  /** Whether it goes on from the line before it without a line feed. */
  readonly concat: boolean;
}

/** A message on its way: who says what to whom. */
export interface Utterance {
  /** `nick!user@host`. */
  readonly source: string;
  readonly command: LoggedMessage["command"];
  /** As it is shown, with its STATUSMSG prefix. */
  readonly target: string;
  readonly pieces: readonly Piece[];
  /** Whether it came as a `draft/multiline` batch. */
  readonly multiline: boolean;
}

/** A text as a line of that message. */
export function piece(
  network: Network,
  { source, command, target }: Omit<Utterance, "pieces">,
  text: string,
  concat = false,
): Piece {
  return { text, body: network.body(source, command, [target, text]), concat };
}

type Send = (body: string, stamp: Stamp) => void;

/** Writes a message for one client: as a batch where it can take one, as single lines where not. */
export function writeUtterance(network: Network, to: Client, utterance: Utterance, stamp: Stamp, send: Send): void {
  const { source, command, target, pieces, multiline } = utterance;
  if (command === "TAGMSG") {
    if (to.has("message-tags")) send(network.body(source, command, [target], false), stamp);
  } else if (multiline && to.has("draft/multiline") && to.has("batch")) {
    writeBatch(network, utterance, stamp, send);
  } else {
    let first = true;
    for (const { text, body } of pieces) {
      if (multiline && text === "") continue;
      send(body, first ? stamp : { ...stamp, msgid: undefined });
      first = false;
    }
  }
}

function writeBatch(network: Network, { source, target, pieces }: Utterance, stamp: Stamp, send: Send): void {
  const batch = network.nextId("m");
  send(network.body(source, "BATCH", [`+${batch}`, "draft/multiline", target], false), stamp);
  for (const { body, concat } of pieces) send(body, { at: stamp.at, account: stamp.account, batch, concat });
  send(network.body(network.settings.name, "BATCH", [`-${batch}`], false), { at: stamp.at, batch: stamp.batch });
}

/** The whole text, cut line by line as the server cuts it. */
function textOf(network: Network, { source, command, target, pieces }: Utterance): string {
  const head = network.body(source, command, [target, ""]).length;
  return pieces.map(({ body, concat }, index) => `${index === 0 || concat ? "" : "\n"}${body.slice(head)}`).join("");
}

/** A message as a test sees it. */
export function asLogged(network: Network, from: string, utterance: Utterance, stamp: Stamp): LoggedMessage {
  const tags: Record<string, string> = { time: new Date(stamp.at).toISOString() };
  if (stamp.msgid !== undefined) tags["msgid"] = stamp.msgid;
  if (stamp.account !== undefined) tags["account"] = fromBytes(stamp.account);
  for (const [key, value] of stamp.clientTags ?? []) tags[fromBytes(key)] = fromBytes(value);
  return {
    from,
    source: fromBytes(utterance.source),
    to: fromBytes(utterance.target),
    command: utterance.command,
    text: utterance.command === "TAGMSG" ? "" : fromBytes(textOf(network, utterance)),
    tags,
    at: stamp.at,
  };
}
