import { toNetwork } from "../delivery/entry.js";
import { heldLane } from "./room-history.js";
import type { BridgeRuntime } from "./runtime.js";

/**
 * Rooms whose events wait in a lane of their own, durably, until the room was looked through: what is missing goes
 * before them. Other rooms go on, and the homeserver has its answer.
 */
export class HeldRooms {
  readonly #held = new Set<string>();
  /** Events that are to be held and are not on disk yet, by room. */
  readonly #arriving = new Map<string, number>();
  /** Which of all arrivals was the last one in a room. */
  readonly #lastArrival = new Map<string, number>();
  #arrivals = 0;

  constructor(readonly runtime: BridgeRuntime) {}

  get size(): number {
    return this.#held.size;
  }

  has(room: string): boolean {
    return this.#held.has(room);
  }

  rooms(): readonly string[] {
    return [...this.#held];
  }

  /** An event of the room is about to be held; call `arrived` when it is on disk, or never will be. */
  arrive(room: string): void {
    this.#held.add(room);
    this.#arrivals += 1;
    this.#lastArrival.set(room, this.#arrivals);
    this.#arriving.set(room, (this.#arriving.get(room) ?? 0) + 1);
  }

  arrived(room: string): void {
    const left = (this.#arriving.get(room) ?? 1) - 1;
    if (left > 0) this.#arriving.set(room, left);
    else this.#arriving.delete(room);
  }

  /** Lets the room go where nothing of it waits any more. */
  async release(room: string): Promise<void> {
    if (!this.#held.has(room) || this.#arriving.has(room)) return;
    const { store, key } = this.runtime;
    const before = this.#lastArrival.get(room);
    await store.commit([["unpack"]]);
    const waiting = await store.get(
      "SELECT 1 FROM journal WHERE state < 2 AND direction = ? AND bridge = ? AND lane = ? LIMIT 1",
      toNetwork,
      key,
      heldLane(room),
    );
    // What has come since was perhaps not to be seen on the disk; when it has gone its way it is looked again.
    if (waiting || this.#arriving.has(room) || this.#lastArrival.get(room) !== before) return;
    this.#held.delete(room);
    this.#lastArrival.delete(room);
  }

  /** After a restart: what waited is still held. */
  async load(): Promise<void> {
    const { store, key } = this.runtime;
    const prefix = heldLane("");
    const rows = await store.all<{ lane: string }>(
      "SELECT DISTINCT lane FROM journal WHERE state < 2 AND direction = ? AND bridge = ? AND lane >= ? AND lane < ?",
      toNetwork,
      key,
      `${prefix}!`,
      `${prefix}"`,
    );
    for (const { lane } of rows) this.#held.add(lane.slice(prefix.length));
  }
}
