import type { Store, Urgency } from "../store/store.js";
import type { Write } from "../store/writes.js";
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

/** The journal of one bridge: what is committed here is delivered, once, in the order of the commits. */
export class Journal {
  #toNetwork: Flow | undefined;
  #toMatrix: Flow | undefined;
  duplicates = 0;

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
   * disk. Resolves to how many were new. Rejects with a StoreError when the disk refuses; then nothing happened.
   */
  async append(causes: readonly Cause[], writes: readonly Write[] = [], urgency: Urgency = "now"): Promise<number> {
    if (causes.length === 0 && writes.length === 0) return 0;
    const at = this.clock.now();
    const texts: string[] = [];
    const batch: Write[] = [];
    for (const { direction, lane, source, payload } of causes) {
      const text = JSON.stringify(payload);
      texts.push(text);
      batch.push(["append", this.bridge, direction, lane, source, at, text]);
    }
    batch.push(...writes);
    const results = await this.store.commit(batch, urgency);
    let fresh = 0;
    let index = 0;
    for (const { direction, lane, source, payload } of causes) {
      const seq = results[index] ?? 0;
      const bytes = texts[index]?.length ?? 0;
      index += 1;
      if (seq === 0) {
        this.duplicates += 1;
        continue;
      }
      fresh += 1;
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
