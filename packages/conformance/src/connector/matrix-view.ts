import type { JsonObject } from "@trestle/testkit";

/** One thing that people in a Matrix room saw a person of the network do. */
export interface SeenOnMatrix {
  readonly kind: "message" | "edit" | "removal" | "reaction" | "topic" | "name" | "picture" | "member" | "other";
  readonly event: string;
  readonly sender: string;
  /** What they read; for a reaction its key. */
  readonly text: string;
  readonly emote: boolean;
  /** The event it is about. */
  readonly target?: string;
  readonly content: JsonObject;
}

/** What a timeline shows of the given senders, in order. */
export function seenOnMatrix(timeline: readonly JsonObject[], from: (sender: string) => boolean): SeenOnMatrix[] {
  return timeline.flatMap((event) => {
    const sender = stringOf(event["sender"]);
    return from(sender) ? [readEvent(event, sender)] : [];
  });
}

function readEvent(event: JsonObject, sender: string): SeenOnMatrix {
  const content = objectOf(event["content"]);
  const relation = objectOf(content["m.relates_to"]);
  const base = { event: stringOf(event["event_id"]), sender, content, emote: content["msgtype"] === "m.emote" };
  const target = stringOf(relation["event_id"]);
  switch (stringOf(event["type"])) {
    case "m.room.message": {
      if (relation["rel_type"] === "m.replace")
        return { ...base, kind: "edit", target, text: stringOf(objectOf(content["m.new_content"])["body"]) };
      return { ...base, kind: "message", text: stringOf(content["body"]) };
    }
    case "m.reaction":
      return { ...base, kind: "reaction", target, text: stringOf(relation["key"]) };
    case "m.room.redaction": {
      const redacted = stringOf(event["redacts"] ?? content["redacts"]);
      return { ...base, kind: "removal", target: redacted, text: "" };
    }
    case "m.room.topic":
      return { ...base, kind: "topic", text: stringOf(content["topic"]) };
    case "m.room.name":
      return { ...base, kind: "name", text: stringOf(content["name"]) };
    case "m.room.avatar":
      return { ...base, kind: "picture", text: stringOf(content["url"]) };
    case "m.room.member":
      return { ...base, kind: "member", text: stringOf(content["membership"]) };
    default:
      return { ...base, kind: "other", text: "" };
  }
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
