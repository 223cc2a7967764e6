import type { UserId } from "../../connector/ids.js";
import { isUserId } from "../../mapping/identifiers.js";
import { isRecord, listIn } from "./guards.js";

/** Whom an event means to notify (`m.mentions`). */
export interface Mentions {
  readonly userIds: readonly UserId[];
  /** Everyone in the room. */
  readonly everyone: boolean;
}

/** How many people one message can mention; more are not read and not written. */
export const mostMentions = 50;

/** Reads `m.mentions` of an event's content. What is malformed is left out. */
export function mentionsIn(content: unknown): Mentions {
  const mentions = isRecord(content) && isRecord(content["m.mentions"]) ? content["m.mentions"] : {};
  const userIds = new Set<UserId>();
  for (const id of listIn(mentions, "user_ids")) {
    if (userIds.size === mostMentions) break;
    if (isUserId(id)) userIds.add(id);
  }
  return { userIds: [...userIds], everyone: mentions.room === true };
}
