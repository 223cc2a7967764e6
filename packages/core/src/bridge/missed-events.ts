import type { MatrixEvent } from "../appservice/event.js";
import { RoomId } from "../connector/ids.js";
import { done, type Entry, type Verdict } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { MatrixFailure, MatrixResult } from "../matrix/result.js";
import type { AwaitedRooms } from "./awaited-rooms.js";
import { HeldRooms } from "./held-rooms.js";
import { pause } from "./pause.js";
import { lastHandedOver, roomsByActivity } from "./room-activity.js";
import { type Coming, RoomHistory } from "./room-history.js";
import type { BridgeRuntime } from "./runtime.js";
import { Slots } from "./slots.js";
import { verdictOf } from "./to-matrix/send.js";

/** Rooms looked through at once. */
const mostAtOnce = 8;
/** Of these, rooms from which nothing new comes; and the pause after each that was quiet of late: 20 a second. */
const sideBySide = 4;
const pauseMs = 200;
const againMs = 1_000;
const longestAgainMs = 10_000;
/** So often a room is tried whose history cannot be read for reasons of its own. */
const attempts = 3;
/** Longer than this nothing is held, whether its room could be looked through or not. */
const longestHoldMs = 60_000;
const waitForUpgradeMs = 5_000;

/** One occasion on which the homeserver may have lost events. */
interface Round {
  /** They were said after this, in milliseconds since 1970. */
  readonly since: number;
  readonly all: boolean;
  readonly why: string;
  readonly checked: Set<string>;
  found: number;
}

/**
 * Finds events that the homeserver accepted and never hands over: Synapse forgets those that still waited for an
 * application service when it was killed. When it was away, the histories of linked rooms are compared with the
 * journal: at once where something new comes from a room, the others in turn. Until a room was looked through its
 * events are held, so that the order stays.
 */
