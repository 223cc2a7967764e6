import type { Clock } from "../delivery/clock.js";

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/**
 * Runs work with a time limit. When it is over the signal is aborted and the promise rejects with `TookTooLong`; what
 * the work does afterwards is not waited for, and its failure is not lost but reported to `late`.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  late: (error: unknown) => void,
): Promise<T> {
  const controller = new AbortController();
  let cancel: () => void = () => undefined;
  let over = false;
  const limit = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => {
      over = true;
      const error = new TookTooLong(`no answer within ${ms} ms`);
      controller.abort(error);
      reject(error);
    });
  });
  const running = work(controller.signal);
  running.catch((error: unknown) => {
    if (over) late(error);
  });
  try {
    return await Promise.race([running, limit]);
  } finally {
    cancel();
  }
}
