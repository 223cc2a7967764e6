/** Time, so that tests can simulate it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after `ms`; the returned function cancels it. */
  after(ms: number, call: () => void): () => void;
}

/** The longest wait that a Node.js timer takes. */
const longestTimer = 2_147_483_647;

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, Math.min(Math.max(0, ms), longestTimer));
    return () => {
      clearTimeout(timer);
    };
  },
};
