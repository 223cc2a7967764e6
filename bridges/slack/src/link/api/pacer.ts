import { setTimeout as sleep } from "node:timers/promises";

/** Requests that may be made at one pace. */
export interface Pace {
  /** Which requests share it. */
  readonly key: string;
  readonly perMinute: number;
  /** How many may be made at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
  blockedUntil: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface PacerOptions {
  /** A request that would have to wait longer is not made: whoever wants it comes again. In milliseconds. */
  readonly longestWaitMs?: number;
  /** How many times as fast as the paces say; 1 unless given. */
  readonly speed?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

const mostBuckets = 20_000;
/** What Slack asks for is honoured up to this: a mistake of its must not silence a channel for a day. */
const longestBlockMs = 10 * 60_000;

/**
 * Keeps requests within Slack's limits: a token bucket for every key, and pauses that Slack asked for. What waits is
 * bounded by the longest wait times the pace, because every request that waits holds its place in the future.
 */
export class Pacer {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #longestWaitMs: number;
  readonly #speed: number;

  constructor({ longestWaitMs = 10_000, speed = 1, now = () => performance.now() }: PacerOptions = {}) {
    this.#now = now;
    this.#speed = speed;
    this.#longestWaitMs = longestWaitMs;
  }

  /**
   * Resolves to 0 when the request may be made; or to how many milliseconds later it may be tried again, where that is
   * longer than the longest wait. Rejects when `signal` is aborted.
   */
  async take(paces: readonly Pace[], signal?: AbortSignal): Promise<number> {
    const buckets = paces.map((pace) => this.#bucket(pace));
    const wait = Math.max(0, ...buckets.map((bucket) => this.#waitOf(bucket)));
    if (wait > this.#longestWaitMs) return wait;
    for (const bucket of buckets) bucket.tokens -= 1;
    if (wait <= 0) return 0;
    try {
      await sleep(wait, undefined, { ...(signal && { signal }) });
    } catch (error) {
      for (const bucket of buckets) bucket.tokens += 1;
      throw error;
    }
    // Slack may have asked for a pause meanwhile.
    const more = Math.max(0, ...buckets.map((bucket) => bucket.blockedUntil - this.#now()));
    if (more <= 0) return 0;
    for (const bucket of buckets) bucket.tokens += 1;
    return this.take(paces, signal);
  }

  /** Slack wants no request of this kind for so long. Resolves to how long it will be. */
  block(pace: Pace, forMs: number): number {
    const bucket = this.#bucket(pace);
    const pause = Math.min(Math.max(0, forMs), longestBlockMs);
    bucket.blockedUntil = Math.max(bucket.blockedUntil, this.#now() + pause);
    return pause;
  }

  #waitOf(bucket: Bucket): number {
    const missing = 1 - bucket.tokens;
    return Math.max(missing <= 0 ? 0 : missing / bucket.perMs, bucket.blockedUntil - this.#now());
  }

  #bucket({ key, ...pace }: Pace): Bucket {
    const now = this.#now();
    const [perMinute, burst] = [pace.perMinute * this.#speed, pace.burst * this.#speed];
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      if (this.#buckets.size >= mostBuckets) this.#forget(now);
      bucket = { tokens: burst, at: now, blockedUntil: 0, perMs: perMinute / 60_000, burst };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(bucket.burst, bucket.tokens + (now - bucket.at) * bucket.perMs);
    bucket.at = now;
    return bucket;
  }

  /** Those that are full again say nothing; where all are in use the oldest goes. */
  #forget(now: number): void {
    for (const [key, { tokens, at, burst, perMs, blockedUntil }] of this.#buckets)
      if (blockedUntil <= now && tokens + (now - at) * perMs >= burst) this.#buckets.delete(key);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= mostBuckets && oldest !== undefined) this.#buckets.delete(oldest);
  }
}
