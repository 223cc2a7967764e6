import type { Client } from "../client.js";
import type { Call, Commands } from "../commands/command.js";
import { deliver } from "../commands/messages.js";
import type { IrcLine } from "../line.js";
import type { Network } from "../network.js";
import type { LoggedMessage } from "../records.js";
import { routeOf } from "../route.js";
import { piece } from "../utterance.js";
import { withLabel } from "./labels.js";
import { relayedTags } from "./tags.js";

/** A `draft/multiline` message while a client sends it. */
export interface OpenBatch {
  readonly reference: string;
  readonly target: string;
  readonly clientTags: ReadonlyMap<string, string>;
  readonly lines: { readonly command: string; readonly text: string; readonly concat: boolean }[];
  bytes: number;
  /** The label of the command that opened it: the answer to the whole carries it. */
  readonly label: string | undefined;
}

/** BATCH of a client, which is for multiline messages alone. */
export const multilineCommands: Commands = {
  BATCH: { needs: 1, run: batch },
};

/** For how long a batch may be open. */
const OPEN_MS = 30_000;
const REFERENCE = /^[A-Za-z0-9-]+$/;

function batch(call: Call): void {
  const { client, network, params } = call;
  const [reference = "", type = "", target = ""] = params;
  if (!client.has("draft/multiline") || !client.has("batch")) {
    network.reply(client, "421", ["BATCH"], "Unknown command");
  } else if (reference.startsWith("-")) {
    close(network, client, reference.slice(1));
  } else if (!reference.startsWith("+") || !REFERENCE.test(reference.slice(1))) {
    network.standard(
      client,
      "FAIL",
      ["BATCH", "INVALID_REFTAG", reference.slice(1)],
      "The reference of the batch is not valid",
    );
  } else if (type !== "draft/multiline") {
    network.standard(
      client,
      "FAIL",
      ["BATCH", "UNKNOWN_TYPE", reference.slice(1), type],
      "There is no such type of batch",
    );
  } else if (client.batch !== undefined || target === "") {
    client.batch = undefined;
    invalid(network, client, target === "" ? "A multiline batch needs a target" : "Another batch is open");
  } else {
    open(call, reference.slice(1), target);
  }
}

/** The batch gets no answer of its own: what comes of the whole carries its label. */
function open({ client, network, line }: Call, reference: string, target: string): void {
  const clientTags = relayedTags(line.tags, network.settings.denyClientTags);
  const batch: OpenBatch = { reference, target, clientTags, lines: [], bytes: 0, label: client.response?.label };
  client.batch = batch;
  client.response = undefined;
  network.settings.clock.after(OPEN_MS, () => {
    if (client.batch !== batch) return;
    client.batch = undefined;
    network.standard(client, "FAIL", ["BATCH", "TIMEOUT", reference], "The batch was left open for too long");
  });
}

/** Takes a line that a client sends while its batch is open; `false` where it is not part of one. */
export function takeIntoBatch(network: Network, client: Client, line: IrcLine): boolean {
  const { batch: open } = client;
  if (open === undefined) return false;
  const command = line.command.toUpperCase();
  const reference = line.tags.get("batch");
  if (
    reference === undefined &&
    (command === "BATCH" || command === "PING" || command === "PONG" || command === "QUIT")
  )
    return false;
  const problem = whyNot(network, open, line);
  if (problem === undefined) {
    open.lines.push({ command, text: line.params[1] ?? "", concat: line.tags.has("draft/multiline-concat") });
    return true;
  }
  client.batch = undefined;
  answerLabelled(network, client, open.label, () => network.standard(client, "FAIL", problem.code, problem.text));
  return true;
}

interface Problem {
  readonly code: [command: string, code: string, ...context: string[]];
  readonly text: string;
}

/** Counts the line and says why it may not be in the batch. */
function whyNot({ settings }: Network, open: OpenBatch, { command, params, tags }: IrcLine): Problem | undefined {
  const { multilineBytes, multilineLines } = settings.limits;
  const bad = (text: string): Problem => ({ code: ["BATCH", "MULTILINE_INVALID"], text });
  const [target = "", text = ""] = params;
  const concat = tags.has("draft/multiline-concat");
  if (tags.get("batch") !== open.reference) return bad("A line is not of the open batch");
  if (!/^(PRIVMSG|NOTICE)$/i.test(command)) return bad("Only PRIVMSG or NOTICE may be in a multiline batch");
  if (open.lines[0] !== undefined && open.lines[0].command !== command.toUpperCase())
    return bad("PRIVMSG and NOTICE are mixed");
  if (target !== open.target)
    return {
      code: ["BATCH", "MULTILINE_INVALID_TARGET", open.target, target],
      text: "The target is not that of the batch",
    };
  if (concat && text === "") return bad("A blank line cannot go on from another");
  open.bytes += text.length + (concat || open.lines.length === 0 ? 0 : 1);
  if (open.bytes > multilineBytes)
    return { code: ["BATCH", "MULTILINE_MAX_BYTES", String(multilineBytes)], text: "The message is too long" };
  if (open.lines.length + 1 > multilineLines)
    return { code: ["BATCH", "MULTILINE_MAX_LINES", String(multilineLines)], text: "The message has too many lines" };
  return undefined;
}

function close(network: Network, client: Client, reference: string): void {
  const { batch: open } = client;
  // One that failed has been answered already.
  if (open === undefined) return;
  client.batch = undefined;
  answerLabelled(network, client, open.label, () => {
    if (open.reference !== reference) invalid(network, client, "Another batch is open");
    else if (open.lines.every(({ text }) => text === "")) invalid(network, client, "The message is blank");
    else say(network, client, open);
  });
}

function say(network: Network, client: Client, open: OpenBatch): void {
  const command: LoggedMessage["command"] = open.lines[0]?.command === "NOTICE" ? "NOTICE" : "PRIVMSG";
  const text = open.lines.map((line, index) => (index === 0 || line.concat ? "" : "\n") + line.text).join("");
  const route = routeOf(network, client, open.target, { command, text });
  if (route === undefined) return;
  client.lastSpokeAt = network.now();
  const head = { source: client.mask, command, target: route.shown, multiline: true };
  const pieces = open.lines.map((line) => piece(network, head, line.text, line.concat));
  deliver(network, client, { ...head, pieces }, route, network.stampOf(client, open.clientTags));
}

function invalid(network: Network, client: Client, text: string): void {
  network.standard(client, "FAIL", ["BATCH", "MULTILINE_INVALID"], text);
}

/** What is answered carries the label of the batch, unless the closing line has one of its own. */
function answerLabelled(network: Network, client: Client, label: string | undefined, run: () => void): void {
  if (label === undefined || client.response !== undefined) run();
  else withLabel(network, client, label, run);
}
