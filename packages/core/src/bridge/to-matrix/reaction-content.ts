import type { ReactionReceived } from "../../connector/events.js";

/** An emoji of the network's own is its picture; its name stands beside it (MSC4027). */
export function reactionContent(target: string, { key, picture }: ReactionReceived): Readonly<Record<string, unknown>> {
  const shown = key.slice(0, 200);
  const relation = { rel_type: "m.annotation", event_id: target, key: picture ?? shown };
  if (picture === undefined) return { "m.relates_to": relation };
  return { "m.relates_to": relation, shortcode: shown, "com.beeper.reaction.shortcode": shown };
}
