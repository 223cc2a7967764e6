import type { Urgency } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { backoff } from "./backoff.js";
import type { Verdict } from "./entry.js";
import type { FlowOptions } from "./flow.js";
import type { Lane, LaneItem } from "./lane.js";

type Done = Extract<Verdict, { readonly verdict: "done" }>;
type Retry = Extract<Verdict, { readonly verdict: "retry" }>;

/** What follows from an attempt: the counts, and the mark on disk that says so. */
export class Aftermath {
  /** Entries that are not delivered yet, or delivered and not marked. */
  open = 0;
  delivered = 0;
  dead = 0;
  /** Nothing more is started: a mark that the disk does not take is left to the next start. */
  isStopping = false;

  /** `marked`: a mark of the lane is on disk. */
  constructor(
    private readonly options: FlowOptions,
    private readonly marked: (lane: Lane) => void,
  ) {}

  /** Resolves to how long the lane must wait, or `undefined` when it may go on. */
  async obey(lane: Lane, item: LaneItem, verdict: Verdict): Promise<number | undefined> {
    switch (verdict.verdict) {
      case "done":
        await this.#finish(lane, item, verdict);
        this.#count(lane, item);
        return undefined;
      case "dead":
        await this.#bury(lane, item, verdict.reason);
        return undefined;
      case "retry":
        return this.#retry(lane, item, verdict);
    }
  }

  /** Takes an entry for delivered whose mark need not be waited for. */
  succeed(lane: Lane, item: LaneItem, verdict: Done): void {
    this.#count(lane, item);
    void this.#finish(lane, item, verdict);
  }

  /** Tries until the disk takes it: what was delivered must be marked, whatever it costs. */
  commit(writes: readonly Write[], urgency: Urgency, attempt = 1): Promise<unknown> {
    const { store, log, clock } = this.options;
    return store.commit(writes, urgency).catch(async (error: unknown) => {
      if (this.isStopping) {
        log.error(
          { err: error },
          "A mark could not be written before the end; the next start looks before it sends again",
        );
        return;
      }
      log.error({ err: error }, "The journal cannot be written; nothing of this lane is sent until it can");
      await new Promise<void>((resolve) => clock.after(backoff(attempt, this.options.backoff), resolve));
      await this.commit(writes, urgency, attempt + 1);
    });
  }

  #count(lane: Lane, item: LaneItem): void {
    lane.unreachable = false;
    this.delivered += 1;
    this.options.observe?.delivered(this.options.clock.now() - item.at);
  }

  async #retry(lane: Lane, item: LaneItem, verdict: Retry): Promise<number | undefined> {
    const { attempts, observe, log } = this.options;
    item.attempts += 1;
    item.maybeSent ||= verdict.maybeSent ?? false;
    if (verdict.transport) item.unreached = (item.unreached ?? 0) + 1;
    // An outage says nothing of the entry.
    else if (item.attempts - (item.unreached ?? 0) >= attempts) {
      await this.#bury(lane, item, `${verdict.reason} (tried ${item.attempts} times)`);
      return undefined;
    }
    lane.unreachable = verdict.transport ?? false;
    observe?.retried();
    log.debug(
      { lane: lane.key, source: item.source, attempt: item.attempts, reason: verdict.reason },
      "Trying again later",
    );
    const doubt = item.maybeSent ? 1 : 0;
    void this.commit([["waiting", item.attempts, verdict.reason.slice(0, 1000), doubt, item.seq]], "lazy");
    // A source that knows when to be asked again is believed; a target's wish is a lower bound.
    const known = verdict.transport === "source" && verdict.afterMs !== undefined;
    return backoff(known ? 1 : item.attempts, this.options.backoff, verdict.afterMs);
  }

  async #bury(lane: Lane, item: LaneItem, reason: string): Promise<void> {
    const { observe, log, onDead } = this.options;
    lane.unreachable = false;
    const mark = [item.attempts, reason.slice(0, 1000)] as const;
    // Whoever takes it up again must know.
    const doubt: Write[] = item.maybeSent ? [["waiting", ...mark, 1, item.seq]] : [];
    await this.#mark(lane, item, [...doubt, ["dead", ...mark, item.seq]], undefined);
    this.dead += 1;
    observe?.died();
    log.warn({ lane: lane.key, source: item.source, reason }, "Kept as a dead letter");
    onDead?.(item, reason);
  }

  #finish(lane: Lane, item: LaneItem, { writes, committed }: Done): Promise<void> | undefined {
    const mark: Write = ["done", item.seq];
    return this.#mark(lane, item, writes && writes.length > 0 ? [...writes, mark] : [mark], committed);
  }

  /** Takes an entry from its lane and marks it on disk; resolves at once where the mark may come later. */
  #mark(
    lane: Lane,
    item: LaneItem,
    writes: readonly Write[],
    committed: (() => void) | undefined,
  ): Promise<void> | undefined {
    lane.items.shift();
    this.options.budget.give(item.bytes);
    lane.marking.push(item.seq);
    const full = lane.unmarked > this.options.unmarkedLimit();
    const onDisk = (): void => {
      lane.marking.splice(lane.marking.indexOf(item.seq), 1);
      this.open -= 1;
      committed?.();
      this.marked(lane);
    };
    const marked = this.commit(writes, full ? "now" : "lazy").then(onDisk);
    return full ? marked : undefined;
  }
}
