import type { Json, JsonObject } from "../json.js";
import { localpartOf } from "../ids.js";

/** The kinds of push rules, in the order in which they are tried. */
export const PUSH_RULE_KINDS = ["override", "content", "room", "sender", "underride"] as const;
export type PushRuleKind = (typeof PUSH_RULE_KINDS)[number];

/** The rules of one user, by kind. */
export type PushRules = Record<PushRuleKind, JsonObject[]>;

const HIGHLIGHT: Json[] = ["notify", { set_tweak: "sound", value: "default" }, { set_tweak: "highlight" }];
const SOUND: Json[] = ["notify", { set_tweak: "sound", value: "default" }];

function rule(id: string, actions: Json[], conditions: Json[], enabled = true): JsonObject {
  return { rule_id: id, default: true, enabled, actions, conditions };
}

function typeIs(type: string): JsonObject {
  return { kind: "event_match", key: "type", pattern: type };
}

/** Client-Server API, "Predefined Rules". */
export function defaultPushRules(userId: string): PushRules {
  const isMe = { kind: "event_match", key: "state_key", pattern: userId };
  const ofTwo = { kind: "room_member_count", is: "2" };
  return {
    override: [
      rule(".m.rule.master", [], [], false),
      rule(".m.rule.suppress_notices", [], [{ kind: "event_match", key: "content.msgtype", pattern: "m.notice" }]),
      rule(".m.rule.invite_for_me", SOUND, [
        typeIs("m.room.member"),
        { kind: "event_match", key: "content.membership", pattern: "invite" },
        isMe,
      ]),
      rule(".m.rule.member_event", [], [typeIs("m.room.member")]),
      rule(".m.rule.is_user_mention", HIGHLIGHT, [
        { kind: "event_property_contains", key: "content.m\\.mentions.user_ids", value: userId },
      ]),
      rule(
        ".m.rule.is_room_mention",
        ["notify", { set_tweak: "highlight" }],
        [
          { kind: "event_property_is", key: "content.m\\.mentions.room", value: true },
          { kind: "sender_notification_permission", key: "room" },
        ],
      ),
      rule(
        ".m.rule.tombstone",
        ["notify", { set_tweak: "highlight" }],
        [typeIs("m.room.tombstone"), { kind: "event_match", key: "state_key", pattern: "" }],
      ),
      rule(".m.rule.reaction", [], [typeIs("m.reaction")]),
      rule(
        ".m.rule.suppress_edits",
        [],
        [{ kind: "event_property_is", key: "content.m\\.relates_to.rel_type", value: "m.replace" }],
      ),
    ],
    content: [
      {
        rule_id: ".m.rule.contains_user_name",
        default: true,
        enabled: true,
        actions: HIGHLIGHT,
        pattern: localpartOf(userId),
      },
    ],
    room: [],
    sender: [],
    underride: [
      rule(".m.rule.encrypted_room_one_to_one", SOUND, [ofTwo, typeIs("m.room.encrypted")]),
      rule(".m.rule.room_one_to_one", SOUND, [ofTwo, typeIs("m.room.message")]),
      rule(".m.rule.message", ["notify"], [typeIs("m.room.message")]),
      rule(".m.rule.encrypted", ["notify"], [typeIs("m.room.encrypted")]),
    ],
  };
}
