/** A Matrix event as the homeserver sent it. */
export interface SeenEvent {
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Present on state events. */
  readonly stateKey?: string;
  /** The redacted event, wherever the room's version puts it. */
  readonly redacts?: string;
}

export function readEvent(raw: Readonly<Record<string, unknown>>): SeenEvent {
  const content = asRecord(raw["content"]);
  const stateKey = raw["state_key"];
  const redacts = raw["redacts"] ?? content["redacts"];
  return {
    eventId: asText(raw["event_id"]),
    roomId: asText(raw["room_id"]),
    type: asText(raw["type"]),
    sender: asText(raw["sender"]),
    content,
    ...(typeof stateKey === "string" ? { stateKey } : {}),
    ...(typeof redacts === "string" ? { redacts } : {}),
  };
}

/** An object's members; none of anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A string; the empty one for anything else. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
