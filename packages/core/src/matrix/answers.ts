import { z } from "zod";
import { ContentUri, EventId, RoomId, UserId } from "../connector/ids.js";
import type { MatrixResult } from "./result.js";

/** The content of an event or of account data: JSON of any shape, to be parsed by whoever knows the type. */
export type EventContent = Readonly<Record<string, unknown>>;

/** An event as the client API gives it. */
export interface ClientEvent {
  readonly type: string;
  readonly eventId: EventId;
  readonly sender: UserId;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly content: EventContent;
  /** Present on state events. */
  readonly stateKey?: string;
  /** What a redaction redacts, in rooms before version 11; since then it is in the content. */
  readonly redacts?: string;
  /** Given where the endpoint gives it. */
  readonly roomId?: RoomId;
  readonly unsigned?: EventContent;
}

const content = z.record(z.string(), z.unknown());

const clientEvent = z
  .object({
    type: z.string(),
    event_id: z.string(),
    sender: z.string(),
    origin_server_ts: z.number(),
    content,
    state_key: z.string().optional(),
    redacts: z.string().optional(),
    room_id: z.string().optional(),
    unsigned: content.nullish(),
  })
  .transform((event): ClientEvent => ({
    type: event.type,
    eventId: EventId(event.event_id),
    sender: UserId(event.sender),
    at: event.origin_server_ts,
    content: event.content,
    ...(event.state_key === undefined ? {} : { stateKey: event.state_key }),
    ...(event.redacts === undefined ? {} : { redacts: event.redacts }),
    ...(event.room_id === undefined ? {} : { roomId: RoomId(event.room_id) }),
    ...(event.unsigned == null ? {} : { unsigned: event.unsigned }),
  }));

const text = z.string().nullish();

/** The shapes of the homeserver's answers. `null` is taken for "absent" everywhere: Synapse sends it. */
export const answers = {
  nothing: z.unknown().transform((): undefined => undefined),
  content,
  event: clientEvent,
  events: z.array(clientEvent),
  whoami: z.object({ user_id: z.string(), device_id: text }).transform((body) => ({
    userId: UserId(body.user_id),
    ...(body.device_id == null ? {} : { deviceId: body.device_id }),
  })),
  versions: z
    .object({ versions: z.array(z.string()), unstable_features: z.record(z.string(), z.unknown()).nullish() })
    .transform((body) => ({ versions: body.versions, unstableFeatures: body.unstable_features ?? {} })),
  roomId: z.object({ room_id: z.string() }).transform((body) => ({ roomId: RoomId(body.room_id) })),
  messages: z
    .object({ start: text, end: text, chunk: z.array(clientEvent), state: z.array(clientEvent).nullish() })
    .transform((body) => ({
      events: body.chunk,
      state: body.state ?? [],
      ...(body.end == null ? {} : { end: body.end }),
    })),
  members: z.object({ chunk: z.array(clientEvent) }).transform((body) => body.chunk),
  joinedMembers: z
    .object({ joined: z.record(z.string(), z.object({ display_name: text, avatar_url: text })) })
    .transform(
      (body) =>
        new Map(
          Object.entries(body.joined).map(([id, who]) => [UserId(id), profileOf(who.display_name, who.avatar_url)]),
        ),
    ),
  joinedRooms: z.object({ joined_rooms: z.array(z.string()) }).transform((body) => body.joined_rooms.map(RoomId)),
  profile: z
    .object({ displayname: text, avatar_url: text })
    .transform((body) => profileOf(body.displayname, body.avatar_url)),
  alias: z
    .object({ room_id: z.string(), servers: z.array(z.string()).nullish() })
    .transform((body) => ({ roomId: RoomId(body.room_id), servers: body.servers ?? [] })),
  aliases: z.object({ aliases: z.array(z.string()) }).transform((body) => body.aliases),
  ping: z.object({ duration_ms: z.number() }).transform((body) => ({ durationMs: body.duration_ms })),
  contentUri: z.object({ content_uri: z.string() }).transform((body) => ({ uri: ContentUri(body.content_uri) })),
};

export interface Profile {
  readonly displayName?: string;
  readonly avatarUrl?: ContentUri;
}

function profileOf(name: string | null | undefined, avatar: string | null | undefined): Profile {
  return {
    ...(name == null ? {} : { displayName: name }),
    ...(avatar == null || avatar === "" ? {} : { avatarUrl: ContentUri(avatar) }),
  };
}

/** Parses a successful answer. One of another shape is a failure, never an empty success. */
export function parsed<Shape extends z.ZodType>(
  result: MatrixResult<unknown>,
  shape: Shape,
): MatrixResult<z.output<Shape>> {
  if (!result.ok) return result;
  const body = shape.safeParse(result.body);
  return body.success ? { ok: true, body: body.data } : unexpected(result.body, z.prettifyError(body.error));
}

/** The answer to whatever creates an event; a guard by hand, because every message passes here. */
export function parsedEventId(result: MatrixResult<unknown>): MatrixResult<{ readonly eventId: EventId }> {
  if (!result.ok) return result;
  const { body } = result;
  if (typeof body === "object" && body !== null && "event_id" in body && typeof body.event_id === "string") {
    return { ok: true, body: { eventId: EventId(body.event_id) } };
  }
  return unexpected(body, "it has no event_id");
}

/**
 * An answer that says "there is none" becomes `null`; every other failure stays a failure.
 * @param errcodes what says so, together with status 404
 */
export function absentAsNull<Body>(
  result: MatrixResult<Body>,
  errcodes: readonly string[] = ["M_NOT_FOUND"],
): MatrixResult<Body | null> {
  if (result.ok || !isNotFound(result, errcodes)) return result;
  return { ok: true, body: null };
}

function isNotFound(result: MatrixResult<unknown>, errcodes: readonly string[]): boolean {
  return (
    !result.ok &&
    result.failure.kind === "answered" &&
    result.failure.status === 404 &&
    errcodes.includes(result.failure.errcode) &&
    // A page of a proxy has no errcode of its own and says nothing about what the homeserver knows.
    typeof result.failure.body === "object" &&
    result.failure.body !== null &&
    "errcode" in result.failure.body
  );
}

function unexpected(
  body: unknown,
  why: string,
): {
  readonly ok: false;
  readonly failure: { kind: "answered"; status: number; errcode: string; message: string; body: unknown };
} {
  const message = `the homeserver's answer is not what the specification says: ${why}`;
  return { ok: false, failure: { kind: "answered", status: 200, errcode: "M_UNKNOWN", message, body } };
}
