import type { JsonObject } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import { clientEvent } from "../rooms/event.js";
import { usualPatienceMs } from "../../patience.js";
import type { World } from "../world.js";

export interface EventWaitOptions {
  /** 5000, times `TRESTLE_PATIENCE`, where absent. */
  readonly timeoutMs?: number;
  /** Only events of this room. */
  readonly roomId?: string;
  /** Only events to come, not those that are there. */
  readonly future?: boolean;
  /** Named in the error where nothing comes. */
  readonly what?: string;
}

/** Waits for events, without polling. */
export class EventWaiters {
  readonly #cancel = new Set<(reason: string) => void>();

  constructor(private readonly world: World) {}

  waitFor(predicate: (event: JsonObject) => boolean, options: EventWaitOptions): Promise<JsonObject> {
    const { timeoutMs = usualPatienceMs, roomId, future = false, what = "an event" } = options;
    const meets = (event: StoredEvent): JsonObject | undefined => {
      if (roomId !== undefined && event.roomId !== roomId) return undefined;
      const body = clientEvent(event);
      return predicate(body) ? body : undefined;
    };
    const present = future ? undefined : this.#present(meets);
    if (present !== undefined) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.world.eventListeners.delete(listener);
        this.#cancel.delete(cancel);
      };
      const cancel = (reason: string): void => {
        finish();
        reject(new Error(`waited for ${what}: ${reason}`));
      };
      const listener = (event: StoredEvent): void => {
        try {
          const body = meets(event);
          if (body === undefined) return;
          finish();
          resolve(body);
        } catch (error) {
          finish();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => cancel(`nothing within ${timeoutMs} ms`), timeoutMs);
      this.world.eventListeners.add(listener);
      this.#cancel.add(cancel);
    });
  }

  /** Rejects whoever waits. */
  close(): void {
    for (const cancel of [...this.#cancel]) cancel("the homeserver stopped");
  }

  #present(meets: (event: StoredEvent) => JsonObject | undefined): JsonObject | undefined {
    for (const room of this.world.rooms.rooms.values()) {
      for (const event of room.events) {
        const body = meets(event);
        if (body !== undefined) return body;
      }
    }
    return undefined;
  }
}
