import { RemoteMessageId } from "@trestle/core";
import { z } from "zod";
import type { SlackEvent } from "./envelope.js";

const changedSchema = z.looseObject({
  subtype: z.literal("message_changed"),
  message: z.looseObject({ ts: z.string(), edited: z.looseObject({ ts: z.string() }) }),
});
const deletedSchema = z.looseObject({ subtype: z.literal("message_deleted"), deleted_ts: z.string() });
const reactionSchema = z.looseObject({
  type: z.enum(["reaction_added", "reaction_removed"]),
  user: z.string(),
  reaction: z.string(),
  item: z.looseObject({ ts: z.string() }),
  event_ts: z.string(),
});
const saidSchema = z.looseObject({ type: z.literal("message"), ts: z.string() });
/** They are about another message, whose `ts` is not theirs. */
const shadows: ReadonlySet<unknown> = new Set(["message_changed", "message_deleted", "message_replied"]);

/**
 * The id of what an event says, for `receive` and `interpret`: the same whether Slack sent it or it was found to be
 * missed, so that the core drops it the second time. A message's is its `ts`.
 */
export function remoteIdOf(body: SlackEvent): RemoteMessageId {
  const { event, event_id } = body;
  const changed = changedSchema.safeParse(event);
  if (changed.success) {
    const { ts, edited } = changed.data.message;
    return RemoteMessageId(`${ts}/edited/${edited.ts}`);
  }
  const deleted = deletedSchema.safeParse(event);
  if (deleted.success) return RemoteMessageId(`${deleted.data.deleted_ts}/deleted`);
  const reaction = reactionSchema.safeParse(event);
  if (reaction.success) {
    const { type, user, reaction: name, item, event_ts } = reaction.data;
    return RemoteMessageId(`${item.ts}/${type}/${user}/${name}/${event_ts}`);
  }
  const said = saidSchema.safeParse(event);
  return RemoteMessageId(said.success && !shadows.has(event["subtype"]) ? said.data.ts : event_id);
}