export class MissedEvents {
  readonly held: HeldRooms;
  readonly #history: RoomHistory;
  readonly #slots = new Slots(mostAtOnce);
  readonly #checks = new Map<string, Promise<MatrixFailure | undefined>>();
  readonly #stopping = new AbortController();
  #retryNow = new AbortController();
  #round: Round | undefined;
  #sweeping: Promise<void> | undefined;
  readonly #awaitingRecent: (() => void)[] = [];
  #begun = false;
  /** When this process began, in milliseconds since 1970. */
  readonly #startedAt: number;
  #lastTaken: number | undefined;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly awaited: AwaitedRooms,
    /** Decides what events are for, and journals them. */
    readonly take: (events: readonly MatrixEvent[], straight?: boolean) => Promise<void>,
  ) {
    this.held = new HeldRooms(runtime);
    this.#startedAt = runtime.clock.now();
    this.#history = new RoomHistory(runtime);
  }

  /** Before anything is taken. After an unclean end every room is looked through, else those with traffic of late. */
  async load(clean: boolean): Promise<void> {
    await this.held.load();
    this.#lastTaken = await lastHandedOver(this.runtime);
    this.suspect("Trestle was away", !clean);
  }

  /** The homeserver lets us in. Resolves when the rooms with traffic of late were looked through. */
  begin(): Promise<void> {
    this.#begun = true;
    const recentDone = new Promise<void>((resolve) => this.#awaitingRecent.push(resolve));
    this.#sweep();
    return recentDone;
  }

  /** Begins nothing more; what is held waits for the next start. */
  stop(): void {
    this.#stopping.abort();
    this.#retryNow.abort();
  }

  /** Resolves when nothing is under way any more. Call after `stop`, when requests have ended. */
  async ended(): Promise<void> {
    await this.#sweeping;
    await Promise.allSettled(this.#checks.values());
  }

  /** The homeserver may have lost events. `all`: in any room; else probably in one with traffic of late, if at all. */
  suspect(why: string, all: boolean): void {
    if (this.#stopping.signal.aborted) return;
    const since = Math.min(this.#lastTaken ?? this.runtime.clock.now(), this.#round?.since ?? Number.POSITIVE_INFINITY);
    const log = { reason: why };
    if (all) this.runtime.log.info(log, "The homeserver may have lost events: linked rooms are looked through");
    else
      this.runtime.log.debug(log, "The homeserver may have lost events: rooms with traffic of late are looked through");
    this.#round = {
      since,
      all: all || (this.#round?.all ?? false),
      why,
      checked: new Set(),
      found: this.#round?.found ?? 0,
    };
    if (this.#begun) this.#sweep();
  }

  /** The homeserver answers again. */
  back(): void {
    this.#retryNow.abort();
    this.#retryNow = new AbortController();
  }

  /** A transaction was taken. */
  taken(): void {
    this.#lastTaken = this.runtime.clock.now();
  }

  /** Nothing is held, and nothing has to be. */
  get quiet(): boolean {
    return this.#round === undefined && this.held.size === 0 && this.awaited.size === 0;
  }

  /** Whether an event must be held; then it counts as arriving. */
  async holds(event: MatrixEvent): Promise<boolean> {
    const room = event.room_id;
    // The bot's own way into a room it waits for.
    if (this.awaited.has(room) && event.state_key === this.runtime.bot) return false;
    if (!this.#mustHold(room)) return false;
    const concerned =
      this.awaited.has(room) || this.held.has(room) || (await this.runtime.links.ofRoom(room)).length > 0;
    if (!concerned || !this.#mustHold(room)) return false;
    this.held.arrive(room);
    return true;
  }

  /** What was to be held is on disk, or never will be. */
  arrived(rooms: readonly string[]): void {
    for (const room of rooms) this.held.arrived(room);
    for (const room of new Set(rooms)) this.release(room);
  }

  /** Looks through the room of a held event, then lets the event go its way. */
  async deliver(entry: Entry, event: MatrixEvent): Promise<Verdict> {
    const room = RoomId(event.room_id);
    if (this.awaited.has(room)) {
      return {
        verdict: "retry",
        reason: "the room takes the place of another, to which the bridge has still to follow",
        transport: true,
        afterMs: waitForUpgradeMs,
      };
    }
    const failure = await this.#ensureChecked(room);
    if (failure) {
      if (this.#mayWait(entry)) return { verdict: "retry", reason: failure.message, transport: true };
      this.runtime.log.warn(
        { room, failure },
        "A room could not be looked through for lost events in time; what is new in it goes on",
      );
    }
    if (!(await this.#history.isTaken(room, event))) await this.take([event]);
    return done([], () => this.release(room));
  }

  /**
   * Before something is written into a room: what the homeserver lost may be that the room is encrypted now. `undefined`
   * where there is nothing to look for; resolves to a verdict where that cannot be known yet.
   */
  beforeWriting(entry: Entry, room: RoomId): Promise<Verdict | undefined> | undefined {
    return this.#round && this.#look(entry, room);
  }

  async #look(entry: Entry, room: RoomId): Promise<Verdict | undefined> {
    const failure = await this.#ensureChecked(room);
    if (!failure || !this.#mayWait(entry)) return undefined;
    return { verdict: "retry", reason: failure.message, transport: true };
  }

  /** While the bridge was away nobody could look. */
  #mayWait({ at }: Entry): boolean {
    return this.runtime.clock.now() - Math.max(at, this.#startedAt) < longestHoldMs;
  }

  /** Takes what was said in a room before the bridge came to it. */
  async readWhole(room: RoomId): Promise<MatrixResult<undefined>> {
    const unknown = await this.#history.unknown(room, 0, true);
    if (!unknown.ok) return unknown;
    await this.take(unknown.body.events, true);
    return { ok: true, body: undefined };
  }

  /**
   * Takes what was said to somebody of ours before they came: clients say the first thing at once. Resolves to a verdict
   * where that cannot be read now.
   */
  async readBeforeComing(room: RoomId, coming: Coming): Promise<Verdict | undefined> {
    const said = await this.#history.beforeComing(room, coming);
    if (said.ok) await this.take(said.body, true);
    else if (classify(said.failure).action === "retry") return verdictOf(said.failure);
    else this.runtime.log.debug({ room, failure: said.failure }, "What was said before we came cannot be read");
    return undefined;
  }

  release(room: string): void {
    if (this.awaited.has(room) || (this.#round && !this.#round.checked.has(room))) return;
    this.held.release(room).catch((error: unknown) => {
      this.runtime.log.error(
        { err: error, room },
        "Whether events of a room are held cannot be read; they go on being held",
      );
    });
  }

  #mustHold(room: string): boolean {
    return (
      this.awaited.has(room) || this.held.has(room) || (this.#round !== undefined && !this.#round.checked.has(room))
    );
  }

  /** Looks through a room unless that was done since the last occasion. Resolves to why it cannot be done now. */
  async #ensureChecked(room: RoomId): Promise<MatrixFailure | undefined> {
    for (;;) {
      const round = this.#round;
      // A room that takes the place of another is read whole when the bridge follows.
      if (!round || round.checked.has(room) || this.awaited.has(room)) return undefined;
      if (this.#stopping.signal.aborted) return { kind: "unanswered", applied: "no", message: "Trestle is stopping" };
      let running = this.#checks.get(room);
      if (!running) {
        // By its turn there may have been another occasion.
        running = this.#slots
          .run(() => this.#check(room, this.#round ?? round))
          .finally(() => this.#checks.delete(room));
        this.#checks.set(room, running);
      }
      const failure = await running;
      if (failure) return failure;
    }
  }

  async #check(room: RoomId, round: Round): Promise<MatrixFailure | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const unknown = await this.#history.unknown(room, round.since, false);
      if (unknown.ok && this.awaited.has(room)) return undefined;
      if (unknown.ok) {
        if (unknown.body.events.length > 0) await this.take(unknown.body.events);
        this.#found(round, unknown.body.missed);
        break;
      }
      const { action, transport } = classify(unknown.failure);
      if (action === "retry" && transport) return unknown.failure;
      if (action !== "retry" || attempt === attempts) {
        this.runtime.log.debug(
          { room, failure: unknown.failure },
          "The history of a room cannot be read: what the homeserver lost of it stays lost",
        );
        break;
      }
    }
    round.checked.add(room);
    if (this.#round === round) this.release(room);
    return undefined;
  }

  #found(round: Round, count: number): void {
    round.found += count;
    this.runtime.metrics.missedEvents(this.runtime.name, count);
  }

  /** Goes through the rooms of one round after the other. */
  #sweep(): void {
    this.#sweeping ??= this.#sweepRounds().finally(() => {
      this.#sweeping = undefined;
      this.#tellRecentDone();
    });
  }

  async #sweepRounds(): Promise<void> {
    for (let round = this.#round; round !== undefined && this.#isCurrent(round); round = this.#round) {
      try {
        await this.#sweepRound(round);
      } catch (error) {
        this.runtime.log.error({ err: error }, "Linked rooms could not be looked through for lost events; tried again");
        await pause(this.runtime.clock, longestAgainMs, this.#stopping.signal);
      }
    }
  }

  /** Those with traffic of late come first. */
  async #sweepRound(round: Round): Promise<void> {
    const { recent, others } = await roomsByActivity(this.runtime);
    await this.#sweepRooms(round, recent, 0);
    if (this.#isCurrent(round)) this.#tellRecentDone();
    if (round.all) await this.#sweepRooms(round, others, pauseMs);
    if (!this.#isCurrent(round)) return;
    this.#round = undefined;
    for (const room of this.held.rooms()) this.release(room);
    if (round.found > 0) {
      this.runtime.log.info(
        { events: round.found, reason: round.why },
        "Found events that the homeserver had accepted and not handed over",
      );
    }
  }

  #tellRecentDone(): void {
    for (const resolve of this.#awaitingRecent.splice(0)) resolve();
  }

  async #sweepRooms(round: Round, rooms: readonly RoomId[], pauseAfter: number): Promise<void> {
    const { clock } = this.runtime;
    const queue = rooms.values();
    const workers = Array.from({ length: sideBySide }, async () => {
      for (const room of queue) {
        for (let wait = againMs; this.#isCurrent(round); wait = Math.min(wait * 2, longestAgainMs)) {
          if ((await this.#ensureChecked(room)) === undefined) break;
          await pause(clock, wait, this.#retryNow.signal);
        }
        if (pauseAfter > 0 && this.#isCurrent(round)) await pause(clock, pauseAfter, this.#stopping.signal);
      }
    });
    await Promise.all(workers);
  }

  #isCurrent(round: Round): boolean {
    return this.#round === round && !this.#stopping.signal.aborted;
  }
}
