import { LRUCache } from "lru-cache";
import { RoomId, UserId } from "../connector/ids.js";
import { backoff } from "../delivery/backoff.js";
import { atMost } from "../mapping/cache-bound.js";
import { classify } from "../matrix/failure.js";
import type { MatrixFailure, MatrixResult } from "../matrix/result.js";
import type { Write } from "../store/writes.js";
import type { Ghost } from "./ghosts.js";
import type { BridgeRuntime } from "./runtime.js";
import { TurnsByKey } from "./turns-by-key.js";

interface PendingRow {
  readonly room: number;
  readonly roomId: string;
  readonly ghost: number;
  readonly user: string;
  readonly desired: number;
  readonly attempts: number;
  readonly reason: string | null;
}

const inFlightLimit = 2;
const page = 50;
const attemptsLimit = 12;

/**
 * In which rooms ghosts are. A message pulls its ghost's join forward; every other join and leave is a wish on disk
 * that is fulfilled in its own time, a few at once, so that a storm of joins delays no message, and a join that is
 * followed by a leave costs nothing.
 */
export class Memberships {
  readonly #joined = new LRUCache<string, true>(atMost(50_000));
  /** Wished out a moment ago; the wish may not be on disk yet. */
  readonly #leaving = new LRUCache<string, true>(atMost(50_000));
  /** One change at a time for a ghost in a room. */
  readonly #changes = new TurnsByKey<string>();
  #cancel: (() => void) | undefined;
  #scanning = false;
  #again = false;
  #stopped = false;

  constructor(readonly runtime: BridgeRuntime) {}

  /** Known to be in the room, and not on its way out. */
  isJoined(roomKey: number, ghost: Ghost): boolean {
    const key = `${roomKey}|${ghost.key}`;
    return this.#joined.has(key) && !this.#leaving.has(key);
  }

  /** Joins a ghost now, where it is not in the room already. Costs no request where it is. */
  async ensureJoined(roomKey: number, room: RoomId, ghost: Ghost): Promise<MatrixResult<undefined>> {
    const key = `${roomKey}|${ghost.key}`;
    if (!this.#leaving.has(key) && (this.#joined.has(key) || (await this.#isIn(roomKey, ghost.key))))
      return { ok: true, body: undefined };
    return this.#changes.run(key, async () => {
      if (this.#joined.has(key) && !this.#leaving.has(key)) return { ok: true, body: undefined };
      const joined = await this.#join(room, ghost.user);
      if (!joined.ok) return joined;
      await this.runtime.store.commit([["isMember", roomKey, ghost.key, 1]]);
      this.#leaving.delete(key);
      this.#joined.set(key, true);
      return { ok: true, body: undefined };
    });
  }

  /** A ghost has joined a room otherwise. */
  async entered(room: RoomId, user: UserId): Promise<void> {
    const { rooms, store, key } = this.runtime;
    const ghost = await store.get<{ readonly id: number }>(
      "SELECT id FROM ghost WHERE user = ? AND bridge = ?",
      user,
      key,
    );
    if (ghost) await store.commit([["isMember", (await rooms.ensure(room)).key, ghost.id, 1]]);
  }

