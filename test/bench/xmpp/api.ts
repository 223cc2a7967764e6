import { z } from "zod";
import { usage } from "../sut/api.js";

const nothing = z.object({});
const place = z.object({ componentPort: z.int(), secret: z.string() });

/** What came to the homeserver. */
const arrivals = z.object({
  lost: z.int(),
  /** Came more than once. */
  repeated: z.int(),
  /** Came behind a later one of its room. */
  reordered: z.int(),
  elapsedMs: z.number(),
});

/** The service of the rooms and the homeserver, in one process. */
export const speakersApi = {
  /** Starts both; resolves when the component is connected. */
  start: { input: place, output: z.object({ homeserverPort: z.int() }) },
  /** Resolves when somebody has entered so many rooms, to their address. */
  entered: { input: z.object({ rooms: z.int() }), output: z.object({ address: z.string() }) },
  /** Says so many messages to an address as fast as they are taken; resolves to when that began. */
  say: {
    input: z.object({ to: z.string(), count: z.int(), rooms: z.int(), recorded: z.boolean() }),
    output: z.object({ beganAt: z.number() }),
  },
  /** Whether the homeserver answers. */
  homeserver: { input: z.object({ away: z.boolean() }), output: nothing },
  /** Waits until the homeserver has everything, at most so long. */
  drain: { input: z.object({ timeoutMs: z.number() }), output: arrivals },
} as const;

/** What takes the messages. */
export const takerApi = {
  /** Starts it; for the sink only where the component connects counts. */
  start: { input: place.extend({ homeserverPort: z.int(), directory: z.string(), rooms: z.int() }), output: nothing },
  /** Begins to count. */
  begin: { input: nothing, output: nothing },
  /** Resolves when so many have been taken, to when that was and what it cost; rejects when no more are. */
  taken: {
    input: z.object({ count: z.int() }),
    output: z.object({ at: z.number(), cpuMicroseconds: z.number() }),
  },
  stop: { input: nothing, output: nothing },
} as const;

export const sinkDomain = "sink.localhost";
export const bridgeDomain = "bridge.localhost";
export const roomsDomain = "bench.localhost";

/** The XMPP room of a number. */
export function channelOf(room: number): string {
  return `room${room}@${roomsDomain}`;
}

/** The Matrix room with which it is linked. */
export function matrixRoomOf(room: number): string {
  return `!xmpp${room}:bench.local`;
}

/** Milliseconds since 1970, finer than the clock's: processes compare them. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** After so long without a message no more are expected, in milliseconds. */
const standstillMs = 30_000;

/** Counts what is taken, and tells when it is enough. */
export class Taken {
  #count = 0;
  #cpu = 0;
  #enough: { readonly count: number; readonly reached: () => void } | undefined;
  #last = performance.now();

  begin(): Record<string, never> {
    this.#count = 0;
    this.#cpu = usage().cpuMicroseconds;
    return {};
  }

  one(): void {
    this.#count += 1;
    this.#last = performance.now();
    if (this.#enough && this.#count >= this.#enough.count) this.#enough.reached();
  }

  async taken(count: number): Promise<{ at: number; cpuMicroseconds: number }> {
    if (this.#count < count) await this.#reaching(count);
    this.#enough = undefined;
    return { at: now(), cpuMicroseconds: usage().cpuMicroseconds - this.#cpu };
  }

  #reaching(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#last = performance.now();
      const look = setInterval(() => {
        if (performance.now() - this.#last < standstillMs) return;
        clearInterval(look);
        reject(new Error(`Of ${count} messages ${this.#count} were taken, and then none for ${standstillMs} ms`));
      }, 1_000);
      const reached = (): void => {
        clearInterval(look);
        resolve();
      };
      this.#enough = { count, reached };
    });
  }
}
