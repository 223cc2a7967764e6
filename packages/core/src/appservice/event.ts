/** An event as a homeserver pushes it. Its shape is checked; its content is not. */
export interface MatrixEvent {
  readonly event_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly sender: string;
  /** In milliseconds since 1970. */
  readonly origin_server_ts: number;
  readonly content: Readonly<Record<string, unknown>>;
  readonly state_key?: string;
  readonly redacts?: string;
  readonly unsigned?: Readonly<Record<string, unknown>>;
}

export type ReadEvent = { readonly event: MatrixEvent } | { readonly problem: string };

const longestId = 255;

/** Checks the shape of one event of a transaction. Written by hand because every event passes here. */
export function readEvent(value: unknown): ReadEvent {
  if (!isRecord(value)) return { problem: "the event is not an object" };
  const { event_id, room_id, type, sender, origin_server_ts, content, state_key, redacts, unsigned } = value;
  if (!isId(event_id, "$")) return { problem: "event_id is not an event id" };
  if (!isId(room_id, "!")) return { problem: "room_id is not a room id" };
  if (!isId(sender, "@")) return { problem: "sender is not a user id" };
  if (typeof type !== "string" || type.length > longestId)
    return { problem: "type is not a string of at most 255 bytes" };
  if (!isRecord(content)) return { problem: "content is not an object" };
  if (state_key !== undefined && typeof state_key !== "string") return { problem: "state_key is not a string" };
  return {
    event: {
      event_id,
      room_id,
      type,
      sender,
      origin_server_ts:
        typeof origin_server_ts === "number" && Number.isFinite(origin_server_ts) ? origin_server_ts : 0,
      content,
      ...(state_key !== undefined && { state_key }),
      ...(typeof redacts === "string" && { redacts }),
      ...(isRecord(unsigned) && { unsigned }),
    },
  };
}

function isId(value: unknown, sigil: string): value is string {
  return typeof value === "string" && value.length > 1 && value.length <= longestId && value.startsWith(sigil);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