  /** Whether the ghost is in the room, or is to be. */
  async isWanted(roomKey: number, ghost: Ghost): Promise<boolean> {
    if (this.#joined.has(`${roomKey}|${ghost.key}`)) return true;
    const row = await this.#row(roomKey, ghost.key);
    return row !== undefined && (row.actual === 1 || row.desired === 1);
  }

  /** Wishes a ghost in or out of a room; commit the writes, then call `hurry`. */
  want(roomKey: number, ghost: Ghost, inRoom: boolean, reason?: string): Write[] {
    const key = `${roomKey}|${ghost.key}`;
    if (inRoom) this.#leaving.delete(key);
    else this.#leaving.set(key, true);
    return [["wantMembership", roomKey, ghost.key, inRoom ? 1 : 0, reason ?? null]];
  }

  /** The wishes for a room have changed on disk. */
  reconsider(roomKey: number): void {
    const prefix = `${roomKey}|`;
    for (const cache of [this.#joined, this.#leaving])
      for (const key of [...cache.keys()]) if (key.startsWith(prefix)) cache.delete(key);
    this.hurry();
  }

  /** The homeserver says that the ghost is out (kicked, or its state was lost). */
  async left(roomKey: number, ghost: Ghost): Promise<void> {
    this.#joined.delete(`${roomKey}|${ghost.key}`);
    await this.runtime.store.commit([["isMember", roomKey, ghost.key, 0]]);
  }

  /** Looks for wishes to fulfil. */
  hurry(): void {
    if (this.#stopped) return;
    if (this.#scanning) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    this.#cancel = undefined;
    this.#scanning = true;
    void this.#scan()
      .catch((error: unknown) => {
        this.runtime.log.error({ err: error }, "Joins and leaves could not be looked up; they are tried again");
        this.#again = true;
      })
      .finally(() => {
        this.#scanning = false;
        if (this.#again && !this.#stopped) {
          this.#again = false;
          this.#cancel?.();
          this.#cancel = this.runtime.clock.after(20, () => this.hurry());
        }
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#changes.ended();
  }

  async #scan(): Promise<void> {
    const now = this.runtime.clock.now();
    const rows = await this.runtime.store.all<PendingRow>(
      "SELECT m.room AS room, r.room AS roomId, m.ghost AS ghost, g.user AS user, m.desired AS desired, m.attempts AS attempts, m.reason AS reason FROM membership m JOIN ghost g ON g.id = m.ghost JOIN room r ON r.id = m.room WHERE m.desired <> m.actual AND m.next_at <= ? AND g.bridge = ? ORDER BY m.next_at LIMIT ?",
      now,
      this.runtime.key,
      page,
    );
    const wishes = rows.values();
    const workers = Array.from({ length: inFlightLimit }, async () => {
      for (const wish of wishes) {
        if (this.#stopped) return;
        await this.#changes.run(`${wish.room}|${wish.ghost}`, () => this.#fulfil(wish));
      }
    });
    await Promise.all(workers);
    if (rows.length === page) this.#again = true;
    else await this.#sleep();
  }

  async #sleep(): Promise<void> {
    const next = await this.runtime.store.get<{ at: number | null }>(
      "SELECT min(m.next_at) AS at FROM membership m JOIN ghost g ON g.id = m.ghost WHERE m.desired <> m.actual AND g.bridge = ?",
      this.runtime.key,
    );
    if (next?.at == null || this.#stopped) return;
    this.#cancel = this.runtime.clock.after(Math.max(50, next.at - this.runtime.clock.now()), () => this.hurry());
  }

  async #fulfil(wish: PendingRow): Promise<void> {
    const { runtime } = this;
    const key = `${wish.room}|${wish.ghost}`;
    const room = RoomId(wish.roomId);
    const user = UserId(wish.user);
    const current = await this.#row(wish.room, wish.ghost);
    if (!current || current.desired === current.actual) return;
    const wanted = current.desired === 1;
    if (!wanted) this.#joined.delete(key);
    const result = wanted
      ? await this.#join(room, user)
      : await runtime.client.leave(room, { asUser: user, ...(wish.reason !== null && { reason: wish.reason }) });
    if (result.ok || (!wanted && isGone(result.failure))) {
      await runtime.store.commit([["actualMembership", wanted ? 1 : 0, wish.room, wish.ghost]]);
      if (wanted) this.#joined.set(key, true);
      return;
    }
    const { action, afterMs, transport } = classify(result.failure);
    if (action !== "retry" || (!transport && wish.attempts >= attemptsLimit)) {
      runtime.log.warn(
        { room, user, wanted, failure: result.failure },
        "A ghost's membership could not be changed; given up",
      );
      await runtime.store.commit([["membershipGivenUp", wish.room, wish.ghost]]);
      return;
    }
    const wait = backoff(wish.attempts + 1, runtime.global.delivery, afterMs);
    await runtime.store.commit([["membershipFailed", runtime.clock.now() + wait, wish.room, wish.ghost]]);
  }

  /** Joins; where the room wants an invite, the bot gives one. */
  async #join(room: RoomId, user: UserId): Promise<MatrixResult<unknown>> {
    const { client } = this.runtime;
    const joined = await client.joinRoom(room, { asUser: user });
    if (joined.ok || joined.failure.kind !== "answered" || joined.failure.status !== 403) return joined;
    const invited = await client.invite(room, user);
    if (!invited.ok) return classify(invited.failure).action === "retry" ? invited : joined;
    return client.joinRoom(room, { asUser: user });
  }

  async #isIn(roomKey: number, ghostKey: number): Promise<boolean> {
    const row = await this.#row(roomKey, ghostKey);
    if (row?.actual !== 1 || row.desired !== 1) return false;
    this.#joined.set(`${roomKey}|${ghostKey}`, true);
    return true;
  }

  #row(roomKey: number, ghostKey: number): Promise<{ readonly actual: number; readonly desired: number } | undefined> {
    return this.runtime.store.get(
      "SELECT actual, desired FROM membership WHERE room = ? AND ghost = ?",
      roomKey,
      ghostKey,
    );
  }
}

function isGone(failure: MatrixFailure): boolean {
  if (failure.kind !== "answered" || classify(failure).action === "retry") return false;
  return failure.status === 403 || failure.status === 404;
}
