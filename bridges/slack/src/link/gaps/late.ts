import { z } from "zod";
import { placeOf } from "../../ids.js";
import { historyPage, type HistoryProfile } from "../api/methods.js";
import type { SlackFailure } from "../api/result.js";
import type { Workspace } from "../installations/workspace.js";
import type { Installations } from "../installations/installations.js";
import { compareTs, historySchema, messageSchema, type SlackMessage } from "../sending/messages.js";
import { editOf, isNewest, standingOf } from "./edit.js";
import type { Ledger } from "./ledger.js";
import { shadows } from "./notes.js";
import type { ChannelMemory } from "./memory.js";

const newSchema = messageSchema.extend({ type: z.literal("message") });
const changedSchema = z.looseObject({
  subtype: z.literal("message_changed"),
  message: messageSchema,
  previous_message: z.unknown().optional(),
  /** None of what Slack was asked for. */
  event_ts: z.string().optional(),
});
const deletedSchema = z.looseObject({ subtype: z.literal("message_deleted") });
const reactionSchema = z.looseObject({
  type: z.enum(["reaction_added", "reaction_removed"]),
  user: z.string(),
  reaction: z.string(),
  item: z.looseObject({ ts: z.string() }),
});

/** What Slack must be asked, to know whether an event still holds. */
interface Question {
  readonly about: "message" | "edit" | "reaction";
  readonly ts: string;
  readonly thread: string | undefined;
  readonly holds: (message: SlackMessage | undefined) => boolean;
}

/** What `reactions.get` answers, or one of the others. */
const foundSchema = historySchema.extend({ message: messageSchema.optional() });
/** What Slack says of a message, or of its thread, that is there no more. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["thread_not_found", "message_not_found"]);

export interface Judgement {
  readonly ok: true;
  readonly isOvertaken: boolean;
  /** The message that must be there first. */
  readonly first?: { readonly type: "message" } & Readonly<Record<string, unknown>>;
  /** What is told instead of the event. */
  readonly instead?: { readonly type: "message" } & Readonly<Record<string, unknown>>;
}

const holds: Judgement = { ok: true, isOvertaken: false };
const overtaken: Judgement = { ok: true, isOvertaken: true };

export interface LateEventsOptions {
  readonly ledger: Ledger;
  readonly installations: Installations;
  readonly profile: HistoryProfile;
}

/**
 * Knows what was overtaken. What Slack could not deliver it sends again after a minute and after five; by then it was made
 * up for, and may have been edited, deleted or taken back since. Told then, it would bring back what is no more.
 */
export class LateEvents {
  constructor(readonly options: LateEventsOptions) {}

  /**
   * Whether an event still tells something. Asks Slack only where it is news of something older than the newest.
   *
   * @param receivedAt when it was received, in milliseconds since 1970
   * @param repeated Slack sends it again
   */
  async judge(
    key: string,
    event: unknown,
    {
      receivedAt,
      repeated,
      signal,
    }: { readonly receivedAt: number; readonly repeated: boolean; readonly signal: AbortSignal },
  ): Promise<Judgement | SlackFailure> {
    const memory = await this.options.ledger.find(key);
    // What was there when what was missed was looked for may have been told by that.
    const judged = memory ? judge(memory, event, repeated || receivedAt <= memory.lookedAt) : "holds";
    if (!memory || judged === "holds") return holds;
    if (judged === "overtaken") return overtaken;
    const place = placeOf(key);
    const workspace = place && this.options.installations.get(place.team);
    if (!workspace) return holds;
    const found = await this.#find(workspace, place.channel, judged, signal);
    if (!found.ok) return found;
    const message = found.body;
    if (message === "unknown") return holds;
    const isKnown = memory.has(judged.ts);
    // That one which was told is there no more is still to be told.
    if (!message && !isKnown) memory.deleted(judged.ts);
    if (!judged.holds(message)) return overtaken;
    if (judged.about !== "edit" || !message || isKnown) return holds;
    const instead = changedSchema.safeParse(event).data;
    // What is edited may not have come yet, or it and its edit were told and forgotten: their ids tell.
    return {
      ...holds,
      first: { ...message, type: "message", channel: place.channel, event_ts: message.ts },
      ...(instead && { instead: asFound(instead) }),
    };
  }

