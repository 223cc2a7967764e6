import { createHash } from "node:crypto";
import { Deque } from "../deque.js";
import type { Faults } from "../faults/faults.js";
import type { JsonObject } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import { appServiceEvent } from "../rooms/event.js";
import type { ServiceClient } from "./client.js";
import { NoAnswerError } from "./client.js";
import type { AppService } from "./service.js";

/** Most events, and most ephemeral events, that one transaction carries (Synapse). */
export const MAX_TRANSACTION_EVENTS = 100;
const MAX_WAITING_EPHEMERAL = 10_000;

interface Transaction {
  readonly id: string;
  events: StoredEvent[];
  ephemeral: JsonObject[];
}

/** How fast failed transactions are retried: `firstMs`, doubled after each failure up to `maxMs`. */
export interface RetryTiming {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Pushes transactions to one application service, one at a time, as Synapse does: a failure makes it "down", and
 * while it is down every event becomes a transaction of its own, ephemeral events are dropped, and the oldest
 * transaction is retried with exponential back-off until it is answered with 2xx and JSON.
 */
export class TransactionPusher {
  readonly #events = new Deque<StoredEvent>();
  readonly #ephemeral = new Deque<JsonObject>();
  readonly #made = new Deque<Transaction>();
  readonly #waitingForDelivery = new Map<string, () => void>();
  readonly #waitingForIdle = new Set<() => void>();
  #nextId = 1;
  /** Accepted transactions that come once more after the next one. */
  readonly #late: Transaction[] = [];
  #down = false;
  #backoffMs: number;
  #running = false;
  #stopped = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #abort = new AbortController();
  #scheduled: NodeJS.Immediate | undefined;
  #run = Promise.resolve();
  #accepted = 0;

  constructor(
    private readonly service: AppService,
    private readonly client: ServiceClient,
    private readonly faults: Faults,
    private readonly timing: RetryTiming,
  ) {
    this.#backoffMs = timing.firstMs;
  }

