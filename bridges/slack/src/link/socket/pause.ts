export interface PauseOptions {
  readonly minMs: number;
  readonly maxMs: number;
}

/** How long to wait before the next try: doubling up to the cap, and anywhere in the upper half of that, so that bridges that lost Slack together do not come back together. */
export function pauseBefore(
  attempt: number,
  { minMs, maxMs }: PauseOptions,
  random: () => number = Math.random,
): number {
  const doubled = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(doubled * (0.5 + random() / 2));
}

/** Waits, or returns at once when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
