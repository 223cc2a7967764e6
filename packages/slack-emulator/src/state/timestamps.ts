/** A `ts`: seconds, a dot and six digits. It names a message within its channel; it is never a number. */
export function formatTs(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  return `${seconds}.${String(microseconds - seconds * 1_000_000).padStart(6, "0")}`;
}

/** The microseconds of a `ts`, or undefined when the text is not one. A bare number of seconds is accepted, as Slack does. */
export function parseTs(ts: string): number | undefined {
  const match = /^(\d{1,10})(?:\.(\d{1,6}))?$/.exec(ts);
  if (match === null) return undefined;
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0"));
}

/** The whole second of a `ts`, as one: what `edited.ts` has. */
export function wholeSecond(ts: string): string {
  return `${ts.split(".", 1)[0] ?? ts}.000000`;
}

/**
 * Hands out rising timestamps, one row of them for each channel: two channels may well use the same `ts`, as in Slack,
 * where it is unique only together with the channel.
 */
export class Timestamps {
  #last = 0;

  next(now: number): string {
    this.#last = Math.max(this.#last + 1, Math.floor(now) * 1000);
    return formatTs(this.#last);
  }

  /** Takes note of a timestamp that was given from outside, so that later ones come after it. */
  seen(ts: string): void {
    this.#last = Math.max(this.#last, parseTs(ts) ?? 0);
  }
}