  /** Transactions made and not yet accepted, plus one where events still wait to be put into one. */
  get pending(): number {
    return this.#made.length + (this.#events.length + this.#ephemeral.length > 0 ? 1 : 0);
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

  push(event: StoredEvent): void {
    if (this.#down && !this.faults.growRetriedTransactions) this.#made.push(this.#transaction([event], []));
    else this.#events.push(event);
    this.#schedule();
  }

  pushEphemeral(event: JsonObject): void {
    if (this.#down || this.faults.random.happens(this.faults.loseEphemeral)) return;
    if (this.#ephemeral.length >= MAX_WAITING_EPHEMERAL) this.#ephemeral.shift();
    this.#ephemeral.push(event);
    this.#schedule();
  }

  /** Resolves once the transaction with `event` was accepted, or after `timeoutMs`. */
  delivered(event: StoredEvent, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waitingForDelivery.delete(event.eventId);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waitingForDelivery.set(event.eventId, finish);
    });
  }

  /** Resolves once everything was accepted. @throws Error after `timeoutMs` */
  idle(timeoutMs: number): Promise<void> {
    if (this.pending === 0 && !this.#running) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waitingForIdle.delete(finish);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waitingForIdle.delete(finish);
        reject(new Error(`${this.pending} transaction(s) to ${this.service.id} not accepted within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waitingForIdle.add(finish);
    });
  }

  /** Tries the oldest transaction at once, whatever the back-off says (Synapse, after a successful ping). */
  retryNow(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
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

  /** Ends deliveries; what was not accepted stays queued. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#abort.abort();
    for (const finish of [...this.#waitingForDelivery.values()]) finish();
    await this.#run;
    this.client.close();
  }

  /** Goes on after {@link stop}. Queued transactions are made anew where numbering restarts. */
  start(restartNumbering: boolean): void {
    this.#stopped = false;
    this.#abort = new AbortController();
    this.#down = false;
    this.#backoffMs = this.timing.firstMs;
    if (restartNumbering) {
      const made = this.#made.take(this.#made.length);
      this.#events.unshift(made.flatMap((transaction) => transaction.events));
      this.#nextId = 1;
    }
    this.#schedule();
  }

  #transaction(events: StoredEvent[], ephemeral: JsonObject[]): Transaction {
    const id = this.faults.transactionIds === "content-hash" ? contentHash(events, ephemeral) : String(this.#nextId++);
    return { id, events, ephemeral };
  }

  /** Delivery starts after the current turn of the event loop, so that what arrives together travels together. */
  #schedule(): void {
    if (this.#running || this.#stopped || this.#retryTimer !== undefined || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#running = true;
      this.#run = this.#drain().finally(() => {
        this.#running = false;
        if (this.pending > 0) this.#schedule();
        else for (const finish of [...this.#waitingForIdle]) finish();
      });
    });
  }

  async #drain(): Promise<void> {
    while (!this.#stopped) {
      const transaction = this.#made.peek() ?? this.#make();
      if (transaction === undefined) return;
      if (this.#down && this.faults.growRetriedTransactions) this.#grow(transaction);
      if (this.faults.transactionDelayMs > 0) await this.#pause(this.faults.transactionDelayMs);
      if (!(await this.#deliver(transaction))) {
        this.#failed(transaction);
        return;
      }
      this.#made.shift();
      this.#down = false;
      this.#backoffMs = this.timing.firstMs;
      this.#accepted++;
      await this.#afterAccepted(transaction);
    }
  }

  #make(): Transaction | undefined {
    if (this.#events.length + this.#ephemeral.length === 0) return undefined;
    const transaction = this.#transaction(
      this.#events.take(MAX_TRANSACTION_EVENTS),
      this.#ephemeral.take(MAX_TRANSACTION_EVENTS),
    );
    this.#made.push(transaction);
    return transaction;
  }

  #grow(transaction: Transaction): void {
    const room = MAX_TRANSACTION_EVENTS - transaction.events.length;
    if (room > 0) transaction.events = [...transaction.events, ...this.#events.take(room)];
  }

  async #afterAccepted(transaction: Transaction): Promise<void> {
    for (const event of transaction.events) this.#waitingForDelivery.get(event.eventId)?.();
    for (const late of this.#late.splice(0)) await this.#deliver(late);
    for (let count = this.faults.random.repeats(this.faults.lateDuplicates); count > 0; count--) {
      this.#late.push(transaction);
    }
    const again = this.faults.random.repeats(this.faults.duplicateTransactions);
    for (let count = 0; count < again && !this.#stopped; count++) await this.#deliver(transaction);
    const repeats = transaction.events.length > 0 ? this.faults.random.repeats(this.faults.repeatEvents) : 0;
    for (let count = 0; count < repeats && !this.#stopped; count++) {
      await this.#deliver(this.#transaction(transaction.events, []));
    }
  }

  #failed(transaction: Transaction): void {
    if (this.#stopped) return;
    this.#down = true;
    transaction.ephemeral = [];
    this.#ephemeral.clear();
    if (transaction.events.length === 0) this.#made.shift();
    if (!this.faults.growRetriedTransactions) {
      while (this.#events.length > 0) {
        this.#made.push(this.#transaction(this.#events.take(MAX_TRANSACTION_EVENTS), []));
      }
    }
    if (this.pending === 0) {
      this.#down = false;
      return;
    }
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#schedule();
    }, this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, this.timing.maxMs);
  }

  /** @returns whether the application service accepted it: 2xx and a JSON body */
  async #deliver(transaction: Transaction): Promise<boolean> {
    const prefix = this.faults.legacyPaths ? "" : "/_matrix/app/v1";
    const path = `${prefix}/transactions/${encodeURIComponent(transaction.id)}`;
    try {
      const answer = await this.client.send(
        "PUT",
        path,
        JSON.stringify(this.#body(transaction)),
        this.faults.transactionTimeoutMs,
        undefined,
        this.#abort.signal,
      );
      if (this.faults.random.happens(this.faults.loseTransactionAnswers)) return false;
      return answer.status >= 200 && answer.status < 300 && answer.json !== undefined;
    } catch (error) {
      if (error instanceof NoAnswerError) return false;
      throw error;
    }
  }

  #body(transaction: Transaction): JsonObject {
    const body: JsonObject = { events: transaction.events.map(appServiceEvent) };
    if (transaction.ephemeral.length === 0) return body;
    const { receive_ephemeral: stable, "de.sorunome.msc2409.push_ephemeral": unstable } = this.service.registration;
    const names = this.faults.ephemeralNames;
    const asked = names === "registration";
    if (asked ? stable === true : names !== "unstable") body["ephemeral"] = transaction.ephemeral;
    if (asked ? unstable === true : names !== "stable") body["de.sorunome.msc2409.ephemeral"] = transaction.ephemeral;
    return body;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#abort.signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      this.#abort.signal.addEventListener("abort", finish);
    });
  }
}

function contentHash(events: readonly StoredEvent[], ephemeral: readonly JsonObject[]): string {
  const content = JSON.stringify([events.map((event) => event.eventId), ephemeral]);
  return createHash("sha256").update(content).digest("base64url");
}
