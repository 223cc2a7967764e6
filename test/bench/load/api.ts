import { z } from "zod";

const load = z.discriminatedUnion("kind", [
  /** Keeps so many events between "sent" and "arrived", until `events` are sent. */
  z.object({ kind: z.literal("closed"), outstanding: z.int(), events: z.int().optional() }),
  z.object({ kind: z.literal("rate"), perSecond: z.number() }),
  /** A homeserver that catches up: one event a transaction, the next one as soon as it is answered. */
  z.object({ kind: z.literal("backlog"), events: z.int() }),
]);
/** Messages go to `!in0` to `!in{rooms-1}`, in turn. */
const plan = z.object({ load, rooms: z.int(), senders: z.int() });
const nothing = z.object({});
const counters = z.object({
  sent: z.int(),
  arrived: z.int(),
  duplicated: z.int(),
  reordered: z.int(),
  /** Sends repeated under the same transaction id. */
  repeated: z.int(),
  /** Requests to the homeserver by route. */
  requests: z.record(z.string(), z.int()),
});

/** The load generator and the homeserver it plays, in one process. */
export const loadApi = {
  /** Resolves to the homeserver's port. */
  listen: { input: nothing, output: z.object({ port: z.int() }) },
  /** Names the bridge that transactions go to. */
  target: { input: z.object({ port: z.int(), token: z.string() }), output: nothing },
  start: { input: plan, output: nothing },
  stop: { input: nothing, output: nothing },
  /** Counters so far, and the latencies since the last time. */
  sample: {
    input: nothing,
    output: z.object({ at: z.number(), counters, p50: z.number().nullable(), p99: z.number().nullable() }),
  },
  /** Resolves when all that was sent has arrived, or after the time limit. */
  drain: { input: z.object({ timeoutMs: z.number() }), output: z.object({ elapsedMs: z.number(), counters }) },
  /** Sends an event to rooms that are linked to nothing. */
  touch: { input: z.object({ from: z.int(), to: z.int() }), output: nothing },
  /** How long the homeserver works on each request, one after the other; without it it answers at once. */
  cost: { input: z.object({ join: z.number(), other: z.number() }).partial(), output: nothing },
} as const;

export type Counters = z.output<typeof counters>;
export type Plan = z.output<typeof plan>;
