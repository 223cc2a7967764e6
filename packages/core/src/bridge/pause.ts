import type { Clock } from "../delivery/clock.js";

/** Resolves after `ms`, or at once when `signal` is aborted: nobody who stops waits for it. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** Waits for work, but no longer than `ms`, and resolves to `undefined` then; what is late goes on by itself. */
export async function inTime<Result>(clock: Clock, ms: number, work: Promise<Result>): Promise<Result | undefined> {
  let cancel: () => void = () => undefined;
  const limit = new Promise<undefined>((resolve) => (cancel = clock.after(ms, () => resolve(undefined))));
  try {
    return await Promise.race([work, limit]);
  } finally {
    cancel();
  }
}
