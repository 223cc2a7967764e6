import type { Client } from "../client.js";
import type { Call, Commands } from "../commands/command.js";
import { conversation, type HistoryEntry } from "../history.js";
import type { Network } from "../network.js";
import { writeUtterance } from "../utterance.js";
import { inBatch } from "./batches.js";

/** `draft/chathistory`: what was said before. */
export const chathistoryCommands: Commands = {
  CHATHISTORY: { needs: 0, run: chathistory },
};

/** A refusal: what stands behind `FAIL CHATHISTORY`. */
class Refusal {
  constructor(
    readonly code: "INVALID_PARAMS" | "INVALID_TARGET" | "MESSAGE_ERROR",
    readonly context: readonly string[],
    readonly text: string,
  ) {}
}

const SELECTORS: Readonly<Record<string, number>> = {
  LATEST: 1,
  BEFORE: 1,
  AFTER: 1,
  AROUND: 1,
  BETWEEN: 2,
  TARGETS: 2,
};

function chathistory({ client, network, params }: Call): void {
  if (!client.has("draft/chathistory")) {
    network.reply(client, "421", ["CHATHISTORY"], "Unknown command");
    return;
  }
  const refusal = answer(network, client, params);
  if (refusal === undefined) return;
  network.standard(client, "FAIL", ["CHATHISTORY", refusal.code, ...refusal.context], refusal.text);
}

function answer(network: Network, client: Client, params: readonly string[]): Refusal | undefined {
  const subcommand = (params[0] ?? "").toUpperCase();
  const selectors = Object.hasOwn(SELECTORS, subcommand) ? SELECTORS[subcommand] : undefined;
  const context = params[0] === undefined ? [] : [params[0]];
  if (selectors === undefined) return new Refusal("INVALID_PARAMS", context, "Unknown command");
  const rest = params.slice(subcommand === "TARGETS" ? 1 : 2);
  if (rest.length <= selectors) return new Refusal("INVALID_PARAMS", context, "Insufficient parameters");
  if (rest.length > selectors + 1) return new Refusal("INVALID_PARAMS", context, "Too many parameters");
  const limit = limitOf(network, rest[selectors] ?? "");
  if (limit === undefined) return new Refusal("INVALID_PARAMS", context, "Invalid limit");
  if (subcommand === "TARGETS") return targets(network, client, rest, limit);
  return messages(network, client, { subcommand, target: params[1] ?? "", selectors: rest.slice(0, selectors), limit });
}

function limitOf(network: Network, text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  return Math.min(Number(text), network.settings.limits.chathistory);
}

interface Question {
  readonly subcommand: string;
  readonly target: string;
  readonly selectors: readonly string[];
  readonly limit: number;
}

function messages(network: Network, client: Client, question: Question): Refusal | undefined {
  const { subcommand, target } = question;
  const key = keyOf(network, client, target);
  if (key === undefined) return new Refusal("INVALID_TARGET", [subcommand, target], "Messages could not be retrieved");
  const visible = network.history.of(key).filter((entry) => isShown(client, entry));
  const chosen = choose(visible, question);
  if (chosen instanceof Refusal) return chosen;
  // As it was asked for, whatever its case.
  inBatch(network, client, "chathistory", [target], (batch) => {
    for (const entry of chosen) replay(network, client, entry, batch);
  });
  return undefined;
}

