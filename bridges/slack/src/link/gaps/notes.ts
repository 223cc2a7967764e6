import { z } from "zod";
import { messageSchema } from "../sending/messages.js";
import type { ChannelMemory } from "./memory.js";

const changedSchema = z.looseObject({ subtype: z.literal("message_changed"), message: messageSchema });
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
  }),
  z.object({ kind: z.literal("edit"), ts: z.string(), at: z.string() }),
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
    case "message":
      memory.message(what.ts, what.thread, what.edited);
      return;
    case "edit":
      memory.edited(what.ts, what.at);
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
    const { ts, edited } = changed.data.message;
    return edited && { kind: "edit", ts, at: edited.ts };
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
  const { ts, thread_ts, edited } = message.data;
  return {
    kind: "message",
    ts,
    ...(thread_ts !== undefined && thread_ts !== ts && { thread: thread_ts }),
    ...(edited && { edited: edited.ts }),
  };
}
