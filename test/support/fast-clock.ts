import type { Clock } from "@trestle/core";

/** A clock on which time passes `speed` times as fast: an outage of a minute takes a moment, with every pause in proportion. */
export function fastClock(speed: number): Clock {
  const start = Date.now();
  return {
    now: () => Math.round(start + (Date.now() - start) * speed),
    after: (ms, call) => {
      const timer = setTimeout(call, Math.max(0, ms) / speed);
      return () => {
        clearTimeout(timer);
      };
    },
  };
}
