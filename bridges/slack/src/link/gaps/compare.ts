import type { SlackMessage } from "../sending/messages.js";
import { compareTs } from "../sending/messages.js";
import { editOf, isMissed, type Edit } from "./edit.js";
import type { ChannelMemory } from "./memory.js";

/** Something that happened while nobody listened, as the event that Slack would have sent. */
export interface Missed {
  /** The same whenever it is found. */
  readonly id: string;
  /** When it happened, as Slack's `ts`; of what is known by its absence alone, when it was noticed. */
  readonly when: string;
  readonly event: { readonly type: string } & Readonly<Record<string, unknown>>;
}

export interface Fetched {
  readonly channel: string;
  /** The first message of the thread that was fetched; `undefined` for the channel itself. */
  readonly thread?: string;
  /** In the order in which they were written. */
  readonly messages: readonly SlackMessage[];
  /** From here on everything there is was fetched (Slack's `ts`). */
  readonly completeFrom: string;
  /** From here on deletions are looked for. */
  readonly changesFrom: string;
  /** When this was asked, as Slack's `ts`: what is known only by its absence happened by then. */
  readonly at: string;
}

/**
 * What differs between what Slack has and what is remembered, as the live stream would have told it: new messages,
 * edits, deletions and reactions.
 */
export function compare(memory: ChannelMemory, fetched: Fetched): readonly Missed[] {
  const missed: Missed[] = [];
  const there = new Set<string>();
  for (const message of fetched.messages) {
    if (message.subtype === "tombstone") continue;
    there.add(message.ts);
    // The first message of a thread comes with its answers; it is the channel's matter.
    if (fetched.thread !== undefined && message.ts === fetched.thread) continue;
    if (memory.has(message.ts)) missed.push(...changesOf(memory, fetched, message));
    else if (isNews(memory, message)) missed.push(...newMessage(fetched, message));
  }
  const from = compareTs(fetched.completeFrom, fetched.changesFrom) > 0 ? fetched.completeFrom : fetched.changesFrom;
  for (const ts of memory.knownSince(from, fetched.thread))
    if (!there.has(ts)) missed.push({ id: `${ts}:deleted`, when: fetched.at, event: deletion(fetched, ts) });
  return missed;
}

/** What is older than everything that is remembered may have been forgotten rather than missed. */
function isNews(memory: ChannelMemory, { ts }: SlackMessage): boolean {
  return compareTs(ts, memory.watermark) > 0 || compareTs(ts, memory.floor) > 0;
}

function newMessage(fetched: Fetched, message: SlackMessage): readonly Missed[] {
  const { reactions: _reactions, ...plain } = message;
  const event = { ...plain, type: "message", channel: fetched.channel, event_ts: message.ts };
  return [
    { id: message.ts, when: message.ts, event },
    // Should it be there already, as it was before the edit: the memory may lack what came just before a crash.
    ...editsOf(fetched, message, undefined),
    ...reactionsOf(fetched, message, new Map()),
  ];
}

function changesOf(memory: ChannelMemory, fetched: Fetched, message: SlackMessage): readonly Missed[] {
  const { ts } = message;
  return [...editsOf(fetched, message, memory.editOf(ts)), ...reactionsOf(fetched, message, memory.reactionsOf(ts))];
}

function editsOf(fetched: Fetched, message: SlackMessage, before: Edit | undefined): readonly Missed[] {
  const edit = editOf(message);
  if (!edit || (before && !isMissed(edit, before))) return [];
  const again = before !== undefined && compareTs(before.at, edit.at) === 0;
  const id = `${message.ts}:edited:${edit.at}:${edit.mark ?? ""}${again ? `:${fetched.at}` : ""}`;
  // The whole second may have begun before the message was there.
  const when = compareTs(edit.at, message.ts) > 0 ? edit.at : message.ts;
  return [{ id, when, event: edition(fetched, message, again ? edit.at : undefined) }];
}

function reactionsOf(
  { channel, at }: Fetched,
  message: SlackMessage,
  before: ReadonlyMap<string, readonly string[]>,
): readonly Missed[] {
  const now = new Map((message.reactions ?? []).map(({ name, users, count = 0 }) => [name, { users, count }]));
  const missed: Missed[] = [];
  const add = (type: string, name: string, user: string): void => {
    const item = { type: "message", channel, ts: message.ts };
    const event = { type, user, reaction: name, item, event_ts: at };
    // The same may happen again and again: the moment belongs to it.
    missed.push({ id: `${message.ts}:${type}:${name}:${user}:${at}`, when: at, event });
  };
  for (const [name, { users }] of now)
    for (const user of users) if (before.get(name)?.includes(user) !== true) add("reaction_added", name, user);
  for (const [name, users] of before) {
    const current = now.get(name);
    // Of many Slack names only some: who is not named may still be among them.
    if (current && current.users.length < current.count) continue;
    for (const user of users) if (current?.users.includes(user) !== true) add("reaction_removed", name, user);
  }
  return missed;
}

/**
 * Without `event_ts`, which would tell its place among other edits of its second: that is not known.
 *
 * @param before when the message had been edited before, where it was in the same second
 */
function edition({ channel, at }: Fetched, message: SlackMessage, before: string | undefined) {
  const { reactions: _reactions, ...plain } = message;
  return {
    type: "message",
    subtype: "message_changed",
    channel,
    hidden: true,
    ts: at,
    message: { ...plain, type: "message" },
    previous_message: { type: "message", ts: message.ts, ...(before !== undefined && { edited: { ts: before } }) },
  };
}

function deletion({ channel, thread, at }: Fetched, ts: string) {
  return {
    type: "message",
    subtype: "message_deleted",
    channel,
    hidden: true,
    ts: at,
    event_ts: at,
    deleted_ts: ts,
    previous_message: { type: "message", ts, ...(thread !== undefined && { thread_ts: thread }) },
  };
}
