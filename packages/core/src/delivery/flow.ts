import type { Logger } from "../log/logger.js";
import { StoreError, type Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { Aftermath } from "./aftermath.js";
import type { BackoffOptions } from "./backoff.js";
import type { Clock } from "./clock.js";
import type { DirectionCode, Entry, Verdict } from "./entry.js";
import { Gathering } from "./gathering.js";
import { Isolation } from "./isolation.js";
import { StoredEntries } from "./stored-entries.js";
import { Lane, type Budget, type LaneItem, type NewItem } from "./lane.js";

export interface FlowOptions {
  readonly bridge: number;
  readonly direction: DirectionCode;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly budget: Budget;
  /** How many lanes work at once. */
  readonly concurrency: number;
  /** How often an entry is tried that fails for a reason other than an unreachable target. */
  readonly attempts: number;
  readonly backoff: BackoffOptions;
  /**
   * How many entries of a lane may be delivered before the first of them is marked on disk. 0 where a repetition could
   * not be recognised: then at most one entry a lane is ever in doubt.
   */
  readonly unmarkedLimit: () => number;
  /** Runs one attempt. What it throws is logged and tried again. */
  readonly handle: (entry: Entry) => Promise<Verdict>;
  /** What an entry under suspicion waits for before it is worked on; resolves to a verdict where it cannot have that yet. */
  readonly ready?: (entry: Entry) => Promise<Verdict | undefined>;
  readonly onDead?: (entry: Entry, reason: string) => void;
  readonly observe?: FlowObserver;
  /** Treat the entries that were under way when the process died with suspicion: it died several times in a row. */
  readonly isolate: boolean;
}

export interface FlowObserver {
  delivered(waitedMs: number): void;
  retried(): void;
  died(): void;
}

const window = 64;
const itemsInMemory = 2_048;

/** One direction of one bridge: its lanes, each in order, all side by side up to `concurrency`. */
export class Flow {
  readonly #lanes = new Map<string, Lane>();
  readonly #ready: Lane[] = [];
  readonly #isolation: Isolation;
  readonly #stored: StoredEntries;
  readonly #aftermath: Aftermath;
  readonly #gathering = new Gathering(() => this.#pump());
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(readonly options: FlowOptions) {
    this.#isolation = new Isolation(options.store);
    this.#stored = new StoredEntries(options.store, options.direction, options.bridge);
    this.#aftermath = new Aftermath(options, (lane) => {
      if (lane.state === "idle" && lane.isEmpty) this.#lanes.delete(lane.key);
      this.#settleIdle();
    });
  }

  /** Entries that are not delivered yet. */
  get open(): number {
    return this.#aftermath.open;
  }

  get delivered(): number {
    return this.#aftermath.delivered;
  }

  get deadCount(): number {
    return this.#aftermath.dead;
  }

  /** Dead letters came to be elsewhere, or an operator took some away. */
  countDead(by: number): void {
    this.#aftermath.dead = Math.max(0, this.#aftermath.dead + by);
  }

  /** When the oldest entry that is not delivered was journaled, in milliseconds since 1970. */
  async oldestAt(): Promise<number | undefined> {
    let oldest = Number.POSITIVE_INFINITY;
    let onDisk = false;
    for (const lane of this.#lanes.values()) {
      const first = lane.items[0];
      if (first) oldest = Math.min(oldest, first.at);
      else onDisk ||= lane.more;
    }
    if (onDisk) oldest = Math.min(oldest, (await this.#stored.oldestAt()) ?? oldest);
    return Number.isFinite(oldest) ? oldest : undefined;
  }

  /** Whether anything of a lane that was journaled before `seq` is not delivered, or delivered and not on disk yet. */
  isBusyBefore(laneKey: string, seq: number): boolean {
    const lane = this.#lanes.get(laneKey);
    if (!lane) return false;
    const oldest = lane.marking[0] ?? lane.items[0]?.seq ?? (lane.more ? lane.last : undefined);
    return oldest !== undefined && oldest < seq;
  }

  /** Whether anything of a lane is not delivered, or delivered and not on disk yet. */
  has(laneKey: string): boolean {
    return this.#lanes.has(laneKey);
  }

  get laneCount(): number {
    return this.#lanes.size;
  }

  /** Lanes whose next entry waits for another attempt. */
  get waitingLanes(): number {
    return [...this.#lanes.values()].filter(({ state }) => state === "waiting").length;
  }

  /** Whether something waits that may have been sent, and of which the disk may not say so. */
  get inDoubt(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.isInDoubt);
  }

  /** Whether any lane waits because the target cannot be reached. */
  get unreachable(): boolean {
    return [...this.#lanes.values()].some(({ unreachable }) => unreachable === true);
  }

  /** Takes up what an earlier process left. `clean` when that one ended in good order, so that nothing is in doubt. */
  async resume(clean: boolean): Promise<void> {
    const rows = await this.#stored.lanes();
    for (const row of rows) {
      const lane = this.#lane(row.lane);
      lane.more = true;
      lane.recoveredUpTo = row.newest;
      lane.inDoubt = clean ? 0 : this.options.unmarkedLimit() + 1;
      this.#aftermath.open += row.count;
      this.#makeReady(lane);
    }
    this.#aftermath.dead = await this.#stored.deadCount();
  }

  /** Takes an entry that has just been committed. Must be called in the order of the commits. */
  offer(laneKey: string, item: NewItem): void {
    this.#aftermath.open += 1;
    const lane = this.#lane(laneKey);
    // While entries are read from the disk, this one may have come too late for it.
    if (lane.more) lane.missed = true;
    if (item.seq > lane.last && !lane.more) {
      if (lane.items.length < itemsInMemory && this.options.budget.take(item.bytes)) {
        lane.add(item);
      } else {
        lane.more = true;
      }
    }
    if (this.#queue(lane)) this.#gathering.came();
  }

  /** Looks again at a lane whose entries changed on disk (a replay). */
  refresh(laneKey: string, added: number): void {
    this.#aftermath.open += added;
    this.countDead(-added);
    const lane = this.#lane(laneKey);
    lane.more = true;
    this.#makeReady(lane);
  }

  /**
   * Moves what waits in one lane to another, before everything newer there (a room was replaced by another). Waits for
   * what is under way in both.
   *
   * @param commit commits the move together with what makes it one; where it throws, nothing has moved
   */
  async relane(from: string, to: string, commit: (move: Write) => Promise<unknown>): Promise<void> {
    const lanes = [this.#lane(from), this.#lane(to)] as const;
    for (const lane of lanes) lane.frozen = true;
    try {
      while (lanes.some((lane) => lane.state === "running" || lane.unmarked > 0))
        await new Promise<void>((resolve) => this.#idle.push(resolve));
      await commit(["relane", to, from, this.options.bridge, this.options.direction]);
    } catch (error) {
      for (const lane of lanes) this.#thaw(lane);
      throw error;
    }
    for (const lane of lanes) this.#forget(lane);
    const lane = this.#lane(to);
    lane.more = true;
    lane.recoveredUpTo = Number.MAX_SAFE_INTEGER;
    lane.inDoubt = this.options.unmarkedLimit() + 1;
    this.#makeReady(lane);
  }

  #forget(lane: Lane): void {
    lane.cancelTimer?.();
    for (const item of lane.items) this.options.budget.give(item.bytes);
    this.#lanes.delete(lane.key);
    const at = this.#ready.indexOf(lane);
    if (at >= 0) this.#ready.splice(at, 1);
  }

  #thaw(lane: Lane): void {
    lane.frozen = false;
    if (lane.isEmpty) this.#forget(lane);
    else if (lane.state === "idle" || lane.state === "waiting") this.#unblock(lane);
  }

  /** The target answers again, or (`only`) the source does: lanes that waited for it go on at once. */
  wake(only?: "source"): void {
    for (const lane of this.#lanes.values())
      if (lane.state === "waiting" && lane.unreachable && lane.unreachable === (only ?? lane.unreachable))
        this.#unblock(lane);
  }

  /** Starts nothing more, and resolves when what is under way has ended and is marked. */
  async stop(): Promise<void> {
    this.#aftermath.isStopping = true;
    this.#gathering.end();
    for (const lane of this.#lanes.values()) lane.cancelTimer?.();
    while (this.#busy()) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when every lane is empty or waits for another attempt, or `deadline` resolves. */
  async drain(deadline: Promise<void>): Promise<void> {
    const waiting = { over: false };
    void deadline.then(() => {
      waiting.over = true;
      this.#settleIdle();
    });
    while (!waiting.over && (this.#ready.length > 0 || this.#busy())) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #busy(): boolean {
    if (this.#running > 0) return true;
    for (const lane of this.#lanes.values()) if (lane.unmarked > 0) return true;
    return false;
  }

  /** Whoever waits for something to end looks again. */
  #settleIdle(): void {
    if (this.#idle.length === 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #makeReady(lane: Lane): void {
    if (this.#queue(lane)) this.#pump();
  }

  /** Whether it has become ready. */
  #queue(lane: Lane): boolean {
    if (lane.state !== "idle" || lane.frozen) return false;
    lane.state = "ready";
    this.#ready.push(lane);
    return true;
  }

  #pump(): void {
    while (!this.#aftermath.isStopping && this.#running < this.options.concurrency) {
      const lane = this.#ready.shift();
      if (!lane) return;
      if (lane.frozen) {
        lane.state = "idle";
        continue;
      }
      lane.state = "running";
      this.#running += 1;
      this.#turn(lane);
    }
  }

  /** One entry of one lane; then the lane goes to the end of the queue, so that a busy room starves nobody. */
  #turn(lane: Lane): void {
    const item = lane.items[0];
    if (!item || this.#isSuspect(item)) {
      void this.#slowTurn(lane);
      return;
    }
    // Every entry passes here: promises are chained by hand where an async function would make several more.
    this.#handle(item).then(
      (verdict) => {
        if (verdict.verdict === "done" && lane.unmarked < this.options.unmarkedLimit()) {
          this.#aftermath.succeed(lane, item, verdict);
          this.#endTurn(lane, undefined);
        } else void this.#conclude(lane, item, verdict);
      },
      (error: unknown) => {
        this.#failTurn(lane, error);
      },
    );
  }

  #isSuspect(item: LaneItem): boolean {
    return this.options.isolate && item.recovered && item.maybeSent;
  }

  async #slowTurn(lane: Lane): Promise<void> {
    try {
      if (lane.items.length === 0 && lane.more) await this.#load(lane);
      const item = lane.items[0];
      if (!item) this.#endTurn(lane, undefined);
      else {
        await this.#conclude(lane, item, await (this.#isSuspect(item) ? this.#alone(item) : this.#handle(item)));
      }
    } catch (error) {
      this.#failTurn(lane, error);
    }
  }

  async #alone(item: LaneItem): Promise<Verdict> {
    const notYet = await this.options.ready?.(item);
    return notYet ?? this.#isolation.run(item, item.strikes, () => this.#handle(item));
  }

  /** Does what the verdict says, and ends the turn. Never rejects. */
  async #conclude(lane: Lane, item: LaneItem, verdict: Verdict): Promise<void> {
    try {
      this.#endTurn(lane, await this.#aftermath.obey(lane, item, verdict));
    } catch (error) {
      this.#failTurn(lane, error);
    }
  }

  #failTurn(lane: Lane, error: unknown): void {
    this.options.log.error({ err: error, lane: lane.key }, "A lane could not go on; it tries again");
    this.#endTurn(lane, this.options.backoff.retryMin);
  }

  #endTurn(lane: Lane, waitMs: number | undefined): void {
    this.#running -= 1;
    this.#after(lane, waitMs);
    this.#pump();
    this.#settleIdle();
  }

  #after(lane: Lane, waitMs: number | undefined): void {
    if (lane.frozen) {
      lane.state = "idle";
    } else if (waitMs !== undefined && !this.#aftermath.isStopping) {
      lane.state = "waiting";
      lane.cancelTimer = this.options.clock.after(waitMs, () => this.#unblock(lane));
    } else if (lane.items.length > 0 || lane.more) {
      lane.state = "ready";
      this.#ready.push(lane);
    } else {
      lane.state = "idle";
      if (lane.isEmpty) this.#lanes.delete(lane.key);
    }
  }

  #unblock(lane: Lane): void {
    if (lane.frozen) return;
    lane.cancelTimer?.();
    lane.cancelTimer = undefined;
    lane.state = "ready";
    this.#ready.push(lane);
    this.#pump();
  }

  async #load(lane: Lane): Promise<void> {
    lane.missed = false;
    const rows = await this.#stored.after(lane.key, lane.last, window);
    lane.more = rows.length === window || lane.missed;
    for (const row of rows) this.options.budget.force(lane.addStored(row));
  }

  /** One attempt; never rejects, and never throws. */
  #handle(entry: Entry): Promise<Verdict> {
    try {
      return this.options.handle(entry).catch((error: unknown) => this.#unexpected(entry, error));
    } catch (error) {
      return Promise.resolve(this.#unexpected(entry, error));
    }
  }

  #unexpected(entry: Entry, error: unknown): Verdict {
    this.options.log.error(
      { err: error, lane: entry.lane, source: entry.source },
      "Delivering an entry failed unexpectedly",
    );
    const reason = error instanceof Error ? error.message : String(error);
    // That the disk refuses is not the entry's fault.
    const outage = error instanceof StoreError && error.isOutage && { transport: "source" as const };
    return { verdict: "retry", reason: `unexpected failure: ${reason}`, maybeSent: true, ...outage };
  }
}
