import type { EventId } from "../../connector/ids.js";
import { isEventId } from "../../mapping/identifiers.js";
import { isRecord, recordIn, stringIn, type JsonRecord } from "./guards.js";

/** What an event says about another one: its `m.relates_to`. */
export type Relation =
  NoRelation | ReplyRelation | ThreadRelation | EditRelation | ReactionRelation | ReferenceRelation;

export interface NoRelation {
  readonly kind: "none";
}

export interface ReplyRelation {
  readonly kind: "reply";
  readonly replyTo: EventId;
}

export interface ThreadRelation {
  readonly kind: "thread";
  readonly root: EventId;
  /** The reply is there for clients that know no threads: it is just the message before this one. */
  readonly isFallingBack: boolean;
  readonly replyTo?: EventId;
}

export interface EditRelation {
  readonly kind: "edit";
  readonly target: EventId;
}

export interface ReactionRelation {
  readonly kind: "reaction";
  readonly target: EventId;
  readonly key: string;
}

/** For instance a vote to its poll. */
export interface ReferenceRelation {
  readonly kind: "reference";
  readonly target: EventId;
}

const none: NoRelation = { kind: "none" };
/** A reaction is an emoji or a short text; what is longer is no reaction that anybody shows. */
const longestKey = 255;

/** Reads `m.relates_to` of an event's content. What is malformed counts as absent. */
export function relationOf(content: unknown): Relation {
  const relation = isRecord(content) ? recordIn(content, "m.relates_to") : {};
  const { rel_type: type, event_id: target } = relation;
  const replyTo = replyTarget(relation);
  if (isEventId(target)) {
    switch (type) {
      case "m.replace":
        return { kind: "edit", target };
      case "m.annotation":
        return reactionOf(target, relation);
      case "m.thread":
        return { kind: "thread", root: target, ...threadReply(relation, replyTo) };
      case "m.reference":
        return { kind: "reference", target };
    }
  }
  return replyTo === undefined ? none : { kind: "reply", replyTo };
}

function replyTarget(relation: JsonRecord): EventId | undefined {
  const { event_id: id } = recordIn(relation, "m.in_reply_to");
  return isEventId(id) ? id : undefined;
}

function threadReply(
  relation: JsonRecord,
  replyTo: EventId | undefined,
): Pick<ThreadRelation, "isFallingBack" | "replyTo"> {
  // Without a reply there is nothing to fall back on.
  if (replyTo === undefined) return { isFallingBack: false };
  return { isFallingBack: relation.is_falling_back === true, replyTo };
}

function reactionOf(target: EventId, relation: JsonRecord): Relation {
  const key = stringIn(relation, "key");
  return key === undefined || key === "" || key.length > longestKey ? none : { kind: "reaction", target, key };
}
