import type { EventId, RoomId } from "../connector/ids.js";
import type { MatrixClient } from "../matrix/client.js";

/** Which events' files must not be served any more. Kept on disk: a revoked link never works again. */
export interface RevocationStore {
  /** A rejection is answered 503: nothing is served that may have been revoked. */
  isRevoked(event: EventId): Promise<boolean>;
  /** Resolves when it is on disk. May be forgotten once every link to the event has expired. */
  revoke(event: EventId): Promise<void>;
}

/** Whether an event is still there: `unknown` where the homeserver could not be asked, and then nothing is served. */
export type EventPresence = "present" | "gone" | "unknown";

/**
 * Asks the homeserver for the event of a link before its file is served, for redactions that never reached the bridge.
 * The client's bot must be in the room.
 */
export function eventPresence(client: Pick<MatrixClient, "getEvent">) {
  return async (room: RoomId, event: EventId, signal?: AbortSignal): Promise<EventPresence> => {
    const result = await client.getEvent(room, event, signal === undefined ? {} : { signal });
    // A bot that may not see the event cannot vouch for it, now or later.
    if (!result.ok) return result.failure.kind === "answered" && result.failure.status === 403 ? "gone" : "unknown";
    if (result.body === null) return "gone";
    const redacted =
      result.body.unsigned?.redacted_because !== undefined || Object.keys(result.body.content).length === 0;
    return redacted ? "gone" : "present";
  };
}
