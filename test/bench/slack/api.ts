import { z } from "zod";

const nothing = z.object({});

/** What happens in Slack for a while. */
const plan = z.object({
  perSecond: z.number(),
  durationMs: z.number(),
  /** How many channels it is spread over. */
  channels: z.int(),
  /** How often Slack has the oldest connection renewed. */
  renewEveryMs: z.number(),
});

/** How long something took of each event, in milliseconds. */
const spread = z.object({ p50: z.number(), p99: z.number(), max: z.number() });

const delays = z.object({
  /** From the event in Slack until Slack had the acknowledgement. */
  acknowledged: spread,
  /** From the event in Slack until the homeserver had the message. */
  arrived: spread,
});

const result = z.object({
  said: z.int(),
  renewals: z.int(),
  /** Of what was said while a connection was renewed. */
  renewing: delays,
  /** Of everything else. */
  between: delays,
  lost: z.int(),
  /** Came more than once to the homeserver. */
  repeated: z.int(),
  /** Came behind a later one of its channel. */
  reordered: z.int(),
  /** Slack had to send them more than once. */
  sentAgain: z.int(),
});

/** Slack and the homeserver, in one process, and between them nothing but the bridge. */
export const slackApi = {
  /** Starts both. */
  listen: {
    input: z.object({ channels: z.int() }),
    output: z.object({
      homeserverPort: z.int(),
      apiUrl: z.string(),
      appToken: z.string(),
      botToken: z.string(),
      /** The channels as the bridge names them. */
      channels: z.array(z.string()),
    }),
  },
  /** Resolves when the bridge has so many connections. */
  connected: { input: z.object({ connections: z.int() }), output: nothing },
  run: { input: plan, output: result },
} as const;

export type SlackPlan = z.output<typeof plan>;
export type Delays = z.output<typeof delays>;
export type SlackResult = z.output<typeof result>;

/** What the process of the bridge is asked. */
export const bridgeApi = {
  start: {
    input: slackApi.listen.output.extend({ directory: z.string() }),
    output: nothing,
  },
  stop: { input: nothing, output: nothing },
} as const;

/** The room that a channel is linked with. */
export function roomOf(channel: number): string {
  return `!slack${channel}:bench.local`;
}
