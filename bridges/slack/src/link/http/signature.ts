import { createHmac, timingSafeEqual } from "node:crypto";

export interface SignatureOptions {
  readonly secret: string;
  /** How old, or how far ahead, a request's time may be, in milliseconds. */
  readonly skewMs: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How many requests are remembered; the oldest make room. */
  readonly remembered?: number;
}

/** `replayed`: the very same request was taken before. */
export type Checked =
  { readonly ok: true; readonly replayed: boolean } | { readonly ok: false; readonly reason: string };

/**
 * Checks Slack's signature (version 0: HMAC-SHA256 over `v0:{timestamp}:{body}`). Times in the future are refused like
 * old ones: otherwise whoever once saw a request made ahead of its time could keep it for later. And what was taken is
 * known when it comes a second time.
 */
export class SignatureCheck {
  /** Signatures that were taken, with when they expire, oldest first. */
  readonly #taken = new Map<string, number>();
  readonly #now: () => number;

  constructor(readonly options: SignatureOptions) {
    if (options.secret === "") throw new RangeError("The signing secret is empty.");
    this.#now = options.now ?? Date.now;
  }

  /** Takes the request when it is good: the same one again is a replay, unless it was given back. */
  check(timestamp: string | undefined, signature: string | undefined, body: Buffer): Checked {
    if (timestamp === undefined || signature === undefined) return { ok: false, reason: "it is not signed" };
    if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "its time cannot be read" };
    const age = this.#now() - Number(timestamp) * 1_000;
    if (age > this.options.skewMs) return { ok: false, reason: `it is ${Math.round(age / 1_000)} s old` };
    if (-age > this.options.skewMs) return { ok: false, reason: `its time is ${Math.round(-age / 1_000)} s ahead` };
    const expected = Buffer.from(signatureOf(this.options.secret, timestamp, body));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return { ok: false, reason: "its signature is wrong" };
    const replayed = this.#taken.has(signature);
    if (!replayed) this.#remember(signature);
    return { ok: true, replayed };
  }

  /** It could not be kept: the same request may come again. */
  giveBack(signature: string | undefined): void {
    if (signature !== undefined) this.#taken.delete(signature);
  }

  #remember(signature: string): void {
    const now = this.#now();
    const { remembered = 50_000, skewMs } = this.options;
    for (const [old, expires] of this.#taken) {
      if (expires > now && this.#taken.size < remembered) break;
      this.#taken.delete(old);
    }
    this.#taken.set(signature, now + 2 * skewMs);
  }
}

/** The signature that a request must carry in `x-slack-signature`. */
export function signatureOf(secret: string, timestamp: string, body: Buffer | string): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex")}`;
}
