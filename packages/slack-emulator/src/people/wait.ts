/** How long to wait at most, in milliseconds. */
export interface WaitOptions {
  readonly timeout?: number;
}

const interval = 5;

/** Waits until a look finds something; says what was awaited when it does not in time (10 s unless given). */
export async function waitFor<T>(what: string, look: () => T | undefined, options: WaitOptions = {}): Promise<T> {
  const deadline = Date.now() + (options.timeout ?? 10_000);
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() >= deadline) throw new Error(`Waited ${options.timeout ?? 10_000} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
