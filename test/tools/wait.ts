import { setTimeout as sleep } from "node:timers/promises";
import { patiently } from "./patience.js";

/** Asks again until `check` gives something other than `undefined` or `false`, and rejects after {@link patiently} `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  everyMs = 20,
): Promise<T> {
  const bound = patiently(timeoutMs);
  const end = performance.now() + bound;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waited ${bound} ms for ${what} in vain`);
    await sleep(everyMs);
  }
}

/** Rejects when `promise` takes longer than {@link patiently} `timeoutMs`; the timer never outlives the promise. */
export async function within<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  const bound = patiently(timeoutMs);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${bound} ms`)), bound);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
