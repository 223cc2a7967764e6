import { z } from "zod";

const nothing = z.object({});

const burst = z.object({
  /** From the first message to the last arrival. */
  elapsedMs: z.number(),
  said: z.int(),
  lost: z.int(),
  /** Came more than once. */
  repeated: z.int(),
  /** Came behind a later one of its channel. */
  reordered: z.int(),
});
export type Burst = z.output<typeof burst>;

/** The IRC server, the homeserver and the people on both, in one process, and between them nothing but the bridge. */
export const worldApi = {
  /** Starts both servers, and somebody on IRC who is in every channel. */
  listen: {
    input: z.object({
      channels: z.int(),
      /** The test kit's server, which lets everybody in at once; InspIRCd where absent and installed. */
      letsInAtOnce: z.boolean().optional(),
    }),
    output: z.object({ homeserverPort: z.int(), ircPort: z.int(), ircServer: z.string() }),
  },
  /** Names the bridge that transactions go to. */
  target: { input: z.object({ port: z.int(), token: z.string() }), output: nothing },
  /** So many idle people enter every channel. */
  crowd: { input: z.object({ people: z.int() }), output: nothing },
  /** People say something on Matrix in turn, each in the channel of the same number modulo `channels`, and as fast as it is taken. */
  toIrc: { input: z.object({ messages: z.int(), people: z.int(), channels: z.int() }), output: burst },
  /** The same on IRC. */
  toMatrix: { input: z.object({ messages: z.int(), channels: z.int() }), output: burst },
  /** The people `from` to `to - 1`, whole groups, say something (once where absent) in each of so many channels of their own group; resolves when all has arrived. */
  introduce: {
    input: z.object({
      from: z.int(),
      to: z.int(),
      channelsEach: z.int(),
      groupSize: z.int(),
      times: z.int().optional(),
    }),
    output: nothing,
  },
  /** Resolves, to the milliseconds since the call, when so many puppets are seen in channels, each counted in each of its channels. */
  whenSeen: {
    input: z.object({ puppets: z.int(), timeoutMs: z.number() }),
    output: z.object({ elapsedMs: z.number() }),
  },
  /** The IRC server is away for a while; resolves, to the milliseconds since it is back, when so many puppets are too. */
  outage: {
    input: z.object({ milliseconds: z.number(), puppets: z.int(), timeoutMs: z.number() }),
    output: z.object({ elapsedMs: z.number() }),
  },
  close: { input: nothing, output: nothing },
} as const;

/** What the bridge, or the bare relay in its place, is asked. */
export const bridgeApi = {
  /** Resolves, to where transactions go, when it takes them and its bot is on IRC. */
  start: {
    input: z.object({
      directory: z.string(),
      homeserverPort: z.int(),
      ircPort: z.int(),
      channels: z.int(),
      /** Of the bare relay, which connects everybody at its start; of the bridge the most that are connected at once. */
      puppets: z.int(),
      connects: z.object({ burst: z.int(), perSecond: z.number() }),
    }),
    output: z.object({ port: z.int(), token: z.string() }),
  },
  /** After a collection of garbage, in bytes. */
  weigh: { input: nothing, output: z.object({ rss: z.number(), heap: z.number() }) },
  stop: { input: nothing, output: nothing },
} as const;

/** The holder, weighed as the bridge is. */
export const holderApi = { weigh: bridgeApi.weigh } as const;

export type Weight = z.output<(typeof holderApi.weigh)["output"]>;

/** Memory of this process after a collection of garbage, which `--expose-gc` allows. */
export async function weigh(): Promise<Weight> {
  for (let time = 0; time < 4; time++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

export const puppetSuffix = "[m]";

export function personName(person: number): string {
  return `u${person}`;
}

export function channelName(channel: number): string {
  return `#c${channel}`;
}

/** The room that a channel is linked with. */
export function roomOf(channel: number): string {
  return `!irc${channel}:bench.local`;
}

export function channelOf(room: string): number {
  return Number(/^!irc(\d+):/.exec(room)?.[1]);
}
