import type { ChannelHandle, SeenMessage } from "@trestle/slack-emulator";
import { findMarks } from "../ledger.js";
import type { Timeline, TimelineEvent } from "../matrix-client.js";
import type { Side } from "./book.js";

/** What a text carries: which message it is, and which of its versions. */
export interface Mark {
  readonly id: string;
  readonly version: number;
}

/** A message as it arrived on the other side. */
export interface Arrival extends Mark {
  /** The event's id, or Slack's `ts`. */
  readonly handle: string;
  /** The first message of its thread, in the terms of the side where it arrived. */
  readonly thread: string | undefined;
  /** The message whose text it replaces, on Matrix. */
  readonly replaces: string | undefined;
}

/** The marks of what was said on a side. */
export function marksIn(side: Side, text: string): readonly Mark[] {
  return findMarks(side === "matrix" ? "Matrix → Slack" : "Slack → Matrix", text).map((found) => {
    const [id = "", version = ""] = found.split(".");
    return { id, version: Number(version) };
  });
}

export interface MatrixSight {
  readonly arrivals: readonly Arrival[];
  readonly reactions: readonly {
    readonly handle: string;
    readonly sender: string;
    readonly target: string;
    readonly key: string;
  }[];
  /** By the event that was taken back: how often. */
  readonly redactions: ReadonlyMap<string, number>;
  /** What was said on Matrix and came back. */
  readonly circled: readonly string[];
}

/** What the bridge brought to a room. */
export function lookAtRoom({ events }: Timeline, people: ReadonlySet<string>): MatrixSight {
  const arrivals: Arrival[] = [];
  const reactions: MatrixSight["reactions"][number][] = [];
  const redactions = new Map<string, number>();
  const circled: string[] = [];
  for (const event of events.filter(({ sender }) => !people.has(sender))) {
    const { related, kind } = relationOf(event);
    if (event.type === "m.room.message") {
      const replaces = kind === "m.replace" ? related : undefined;
      const text = bodyOf(replaces === undefined ? event.content : event.content["m.new_content"]);
      circled.push(...marksIn("matrix", text).map(({ id }) => id));
      const thread = kind === "m.thread" ? related : undefined;
      for (const mark of marksIn("slack", text)) arrivals.push({ ...mark, handle: event.event_id, thread, replaces });
    } else if (event.type === "m.reaction" && related !== undefined) {
      const key = keyOf(event);
      reactions.push({ handle: event.event_id, sender: event.sender, target: related, key });
    } else if (event.type === "m.room.redaction") {
      const target = event.redacts ?? event.content["redacts"];
      if (typeof target === "string") redactions.set(target, (redactions.get(target) ?? 0) + 1);
    }
  }
  return { arrivals, reactions, redactions, circled };
}

export interface SlackSight {
  readonly arrivals: readonly Arrival[];
  /** By the message's `ts`: the emojis of the bot. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
  readonly circled: readonly string[];
}

/** What the bridge brought to a channel. */
export function lookAtChannel(channel: ChannelHandle, bot: string): SlackSight {
  const all = everythingIn(channel);
  const own = all.filter(({ botId }) => botId !== undefined);
  return {
    arrivals: own.flatMap(({ ts, threadTs, text }) =>
      marksIn("matrix", text).map((mark) => ({
        ...mark,
        handle: ts,
        thread: threadTs === ts ? undefined : threadTs,
        replaces: undefined,
      })),
    ),
    reactions: new Map(
      all.map(({ ts, reactions }) => [
        ts,
        Object.entries(reactions).flatMap(([name, users]) => (users.includes(bot) ? [name] : [])),
      ]),
    ),
    circled: own.flatMap(({ text }) => marksIn("slack", text).map(({ id }) => id)),
  };
}

/** The channel's own messages and those in its threads, in the order in which they were written. */
export function everythingIn(channel: ChannelHandle): readonly SeenMessage[] {
  const found = new Map<string, SeenMessage>();
  for (const message of channel.messages()) {
    found.set(message.ts, message);
    if (message.threadTs === message.ts) for (const answer of channel.thread(message.ts)) found.set(answer.ts, answer);
  }
  return [...found.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1));
}

function relationOf({ content }: TimelineEvent): {
  readonly related: string | undefined;
  readonly kind: string | undefined;
} {
  const relation = content["m.relates_to"];
  if (typeof relation !== "object" || relation === null) return { related: undefined, kind: undefined };
  const related = "event_id" in relation && typeof relation.event_id === "string" ? relation.event_id : undefined;
  const kind = "rel_type" in relation && typeof relation.rel_type === "string" ? relation.rel_type : undefined;
  return { related, kind };
}

function keyOf({ content }: TimelineEvent): string {
  const relation = content["m.relates_to"];
  return typeof relation === "object" && relation !== null && "key" in relation ? String(relation.key) : "";
}

function bodyOf(content: unknown): string {
  return typeof content === "object" && content !== null && "body" in content && typeof content.body === "string"
    ? content.body
    : "";
}
