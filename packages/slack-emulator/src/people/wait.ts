/** How long to wait at most, in milliseconds; 10 s where absent, as many times longer as `TRESTLE_PATIENCE` says. */
export interface WaitOptions {
  readonly timeout?: number;
}

const usualPatienceMs = 10_000 * Math.max(1, Number(process.env["TRESTLE_PATIENCE"]) || 1);
const interval = 5;

/** Waits until a look finds something; says what was awaited when it does not in time. */
export async function waitFor<T>(what: string, look: () => T | undefined, options: WaitOptions = {}): Promise<T> {
  const { timeout = usualPatienceMs } = options;
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() >= deadline) throw new Error(`Waited ${timeout} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
