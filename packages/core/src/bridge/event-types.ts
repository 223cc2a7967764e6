/** What a bridge takes of its rooms: what linked rooms pass on to the network, and what the bridge itself acts upon. */
const taken: ReadonlySet<string> = new Set([
  "m.room.message",
  "m.sticker",
  "m.reaction",
  "m.room.redaction",
  "m.room.member",
  "m.room.topic",
  "m.room.name",
  "m.room.avatar",
  "m.room.power_levels",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.pinned_events",
  "m.room.encrypted",
  "m.room.encryption",
  "m.room.tombstone",
  "m.poll.start",
  "m.poll.response",
  "m.poll.end",
  "org.matrix.msc3381.poll.start",
  "org.matrix.msc3381.poll.response",
  "org.matrix.msc3381.poll.end",
]);

/** What is said and done in a conversation, and must not be missing from one that is linked a moment later. */
const conversation: ReadonlySet<string> = new Set([
  "m.room.message",
  "m.sticker",
  "m.reaction",
  "m.room.redaction",
  ...[...taken].filter((type) => /\bpoll\./.test(type)),
]);

export function isOfConversation(type: string): boolean {
  return conversation.has(type);
}

/** Whether events of this type are taken at all; every other is nothing to a bridge. */
export function isTaken(type: string): boolean {
  return taken.has(type);
}

const stateTypes: ReadonlySet<string> = new Set([
  "m.room.topic",
  "m.room.name",
  "m.room.avatar",
  "m.room.pinned_events",
  "m.room.power_levels",
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.encryption",
  "m.room.tombstone",
]);

/**
 * Whether an event bears the type of a room's state without being it. Whoever may speak may send that, where the room's
 * power levels keep the state itself for few.
 */
export function isMisplaced({
  type,
  state_key: key,
}: {
  readonly type: string;
  readonly state_key?: unknown;
}): boolean {
  return type === "m.room.member" ? typeof key !== "string" : stateTypes.has(type) && key !== "";
}
