export { freePort } from "../tools/free-port.js";

/** Waits for `promise`, at most `milliseconds`; rejects with what was waited for. `describe` adds what is known by then. */
export async function within<Value>(
  milliseconds: number,
  what: string,
  promise: Promise<Value>,
  describe?: () => string,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${milliseconds} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `probe` again and again until it answers something else than `undefined`, at most `milliseconds`. For what cannot announce itself. */
export async function until<Value>(
  milliseconds: number,
  what: string,
  probe: () => Promise<Value | undefined> | Value | undefined,
  describe?: () => string,
): Promise<Value> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline)
      throw new Error(`Waited ${milliseconds} ms in vain for ${what}.${describe ? `\n${describe()}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
