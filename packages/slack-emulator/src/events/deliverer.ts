import type { Clock } from "../clock.js";
import type { EventFaults } from "../faults/event-faults.js";
import type { AttemptResult, Delivery, DeliveryRecord, FailureReason, Transport } from "./delivery.js";

/** How events are delivered. */
export interface DelivererOptions {
  readonly clock: Clock;
  readonly faults: EventFaults;
  /** Milliseconds before each further attempt; Slack: at once, a minute, five minutes. */
  readonly retryDelays: readonly number[];
  /** How many deliveries are remembered. */
  readonly remembered: number;
  readonly transportFor: (delivery: Delivery) => { name: "socket" | "http" | "none"; transport: Transport | undefined };
}

/** Brings events to apps: in order per channel at first, again when they are not acknowledged, then no more. */
export class Deliverer {
  readonly records: DeliveryRecord[] = [];
  readonly #options: DelivererOptions;
  readonly #rows = new Map<string, Promise<void>>();
  readonly #pending = new Set<DeliveryRecord>();
  readonly #settledWaiters = new Set<() => void>();
  #closed = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  /** Takes something to deliver; the faults that apply decide when and how often it is sent. */
  deliver(delivery: Delivery): void {
    for (const due of this.#options.faults.apply(delivery)) this.send(due);
  }

  /** How many deliveries are still on their way or waiting for another attempt. */
  get open(): number {
    return this.#pending.size;
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#settledWaiters.add(resolve);
      });
    }
  }

  /** Stops; what was not delivered is not. */
  close(): void {
    this.#closed = true;
    this.#pending.clear();
    this.#wake();
  }

  /** Sends something now, whatever faults there are. */
  send(delivery: Delivery): void {
    const { name, transport } = this.#options.transportFor(delivery);
    const record: DeliveryRecord = {
      appId: delivery.app.id,
      eventId: delivery.eventId,
      eventType: delivery.eventType,
      body: delivery.body,
      transport: name,
      attempts: [],
      state: transport === undefined ? "dropped" : "pending",
    };
    this.records.push(record);
    if (this.records.length > this.#options.remembered) this.records.shift();
    if (transport === undefined) return;
    this.#pending.add(record);
    if (name === "socket") {
      // A socket keeps its own order; the next envelope does not wait for the acknowledgement of this one.
      void this.#try(delivery, record, 0, undefined);
      return;
    }
    const key = `${delivery.app.id} ${delivery.orderKey}`;
    const before = this.#rows.get(key) ?? Promise.resolve();
    const turn = before.then(() => this.#try(delivery, record, 0, undefined));
    this.#rows.set(key, turn);
    void turn.then(() => {
      if (this.#rows.get(key) === turn) this.#rows.delete(key);
    });
  }

  async #try(
    delivery: Delivery,
    record: DeliveryRecord,
    number: number,
    reason: FailureReason | undefined,
  ): Promise<void> {
    if (this.#closed) return;
    const entry: DeliveryRecord["attempts"][number] = { at: this.#options.clock.now(), result: "pending" };
    record.attempts.push(entry);
    // The way may be another by now: the app moved, or Slack is there again.
    const { transport } = this.#options.transportFor(delivery);
    const result: AttemptResult = (await transport?.attempt(delivery, { number, reason })) ?? {
      ok: false,
      reason: "connection_failed",
    };
    entry.endedAt = this.#options.clock.now();
    if (result.ok) {
      entry.result = "ok";
      this.#finish(record, "delivered");
      return;
    }
    entry.result = result.reason;
    const delay = this.#options.retryDelays[number];
    if (result.final === true || delay === undefined) {
      this.#finish(record, "failed");
      return;
    }
    this.#options.clock.after(delay, () => void this.#try(delivery, record, number + 1, result.reason));
  }

  #finish(record: DeliveryRecord, state: "delivered" | "failed"): void {
    record.state = state;
    this.#pending.delete(record);
    if (this.#pending.size === 0) this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#settledWaiters) waiter();
    this.#settledWaiters.clear();
  }
}
