export interface BackoffOptions {
  readonly retryMin: number;
  readonly retryMax: number;
}

/** How long to wait before the next attempt: doubling, with jitter so that lanes do not come back in step, and capped also against what a server asks for. */
export function backoff(
  attempt: number,
  options: BackoffOptions,
  requested = 0,
  random: () => number = Math.random,
): number {
  const doubled = options.retryMin * 2 ** Math.min(attempt - 1, 30);
  const own = Math.min(doubled, options.retryMax) * (0.75 + random() * 0.5);
  return Math.round(Math.min(Math.max(own, requested), Math.max(options.retryMax, options.retryMin)));
}
