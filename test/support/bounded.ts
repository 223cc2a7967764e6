import { patiently } from "../tools/patience.js";

export { freePort } from "../tools/free-port.js";
export { patiently };

/** Waits for `promise`, {@link patiently} at most `milliseconds`; rejects with what was waited for. `describe` adds what is known by then. */
export async function within<Value>(
  milliseconds: number,
  what: string,
  promise: Promise<Value>,
  describe?: () => string,
): Promise<Value> {
  const bound = patiently(milliseconds);
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${bound} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`)),
      bound,
    );
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks `probe` again and again until it answers something else than `undefined`, {@link patiently} at most `milliseconds`.
 * For what cannot announce itself.
 */
export async function until<Value>(
  milliseconds: number,
  what: string,
  probe: () => Promise<Value | undefined> | Value | undefined,
  describe?: () => string,
): Promise<Value> {
  const bound = patiently(milliseconds);
  const deadline = performance.now() + bound;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline)
      throw new Error(`Waited ${bound} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
