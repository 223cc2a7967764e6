import type { JsonObject } from "../json.js";
import { clientEvent } from "../rooms/event.js";
import type { Membership, Room } from "../rooms/room.js";
import { membershipOf } from "../rooms/room.js";

/** A room seen from inside the server: no membership and no visibility stand in the way. */
export class RoomDoor {
  constructor(private readonly room: Room) {}

  get id(): string {
    return this.room.id;
  }

  get version(): string {
    return this.room.version;
  }

  /** Number of events. */
  get length(): number {
    return this.room.events.length;
  }

  /** All events in order, in the form of the Client-Server API; redacted ones pruned. */
  timeline(): JsonObject[] {
    return this.room.events.map((event) => clientEvent(event));
  }

  /** The events of one type, `m.room.message` by default, in order. */
  messages(type = "m.room.message"): JsonObject[] {
    return this.room.events.filter((event) => event.type === type).map((event) => clientEvent(event));
  }

  /** A state event, `undefined` where the room has none. */
  state(type: string, stateKey = ""): JsonObject | undefined {
    const event = this.room.state(type, stateKey);
    return event === undefined ? undefined : clientEvent(event);
  }

  /** Memberships by user id. */
  members(): Record<string, Membership> {
    const members: Record<string, Membership> = {};
    for (const [userId, event] of this.room.stateOfType("m.room.member")) {
      members[userId] = membershipOf(event.content) ?? "leave";
    }
    return members;
  }

  /** User ids that are joined. */
  joined(): string[] {
    return [...this.room.joined];
  }

  /** Users who are typing. */
  typing(): string[] {
    return [...this.room.typing.keys()];
  }

  /** Event id of the latest receipt of `userId`. */
  receipt(userId: string, type = "m.read"): string | undefined {
    return this.room.receipts.get(type)?.get(userId)?.eventId;
  }
}
