import { z } from "zod";
import { markOf, readMessage } from "../../content/index.js";
import { messageSchema } from "../sending/messages.js";
import { editOf } from "./edit.js";
import type { ChannelMemory } from "./memory.js";

const changedSchema = z.looseObject({
  subtype: z.literal("message_changed"),
  message: messageSchema,
  previous_message: z.unknown().optional(),
  /** None of what Slack was asked for. */
  event_ts: z.string().optional(),
});
const deletedSchema = z.looseObject({ subtype: z.literal("message_deleted"), deleted_ts: z.string() });
const reactionSchema = z.looseObject({
  type: z.enum(["reaction_added", "reaction_removed"]),
  user: z.string(),
  reaction: z.string(),
  item: z.looseObject({ ts: z.string() }),
});
/** They are about another message and no messages of their own. */
export const shadows: ReadonlySet<string> = new Set(["message_replied", "message_changed", "message_deleted"]);

const whatSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("message"),
    ts: z.string(),
    thread: z.string().optional(),
    edited: z.string().optional(),
    mark: z.string().optional(),
  }),
  z.object({
    kind: z.literal("edit"),
    ts: z.string(),
    at: z.string(),
    mark: z.string().optional(),
    event: z.string().optional(),
    /** The message said the same before. */
    same: z.boolean().optional(),
  }),
  z.object({ kind: z.literal("deletion"), ts: z.string() }),
  z.object({ kind: z.literal("reaction"), ts: z.string(), name: z.string(), user: z.string(), there: z.boolean() }),
]);
type What = z.output<typeof whatSchema>;

export const noteSchema = z.object({
  what: whatSchema,
  /** Nothing before it was missed. */
  whole: z.boolean(),
});
/** What is remembered of one event. */
export type Note = z.output<typeof noteSchema>;

/** None for what changes nothing that is remembered. */
export function notesOf(events: readonly unknown[], whole: boolean): readonly Note[] {
  return events.map(whatOf).flatMap((what) => (what ? [{ what, whole }] : []));
}

export function applyNote(memory: ChannelMemory, { what, whole }: Note): void {
  apply(memory, what);
  if (whole) memory.watermark = memory.newest;
}

function apply(memory: ChannelMemory, what: What): void {
  switch (what.kind) {
    case "message": {
      const { ts, thread, edited: at, mark } = what;
      memory.message(ts, thread, at === undefined ? undefined : { at, mark });
      return;
    }
    case "edit":
      memory.edited(what.ts, what, what.same);
      return;
    case "deletion":
      memory.deleted(what.ts);
      return;
    case "reaction":
      memory.reaction(what.ts, what.name, what.user, what.there);
  }
}

function whatOf(event: unknown): What | undefined {
  const changed = changedSchema.safeParse(event);
  if (changed.success) {
    const { message, previous_message: previous, event_ts } = changed.data;
    const edit = editOf(message, event_ts);
    const same = event_ts !== undefined && previous !== undefined && markOf(readMessage(previous)) === edit?.mark;
    return edit && { kind: "edit", ts: message.ts, ...edit, ...(same && { same }) };
  }
  const deleted = deletedSchema.safeParse(event);
  if (deleted.success) return { kind: "deletion", ts: deleted.data.deleted_ts };
  const reaction = reactionSchema.safeParse(event);
  if (reaction.success) {
    const { type, user, reaction: name, item } = reaction.data;
    return { kind: "reaction", ts: item.ts, name, user, there: type === "reaction_added" };
  }
  const message = messageSchema.safeParse(event);
  if (!message.success || message.data.type !== "message" || shadows.has(message.data.subtype ?? "")) return undefined;
  const { ts, thread_ts } = message.data;
  const edit = editOf(message.data);
  return {
    kind: "message",
    ts,
    ...(thread_ts !== undefined && thread_ts !== ts && { thread: thread_ts }),
    ...(edit && { edited: edit.at, mark: edit.mark }),
  };
}
