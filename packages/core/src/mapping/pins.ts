import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";

/** A message that is pinned on both sides. */
export interface Pin {
  readonly remote: string;
  readonly event: string;
}

/** What is pinned in a room and in its channel, as far as the bridge had to do with it. */
export class Pins {
  constructor(readonly store: Store) {}

  of(channelKey: number, roomKey: number): Promise<readonly Pin[]> {
    return this.store.all<Pin>("SELECT remote, event FROM pin WHERE channel = ? AND room = ?", channelKey, roomKey);
  }

  add(channelKey: number, roomKey: number, { remote, event }: Pin): Write {
    return ["addPin", channelKey, roomKey, remote, event];
  }

  drop(channelKey: number, roomKey: number, remote: string): Write {
    return ["dropPin", channelKey, roomKey, remote];
  }
}

/** The events that a `m.room.pinned_events` lists. What is malformed is left out. */
export function pinnedIn(content: unknown): readonly string[] {
  const pinned: unknown = typeof content === "object" && content !== null && "pinned" in content ? content.pinned : [];
  return Array.isArray(pinned) ? pinned.filter((id): id is string => typeof id === "string") : [];
}
