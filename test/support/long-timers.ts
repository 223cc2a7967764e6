/**
 * matrix-js-sdk limits each request by a timer that it never clears, 90 s for a sync, and a test's process would wait for
 * the last of them. Timers that long are no reason to stay here: whatever a test waits for is bounded by less.
 */
const LONG = 10_000;
const original = globalThis.setTimeout;

function setTimeoutWithoutHold(...args: Parameters<typeof original>): NodeJS.Timeout {
  const timer = original(...args);
  return (args[1] ?? 0) >= LONG ? timer.unref() : timer;
}

globalThis.setTimeout = Object.assign(setTimeoutWithoutHold, original);
