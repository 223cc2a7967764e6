import { z } from "zod";

const nothing = z.object({});

/** What a system under test is asked: start it, weigh it, stop it. */
export const sutApi = {
  /** Starts it against a homeserver; resolves to where transactions go. */
  start: {
    input: z.object({
      homeserverPort: z.int(),
      directory: z.string(),
      rooms: z.int(),
      membership: z.enum(["lazy", "full"]),
      idempotent: z.boolean(),
    }),
    output: z.object({ port: z.int(), token: z.string() }),
  },
  /** Resolves when it has done what a start does after transactions are taken: links, joins, the first ping. */
  greeted: { input: nothing, output: nothing },
  /** Processor time of the whole process so far, and its resident memory. */
  usage: { input: nothing, output: z.object({ cpuMicroseconds: z.number(), rssBytes: z.number() }) },
  /** So many people enter a channel of the network at once. */
  storm: { input: z.object({ people: z.int() }), output: nothing },
  stop: { input: nothing, output: nothing },
} as const;

export function usage(): { cpuMicroseconds: number; rssBytes: number } {
  const { user, system } = process.cpuUsage();
  return { cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() };
}

export const asToken = "bench-as-token";
export const hsToken = "bench-hs-token";
