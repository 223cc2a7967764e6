import type { CancelTimer, Clock } from "../clock.js";
import { Deque } from "../deque.js";
import type { Faults } from "../faults/faults.js";
import type { JsonObject } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import type { ServiceAnswer, ServiceClient } from "./client.js";
import { NoAnswerError } from "./client.js";
import type { AppService } from "./service.js";
import type { DeviceExtras, Transaction, TransactionContent } from "./transaction.js";
import { onlyEvents, transactionBody, transactionId } from "./transaction.js";
import { Waiting } from "./waiting.js";

const MAX_WAITING_EPHEMERAL = 10_000;

/** What the pusher works with besides the application service itself. */
export interface PusherTools {
  readonly client: ServiceClient;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly extras: DeviceExtras;
}

/**
 * Pushes transactions to one application service, one at a time. How they are named, cut, retried and what happens
 * while it does not answer is for the fault switches, and so for the profile, to say.
 */
export class TransactionPusher {
  readonly #events = new Deque<StoredEvent>();
  readonly #ephemeral = new Deque<JsonObject>();
  readonly #toDevice = new Deque<JsonObject>();
  readonly #changedDevices = new Set<string>();
  readonly #made = new Deque<Transaction>();
  readonly #waiting = new Waiting();
  #nextId = 1;
  /** Accepted transactions that come once more after the next one. */
  readonly #late: Transaction[] = [];
  #down = false;
  #failures = 0;
  #running = false;
  #stopped = false;
  #retryTimer: CancelTimer | undefined;
  #retryAt: number | undefined;
  /** A failed transaction waits until something new is queued. */
  #held = false;
  #abort = new AbortController();
  #scheduled: NodeJS.Immediate | undefined;
  #run = Promise.resolve();
  #accepted = 0;

  constructor(
    private readonly service: AppService,
    private readonly tools: PusherTools,
  ) {}

  /** Transactions made and not yet accepted, plus one where events still wait to be put into one. */
  get pending(): number {
    return this.#made.length + (this.#queued > 0 ? 1 : 0);
  }