/** Where a client may look: the channels it is in, and its own conversations. */
function keyOf(network: Network, client: Client, target: string): string | undefined {
  const channel = network.findChannel(target);
  if (channel !== undefined) return channel.members.has(client) ? network.fold(target) : undefined;
  if (/^[#&]/.test(target)) return undefined;
  const key = conversation(network.fold(client.shownNick), network.fold(target));
  return network.findClient(target, client) === undefined && network.history.of(key).length === 0 ? undefined : key;
}

function isShown(client: Client, entry: HistoryEntry): boolean {
  if (entry.kind === "said" && entry.utterance.command !== "TAGMSG") return true;
  return client.has("draft/event-playback");
}

/** Where a selector points: before which entry, and after which. */
interface Point {
  readonly before: number;
  readonly after: number;
}

function choose(
  entries: readonly HistoryEntry[],
  { subcommand, target, selectors, limit }: Question,
): HistoryEntry[] | Refusal {
  const points: Point[] = [];
  for (const selector of selectors) {
    if (subcommand === "LATEST" && selector === "*") {
      points.push({ before: 0, after: 0 });
      continue;
    }
    const point = pointOf(entries, selector);
    if (point === "malformed")
      return new Refusal("INVALID_PARAMS", [subcommand, selector], "Invalid message reference");
    if (point === undefined)
      return new Refusal("MESSAGE_ERROR", [subcommand, target], "Messages could not be retrieved");
    points.push(point);
  }
  const [first, second] = points;
  if (first === undefined) return [];
  return range(entries, { subcommand, limit, first, second });
}

function range(
  entries: readonly HistoryEntry[],
  { subcommand, limit, first, second }: { subcommand: string; limit: number; first: Point; second: Point | undefined },
): HistoryEntry[] {
  const last = (from: number, to: number): HistoryEntry[] =>
    entries.slice(Math.max(from, to - limit, 0), Math.max(to, 0));
  const earliest = (from: number, to: number): HistoryEntry[] =>
    entries.slice(from, Math.max(from, Math.min(to, from + limit)));
  switch (subcommand) {
    case "LATEST":
      return last(first.after, entries.length);
    case "BEFORE":
      return last(0, first.before);
    case "AFTER":
      return earliest(first.after, entries.length);
    case "AROUND": {
      const start = Math.max(0, Math.min(first.before - Math.floor(limit / 2), entries.length - limit));
      return earliest(start, entries.length);
    }
    default: {
      if (second === undefined) return [];
      return first.after <= second.before ? earliest(first.after, second.before) : last(second.after, first.before);
    }
  }
}

/** Entries share a moment: `before` is the first of it, `after` what follows its last. */
function pointOf(entries: readonly HistoryEntry[], selector: string): Point | "malformed" | undefined {
  const msgid = /^msgid=(.+)$/s.exec(selector)?.[1];
  if (msgid !== undefined) {
    const index = entries.findIndex(({ stamp }) => stamp.msgid === msgid);
    return index < 0 ? undefined : { before: index, after: index + 1 };
  }
  const at = momentOf(selector);
  if (at === undefined) return "malformed";
  return {
    before: entries.filter(({ stamp }) => stamp.at < at).length,
    after: entries.filter(({ stamp }) => stamp.at <= at).length,
  };
}

function momentOf(selector: string): number | undefined {
  const text = /^timestamp=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)$/.exec(selector)?.[1];
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

function replay(network: Network, client: Client, entry: HistoryEntry, batch: string | undefined): void {
  const stamp = { ...entry.stamp, batch };
  if (entry.kind === "event") {
    network.send(client, entry.body, stamp);
    return;
  }
  writeUtterance(network, client, entry.utterance, stamp, (body, each) =>
    network.send(client, body, each.batch === undefined ? { ...each, batch } : each),
  );
}

/** The channels and people of which there is something between two moments. */
function targets(network: Network, client: Client, selectors: readonly string[], limit: number): Refusal | undefined {
  const [one, other] = [momentOf(selectors[0] ?? ""), momentOf(selectors[1] ?? "")];
  if (one === undefined || other === undefined) return new Refusal("INVALID_PARAMS", ["TARGETS"], "Invalid timestamp");
  const nick = network.fold(client.shownNick);
  const places = [
    ...[...client.channels].map(({ name }) => ({ name, key: network.fold(name) })),
    ...network.history.peersOf(nick).map((peer) => ({
      name: network.findClient(peer, client)?.shownNick ?? peer,
      key: conversation(nick, peer),
    })),
  ];
  const found = places.flatMap(({ name, key }) => {
    const at = network.history.of(key).findLast((entry) => isShown(client, entry))?.stamp.at;
    return at !== undefined && at > Math.min(one, other) && at < Math.max(one, other) ? [{ name, at }] : [];
  });
  found.sort((a, b) => a.at - b.at);
  const chosen = one <= other ? found.slice(0, limit) : found.slice(Math.max(0, found.length - limit));
  inBatch(network, client, "draft/chathistory-targets", [], (batch) => {
    for (const { name, at } of chosen)
      network.say(client, "CHATHISTORY", ["TARGETS", name, new Date(at).toISOString()], { at: network.now(), batch });
  });
  return undefined;
}
