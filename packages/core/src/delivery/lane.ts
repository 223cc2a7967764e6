import type { Entry } from "./entry.js";
import type { StoredEntry } from "./stored-entries.js";

/** An entry in memory, with what changes from attempt to attempt. */
export interface LaneItem extends Entry {
  attempts: number;
  /** How many of them failed because the target could not be reached, or were a process's before: nobody knows why. */
  unreached?: number;
  maybeSent: boolean;
  readonly bytes: number;
  /** How often the process died while it was worked on. */
  readonly strikes: number;
}

/** An entry that has just been journaled. */
export type NewItem = Pick<LaneItem, "seq" | "source" | "at" | "payload" | "bytes">;

/** The entries of one room or channel, in order. Only a window of them is in memory; the rest waits on disk. */
export class Lane {
  readonly items: LaneItem[] = [];
  /** The newest entry that is or was in memory. */
  last = 0;
  /** There are newer entries on disk that are not in memory. */
  more = false;
  /** Something was committed since the last look at the disk began. */
  missed = false;
  state: "idle" | "ready" | "running" | "waiting" = "idle";
  /** Delivered, but the mark is not on disk yet; by number, the oldest first. */
  readonly marking: number[] = [];
  /** It waits because the target cannot be reached; or the source, which must be asked. */
  unreachable: boolean | "source" = false;
  /** It is about to be moved: nothing of it starts. */
  frozen = false;
  cancelTimer: (() => void) | undefined;
  /** How many of the next entries may have been sent before the process died. */
  inDoubt = 0;
  /** Entries up to this one were in the journal at start. */
  recoveredUpTo = 0;

  constructor(readonly key: string) {}

  add({ seq, source, at, payload, bytes }: NewItem): void {
    this.items.push({
      seq,
      lane: this.key,
      source,
      at,
      payload,
      attempts: 0,
      maybeSent: false,
      recovered: false,
      replayed: false,
      bytes,
      strikes: 0,
    });
    this.last = seq;
  }

  /** Takes an entry from the disk; returns how many bytes it has. */
  addStored({ seq, source, at, payload, attempts, doubt, strikes }: StoredEntry): number {
    const bytes = payload?.length ?? 0;
    const recovered = seq <= this.recoveredUpTo;
    const inDoubt = recovered && this.inDoubt > 0;
    if (inDoubt) this.inDoubt -= 1;
    this.items.push({
      seq,
      lane: this.key,
      source,
      at,
      payload: payload === null ? null : JSON.parse(payload),
      attempts,
      unreached: attempts,
      maybeSent: inDoubt || doubt !== 0,
      recovered,
      replayed: doubt > 1,
      bytes,
      strikes,
    });
    this.last = seq;
    return bytes;
  }

  get unmarked(): number {
    return this.marking.length;
  }

  get isInDoubt(): boolean {
    return (this.more && this.inDoubt > 0) || this.items.some(({ maybeSent }) => maybeSent);
  }

  get isEmpty(): boolean {
    return this.items.length === 0 && !this.more && this.unmarked === 0;
  }
}

/** What lanes take of a bound, and give back. */
export type Budget = Pick<MemoryBudget, "take" | "force" | "give">;

/** A bound on what all lanes hold in memory together. */
export class MemoryBudget {
  #used = 0;

  constructor(readonly limitBytes: number) {}

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.limitBytes && this.#used > 0) return false;
    this.#used += bytes;
    return true;
  }

  /** Takes what must be in memory in any case. */
  force(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  /** What the lanes of one bridge take of it, to be given back at once when the bridge has ended. */
  share(): BudgetShare {
    return new BudgetShare(this);
  }
}

/** A bridge's part of the bound. */
export class BudgetShare implements Budget {
  #used = 0;
  #ended = false;

  constructor(readonly whole: MemoryBudget) {}

  take(bytes: number): boolean {
    if (this.#ended || !this.whole.take(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  force(bytes: number): void {
    if (this.#ended) return;
    this.whole.force(bytes);
    this.#used += bytes;
  }

  give(bytes: number): void {
    if (this.#ended) return;
    this.whole.give(bytes);
    this.#used -= bytes;
  }

  /** Gives everything back; what is left behind in lanes counts no more. */
  end(): void {
    this.#ended = true;
    this.whole.give(this.#used);
    this.#used = 0;
  }
}
