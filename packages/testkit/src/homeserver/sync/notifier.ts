import type { Room } from "../rooms/room.js";

/** Wakes the `/sync` requests that wait for something to happen. */
export class Notifier {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when something happens for `userId`, after `timeoutMs`, or when `signal` aborts. */
  wait(userId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(userId) ?? new Set<() => void>();
      this.#waiting.set(userId, waiting);
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        waiting.delete(finish);
        if (waiting.size === 0) this.#waiting.delete(userId);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      signal.addEventListener("abort", finish);
      waiting.add(finish);
    });
  }

  wakeUser(userId: string): void {
    for (const finish of [...(this.#waiting.get(userId) ?? [])]) finish();
  }

  /** Wakes whoever has a membership in `room`. */
  wakeRoom(room: Room): void {
    if (this.#waiting.size === 0) return;
    for (const userId of [...this.#waiting.keys()]) {
      if (room.membership(userId) !== undefined) this.wakeUser(userId);
    }
  }

  wakeAll(): void {
    for (const userId of [...this.#waiting.keys()]) this.wakeUser(userId);
  }
}