  get #queued(): number {
    return this.#events.length + this.#ephemeral.length + this.#toDevice.length + this.#changedDevices.size;
  }

  /** Events not yet accepted by the application service. */
  get pendingEvents(): number {
    return this.#made.toArray().reduce((sum, made) => sum + made.events.length, this.#events.length);
  }

  /** Transactions the application service answered with success, repeats by faults not counted. */
  get accepted(): number {
    return this.#accepted;
  }

  get isDown(): boolean {
    return this.#down;
  }

  /** When the failed transaction is retried, in milliseconds of the clock; `undefined` while no pause runs. */
  get retryAt(): number | undefined {
    return this.#retryAt;
  }

  push(event: StoredEvent): void {
    const { oneEventEachWhileDown, growRetriedTransactions } = this.tools.faults;
    if (this.#down && oneEventEachWhileDown && !growRetriedTransactions) {
      this.#made.push(this.#transaction(onlyEvents([event])));
    } else {
      this.#events.push(event);
    }
    this.#arrived();
  }

  pushEphemeral(event: JsonObject): void {
    const { faults } = this.tools;
    if (faults.ephemeralNames === "none" || faults.random.happens(faults.loseEphemeral)) return;
    this.#pushPassing(this.#ephemeral, event);
  }

  /** @param message with `to_user_id` and `to_device_id` */
  pushToDevice(message: JsonObject): void {
    if (this.tools.faults.deviceMessageNames !== "none") this.#pushPassing(this.#toDevice, message);
  }

  /** The devices or keys of a user changed. */
  pushDeviceChange(userId: string): void {
    const { faults } = this.tools;
    if (faults.deviceMessageNames === "none" || (this.#down && faults.dropEphemeralOnRetry)) return;
    this.#changedDevices.add(userId);
    this.#arrived();
  }

  #pushPassing(queue: Deque<JsonObject>, item: JsonObject): void {
    if (this.#down && this.tools.faults.dropEphemeralOnRetry) return;
    if (queue.length >= MAX_WAITING_EPHEMERAL) queue.shift();
    queue.push(item);
    this.#arrived();
  }

  #arrived(): void {
    this.#held = false;
    this.#schedule();
  }

  /** @returns whether the transaction with `event` was accepted within `timeoutMs` */
  delivered(event: StoredEvent, timeoutMs: number): Promise<boolean> {
    return this.#waiting.delivered(event.eventId, timeoutMs);
  }

  /** Resolves once everything was accepted. @throws Error after `timeoutMs` */
  async idle(timeoutMs: number): Promise<void> {
    if (this.pending === 0 && !this.#running) return;
    if (await this.#waiting.idle(timeoutMs)) return;
    throw new Error(`${this.pending} transaction(s) to ${this.service.id} not accepted within ${timeoutMs} ms`);
  }

  /** Resolves once no request is under way: all was accepted, or what failed waits. Or after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#running || this.#scheduled !== undefined) await this.#waiting.settled(timeoutMs);
  }

  /** Tries the oldest transaction at once, whatever the back-off says. */
  retryNow(): void {
    this.#endPause();
    this.#held = false;
    this.#schedule();
  }

  /** The next transaction is number 1 again, as after a restart of Synapse on SQLite. */
  resetTransactionIds(): void {
    this.#nextId = 1;
  }

  /**
   * Forgets the events that are in no transaction yet, as a Synapse does that is killed: it keeps them in memory and has
   * noted them as handed over. Transactions that were made are on its disk.
   * @returns how many
   */
  forgetQueued(): number {
    const forgotten = this.#events.length;
    this.#events.clear();
    this.#ephemeral.clear();
    return forgotten;
  }

  /** Ends deliveries; what was not accepted stays queued, unless the homeserver is one that forgets it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPause();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#abort.abort();
    this.#waiting.giveUp();
    await this.#run;
    this.tools.client.close();
    if (!this.tools.faults.loseQueueAtRestart) return;
    for (const queue of [this.#made, this.#events, this.#ephemeral, this.#toDevice, this.#changedDevices])
      queue.clear();
  }

  /** Goes on after {@link stop}. Queued transactions are made anew where numbering restarts. */
  start(restartNumbering: boolean): void {
    this.#stopped = false;
    this.#abort = new AbortController();
    this.#down = false;
    this.#failures = 0;
    this.#held = false;
    if (restartNumbering) {
      const made = this.#made.take(this.#made.length);
      this.#events.unshift(made.flatMap((transaction) => transaction.events));
      this.#nextId = 1;
    }
    this.#schedule();
  }

  #endPause(): void {
    this.#retryTimer?.();
    this.#retryTimer = undefined;
    this.#retryAt = undefined;
  }

  #transaction(content: TransactionContent): Transaction {
    const { faults, clock } = this.tools;
    return { ...content, id: transactionId(faults, content, clock.now(), () => this.#nextId++) };
  }

  /** Delivery starts after the current turn of the event loop, so that what arrives together travels together. */
  #schedule(): void {
    if (this.#running || this.#stopped || this.#held) return;
    if (this.#retryTimer !== undefined || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#running = true;
      this.#run = this.#drain().finally(() => {
        this.#running = false;
        if (this.pending > 0) this.#schedule();
        else this.#waiting.nowIdle();
        if (this.#scheduled === undefined) this.#waiting.nowSettled();
      });
    });
  }

  async #drain(): Promise<void> {
    const { faults } = this.tools;
    while (!this.#stopped) {
      const transaction = this.#made.peek() ?? this.#make();
      if (transaction === undefined) return;
      if (this.#down && faults.growRetriedTransactions) transaction.events = this.#takeEvents(transaction.events);
      if (faults.transactionDelayMs > 0) await this.#pause(faults.transactionDelayMs);
      if (!(await this.#deliver(transaction))) {
        this.#failed(transaction);
        return;
      }
      this.#made.shift();
      this.#down = false;
      this.#failures = 0;
      this.#accepted++;
      await this.#afterAccepted(transaction);
    }
  }

  #make(): Transaction | undefined {
    if (this.#queued === 0) return undefined;
    const most = this.tools.faults.maxTransactionEvents;
    const transaction = this.#transaction({
      events: this.#takeEvents([]),
      ephemeral: this.#ephemeral.take(most),
      toDevice: this.#toDevice.take(most),
      changedDevices: [...this.#changedDevices],
    });
    this.#changedDevices.clear();
    this.#made.push(transaction);
    return transaction;
  }

  /** The next events, within the limits that those already `taken` leave. */
  #takeEvents(taken: readonly StoredEvent[]): StoredEvent[] {
    const { maxTransactionEvents: most, maxTransactionBytes: mostBytes } = this.tools.faults;
    if (mostBytes === 0) return [...taken, ...this.#events.take(Math.max(0, most - taken.length))];
    const all = [...taken];
    let bytes = taken.reduce((sum, event) => sum + sizeOf(event), 0);
    for (let next = this.#events.peek(); next !== undefined && all.length < most; next = this.#events.peek()) {
      bytes += sizeOf(next);
      if (all.length > 0 && bytes > mostBytes) break;
      all.push(...this.#events.take(1));
    }
    return all;
  }

  async #afterAccepted(transaction: Transaction): Promise<void> {
    const { faults } = this.tools;
    for (const event of transaction.events) this.#waiting.nowDelivered(event.eventId);
    for (const late of this.#late.splice(0)) await this.#deliver(late);
    for (let count = faults.random.repeats(faults.lateDuplicates); count > 0; count--) this.#late.push(transaction);
    const again = faults.random.repeats(faults.duplicateTransactions);
    for (let count = 0; count < again && !this.#stopped; count++) await this.#deliver(transaction);
    const repeats = transaction.events.length > 0 ? faults.random.repeats(faults.repeatEvents) : 0;
    for (let count = 0; count < repeats && !this.#stopped; count++) {
      await this.#deliver(this.#transaction(onlyEvents(transaction.events)));
    }
  }

  #failed(transaction: Transaction): void {
    if (this.#stopped) return;
    const { faults, clock } = this.tools;
    this.#down = true;
    if (faults.dropEphemeralOnRetry) this.#dropPassing(transaction);
    if (faults.oneEventEachWhileDown && !faults.growRetriedTransactions) {
      while (this.#events.length > 0) {
        const events = this.#events.take(faults.maxTransactionEvents);
        this.#made.push(this.#transaction(onlyEvents(events)));
      }
    }
    if (this.pending === 0) {
      this.#down = false;
      return;
    }
    if (faults.retryOn === "traffic") {
      this.#held = true;
      return;
    }
    const pause = Math.min(faults.retryFirstMs * 2 ** this.#failures++, faults.retryMaxMs);
    this.#retryAt = clock.now() + pause;
    this.#retryTimer = clock.after(pause, () => {
      this.#endPause();
      this.#schedule();
    });
  }

  #dropPassing(transaction: Transaction): void {
    transaction.ephemeral = [];
    transaction.toDevice = [];
    transaction.changedDevices = [];
    this.#ephemeral.clear();
    this.#toDevice.clear();
    this.#changedDevices.clear();
    if (transaction.events.length === 0) this.#made.shift();
  }

  /** @returns whether the application service accepted it */
  async #deliver(transaction: Transaction): Promise<boolean> {
    const { client, faults, extras } = this.tools;
    const path = `${faults.legacyPaths ? "" : "/_matrix/app/v1"}/transactions/${encodeURIComponent(transaction.id)}`;
    const body = transactionBody(faults, this.service.registration, transaction, extras);
    try {
      const answer = await client.send("PUT", path, JSON.stringify(body), faults.transactionTimeoutMs, {
        signal: this.#abort.signal,
      });
      if (faults.random.happens(faults.loseTransactionAnswers)) return false;
      return accepts(faults.acceptedAnswers, answer);
    } catch (error) {
      if (error instanceof NoAnswerError) return false;
      throw error;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#abort.signal.removeEventListener("abort", finish);
        resolve();
      };
      const cancel = this.tools.clock.after(ms, finish);
      this.#abort.signal.addEventListener("abort", finish);
    });
  }
}

function sizeOf(event: StoredEvent): number {
  return Buffer.byteLength(JSON.stringify(event.content));
}

function accepts(rule: Faults["acceptedAnswers"], { status, json }: ServiceAnswer): boolean {
  if (rule === "200") return status === 200;
  return status >= 200 && status < 300 && (rule === "2xx" || json !== undefined);
}