  /** A message as it is now; `unknown` where Slack says no. */
  async #find(
    workspace: Workspace,
    channel: string,
    { about, ts, thread }: Question,
    signal: AbortSignal,
  ): Promise<{ readonly ok: true; readonly body: SlackMessage | undefined | "unknown" } | SlackFailure> {
    const { profile } = this.options;
    const isReaction = about === "reaction";
    const answer = await workspace.call({
      method: isReaction ? "reactions.get" : thread === undefined ? "conversations.history" : "conversations.replies",
      arguments: isReaction
        ? { channel, timestamp: ts, full: true }
        : {
            channel,
            ...(thread !== undefined && { ts: thread }),
            oldest: ts,
            latest: ts,
            inclusive: true,
            limit: historyPage[profile],
          },
      answer: foundSchema,
      signal,
    });
    if (answer.ok)
      return { ok: true, body: answer.body.message ?? answer.body.messages.find((each) => each.ts === ts) };
    if (answer.failed !== "permanent") return answer;
    return { ok: true, body: goneCodes.has(answer.code) ? undefined : "unknown" };
  }
}

function judge(memory: ChannelMemory, event: unknown, late: boolean): "holds" | "overtaken" | Question {
  const changed = changedSchema.safeParse(event);
  if (changed.success) return judgeEdit(memory, changed.data, late);
  if (deletedSchema.safeParse(event).success) return "holds";
  const reaction = reactionSchema.safeParse(event);
  if (reaction.success) return late ? judgeReaction(memory, reaction.data) : "holds";
  const message = newSchema.safeParse(event);
  if (!message.success || shadows.has(message.data.subtype ?? "")) return "holds";
  return judgeMessage(memory, message.data);
}

function judgeEdit(
  memory: ChannelMemory,
  { message, event_ts }: z.output<typeof changedSchema>,
  late: boolean,
): "holds" | "overtaken" | Question {
  const edit = editOf(message, event_ts);
  const last = memory.editOf(message.ts);
  const standing = edit && last ? standingOf(edit, last, late) : "holds";
  if (standing === "overtaken") return "overtaken";
  const judged = judgeMessage(memory, message);
  if (judged === "overtaken" || (judged === "holds" && standing === "holds")) return judged;
  return {
    ...questionOf(message),
    about: "edit",
    holds: (found) => {
      const shown = found && editOf(found);
      return found !== undefined && (!edit || !shown || isNewest(edit, shown));
    },
  };
}

/** An edit under the id that it has where it was found to be missed, of whatever was before it in its second. */
function asFound(event: z.output<typeof changedSchema>) {
  const previous = z.looseObject({}).safeParse(event.previous_message).data;
  return {
    ...event,
    type: "message" as const,
    ...(previous && { previous_message: { ...previous, edited: undefined } }),
  };
}

/** The message that something is about must be there: what was never seen of it may have been deleted since. */
function judgeMessage(memory: ChannelMemory, message: SlackMessage): "holds" | "overtaken" | Question {
  const { ts } = message;
  if (memory.isGone(ts)) return "overtaken";
  if (memory.has(ts) || compareTs(ts, memory.newest) >= 0) return "holds";
  return questionOf(message);
}

function questionOf({ ts, thread_ts }: SlackMessage): Question {
  const thread = thread_ts === ts ? undefined : thread_ts;
  return { about: "message", ts, thread, holds: (found) => found !== undefined };
}

function judgeReaction(
  memory: ChannelMemory,
  { type, user, reaction, item: { ts } }: z.output<typeof reactionSchema>,
): "holds" | "overtaken" | Question {
  if (memory.isGone(ts)) return "overtaken";
  const added = type === "reaction_added";
  const known = memory.reactionsOf(ts).get(reaction)?.includes(user) === true;
  // As it is remembered it may be told again; where it would change something, Slack says what is the case.
  if (memory.has(ts) && known === added) return "holds";
  return { about: "reaction", ts, thread: undefined, holds: (found) => isThere(found, reaction, user) === added };
}

/** Of many Slack names only some: who is not named may still be among them. */
function isThere(message: SlackMessage | undefined, reaction: string, user: string): boolean {
  const found = message?.reactions?.find(({ name }) => name === reaction);
  return found !== undefined && (found.users.includes(user) || found.users.length < (found.count ?? 0));
}
