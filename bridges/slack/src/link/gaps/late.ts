import { z } from "zod";
import { placeOf } from "../../ids.js";
import { historyPage, type HistoryProfile } from "../api/methods.js";
import type { SlackFailure } from "../api/result.js";
import type { Workspace } from "../installations/workspace.js";
import type { Installations } from "../installations/installations.js";
import { compareTs, historySchema, messageSchema, type SlackMessage } from "../sending/messages.js";
import { shadows, type Ledger } from "./ledger.js";
import type { ChannelMemory } from "./memory.js";

const newSchema = messageSchema.extend({ type: z.literal("message") });
const changedSchema = z.looseObject({ subtype: z.literal("message_changed"), message: messageSchema });
const deletedSchema = z.looseObject({ subtype: z.literal("message_deleted") });
const reactionSchema = z.looseObject({
  type: z.enum(["reaction_added", "reaction_removed"]),
  user: z.string(),
  reaction: z.string(),
  item: z.looseObject({ ts: z.string() }),
});

/** What Slack must be asked, to know whether an event still holds. */
interface Question {
  readonly ts: string;
  readonly thread: string | undefined;
  readonly isEdit?: boolean;
  readonly holds: (message: SlackMessage | undefined) => boolean;
}

export interface Judgement {
  readonly ok: true;
  readonly isOvertaken: boolean;
  /** The message that must be there first. */
  readonly first?: { readonly type: "message" } & Readonly<Record<string, unknown>>;
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
   * @param late Slack sends it again, or it was received before what was missed was looked for
   */
  async judge(key: string, event: unknown, late: boolean, signal: AbortSignal): Promise<Judgement | SlackFailure> {
    const memory = await this.options.ledger.find(key);
    const judged = memory ? judge(memory, event, late) : "holds";
    if (!memory || judged === "holds") return holds;
    if (judged === "overtaken") return overtaken;
    const place = placeOf(key);
    const workspace = place && this.options.installations.get(place.team);
    if (!workspace) return holds;
    const answer = await this.#ask(workspace, place.channel, judged, signal);
    if (!answer.ok) {
      if (answer.failed !== "permanent") return answer;
      // A thread without its first message is gone as a whole; of anything else Slack does not say, it is believed.
      return answer.code === "thread_not_found" ? overtaken : holds;
    }
    const found = answer.body.messages.find(({ ts }) => ts === judged.ts);
    if (!found) memory.deleted(judged.ts);
    if (!judged.holds(found)) return overtaken;
    if (!judged.isEdit || !found) return holds;
    // What is edited may not have come yet; where it has, its id tells.
    return { ...holds, first: { ...found, type: "message", channel: place.channel, event_ts: found.ts } };
  }

  #ask(workspace: Workspace, channel: string, { ts, thread }: Question, signal: AbortSignal) {
    return workspace.call({
      method: thread === undefined ? "conversations.history" : "conversations.replies",
      arguments: {
        channel,
        ...(thread !== undefined && { ts: thread }),
        oldest: ts,
        latest: ts,
        inclusive: true,
        limit: historyPage[this.options.profile],
      },
      answer: historySchema,
      signal,
    });
  }
}

function judge(memory: ChannelMemory, event: unknown, late: boolean): "holds" | "overtaken" | Question {
  const changed = changedSchema.safeParse(event);
  if (changed.success) return judgeEdit(memory, changed.data.message);
  if (deletedSchema.safeParse(event).success) return "holds";
  const reaction = reactionSchema.safeParse(event);
  if (reaction.success) return late ? judgeReaction(memory, reaction.data) : "holds";
  const message = newSchema.safeParse(event);
  if (!message.success || shadows.has(message.data.subtype ?? "")) return "holds";
  return judgeMessage(memory, message.data);
}

function judgeEdit(memory: ChannelMemory, { ts, thread_ts, edited }: SlackMessage): "holds" | "overtaken" | Question {
  const last = memory.editOf(ts);
  // The last one itself may be told again: whether it has been, its id tells.
  if (last !== undefined && edited && compareTs(edited.ts, last) < 0) return "overtaken";
  const judged = judgeMessage(memory, { ts, thread_ts });
  return typeof judged === "string" ? judged : { ...judged, isEdit: true };
}

/** The message that something is about must be there: what was never seen of it may have been deleted since. */
function judgeMessage(memory: ChannelMemory, { ts, thread_ts }: SlackMessage): "holds" | "overtaken" | Question {
  if (memory.isGone(ts)) return "overtaken";
  if (memory.has(ts) || compareTs(ts, memory.newest) >= 0) return "holds";
  const thread = thread_ts === ts ? undefined : thread_ts;
  return { ts, thread, holds: (found) => found !== undefined };
}

function judgeReaction(
  memory: ChannelMemory,
  { type, user, reaction, item: { ts } }: z.output<typeof reactionSchema>,
): "holds" | "overtaken" | Question {
  if (memory.isGone(ts)) return "overtaken";
  const added = type === "reaction_added";
  const known = memory.reactionsOf(ts).get(reaction)?.includes(user) === true;
  // As it is remembered it may be told again; where it would change something, Slack says what is the case.
  if (!memory.has(ts) || known === added) return "holds";
  return { ts, thread: memory.threadOf(ts), holds: (found) => isThere(found, reaction, user) === added };
}

/** Of many Slack names only some: who is not named may still be among them. */
function isThere(message: SlackMessage | undefined, reaction: string, user: string): boolean {
  const found = message?.reactions?.find(({ name }) => name === reaction);
  return found !== undefined && (found.users.includes(user) || found.users.length < (found.count ?? 0));
}
