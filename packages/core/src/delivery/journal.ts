import type { Store, Urgency } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { Activity } from "./activity.js";
import type { Clock } from "./clock.js";
import { toMatrix, toNetwork, type DirectionCode } from "./entry.js";
import type { Flow } from "./flow.js";

/** Something that must be delivered, about to be journaled. */
export interface Cause {
  readonly direction: DirectionCode;
  readonly lane: string;
  readonly source: string;
  readonly payload: unknown;
}

/** The bridge has ended: what it is given now is not taken, and must be given again to the one that follows. */
export class JournalClosed extends Error {
  override readonly name = "JournalClosed";
  constructor() {
    super("The bridge has been stopped; what comes now is taken after its next start.");
  }
}

/** The journal of one bridge: what is committed here is delivered, once, in the order of the commits. */
export class Journal {
  #toNetwork: Flow | undefined;
  #toMatrix: Flow | undefined;
  readonly #activity = new Activity();
  duplicates = 0;
  /** Commits that are not answered. */
  #underWay = 0;
  #isClosed = false;
  #settled: () => void = () => undefined;

  constructor(
    readonly bridge: number,
    readonly store: Store,
    readonly clock: Clock,
  ) {}

  attach(flowToNetwork: Flow, flowToMatrix: Flow): void {
    this.#toNetwork = flowToNetwork;
    this.#toMatrix = flowToMatrix;
  }

  /**
   * Commits causes, together with other writes, as one unit; those seen before are dropped. When it resolves they are on
   * disk. Resolves to how many were new. Rejects with a StoreError when the disk refuses, or with JournalClosed; then
   * nothing happened.
   */
  append(causes: readonly Cause[], writes: readonly Write[] = [], urgency: Urgency = "now"): Promise<number> {
    if (causes.length === 0 && writes.length === 0) return Promise.resolve(0);
    if (this.#isClosed) return Promise.reject(new JournalClosed());
    return new Promise((resolve, reject) => {
      const at = this.clock.now();
      const batch: Write[] = [];
      for (const { direction, lane, source, payload } of causes)
        batch.push(["append", this.bridge, direction, lane, source, at, JSON.stringify(payload)]);
      for (const { direction, lane } of causes)
        if (this.#activity.isDue(direction, lane, at)) batch.push(["active", this.bridge, direction, lane, at]);
      batch.push(...writes);
      this.#underWay += 1;
      this.store.submit(batch, urgency, (error, results, from) => {
        if (error) reject(error);
        else resolve(this.#offer(causes, batch, at, results, from));
        this.#underWay -= 1;
        if (this.#isClosed && this.#underWay === 0) this.#settled();
      });
    });
  }

  /**
   * Takes nothing more, and resolves when what was taken is on disk: whoever reads the journal from then on, such as the
   * same bridge with other settings, finds everything.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#settled = resolve));
  }

  /** Gives what was journaled to its lanes; returns how many were new. */
  #offer(
    causes: readonly Cause[],
    batch: readonly Write[],
    at: number,
    results: readonly number[],
    from: number,
  ): number {
    let fresh = 0;
    for (const [index, { direction, lane, source, payload }] of causes.entries()) {
      const seq = results[from + index] ?? 0;
      if (seq === 0) {
        this.duplicates += 1;
        continue;
      }
      fresh += 1;
      const text = batch[index]?.[6];
      const bytes = typeof text === "string" ? text.length : 0;
      this.flow(direction)?.offer(lane, { seq, source, at, payload, bytes });
    }
    return fresh;
  }

  /** Keeps something that can never be delivered where an operator sees it. */
  async appendDead(cause: Cause, reason: string): Promise<void> {
    const payload = JSON.stringify(cause.payload);
    const [seq] = await this.store.commit([
      ["appendDead", this.bridge, cause.direction, cause.lane, cause.source, this.clock.now(), payload, reason],
    ]);
    const flow = this.flow(cause.direction);
    if (flow && seq !== 0) flow.countDead(1);
  }

  flow(direction: DirectionCode): Flow | undefined {
    switch (direction) {
      case toNetwork:
        return this.#toNetwork;
      case toMatrix:
        return this.#toMatrix;
    }
  }
}
