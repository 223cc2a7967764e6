import { z } from "zod";

const port = z.int().min(0).max(65535);
const duration = z
  .union([z.int().nonnegative(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "a duration such as 30s, 5m, 12h or 7d")])
  .transform((value): number => (typeof value === "number" ? value : parseDuration(value)));

function parseDuration(text: string): number {
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const match = /^([\d.]+)(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * unit[match[2] as keyof typeof unit] : Number.NaN;
}

export const homeserverSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe("Where the homeserver's client API is reached, e.g. http://localhost:8008"),
  name: z.string().min(1).describe("The homeserver's name, the part of a user id behind the colon"),
  requestTimeout: duration.default(60_000).describe("How long one request may take"),
  connections: z.int().min(1).max(1024).default(64).describe("How many connections are kept to the homeserver"),
});

export const listenSchema = z.strictObject({
  host: z.string().default("127.0.0.1").describe("The address the homeserver connects to"),
  port: port.default(9993).describe("The port the homeserver connects to; 0 takes a free one"),
});

export const operationsSchema = z.strictObject({
  host: z.string().default("127.0.0.1").describe("The address of /live, /ready, /metrics and of the commands of the command line"),
  port: port.default(9994).describe("Its port; 0 takes a free one"),
});

export const mediaSchema = z.strictObject({
  publicUrl: z.url({ protocol: /^https?$/ }).optional().describe("The address under which people on a network reach the media proxy; without it files are named, not linked"),
  host: z.string().default("127.0.0.1").describe("The address the media proxy listens on"),
  port: port.default(9995).describe("Its port; 0 takes a free one"),
  expire: duration.default(30 * 86_400_000).describe("How long a link works"),
  maxBytes: z.int().positive().default(100 * 1024 * 1024).describe("The largest file that is passed on, either way, in bytes"),
});

export const permissionLevel = z.enum(["block", "relay", "user", "admin"]);

export const deliverySchema = z.strictObject({
  maxAgeToNetwork: duration.default(24 * 3_600_000).describe("A Matrix event older than this is kept as a dead letter instead of being sent late; 0 for no limit"),
  maxAgeToMatrix: duration.default(7 * 86_400_000).describe("A network event older than this is kept as a dead letter instead of being sent late; 0 for no limit"),
  handlerTimeout: duration.default(30_000).describe("How long a connector may take for one effect"),
  attempts: z.int().min(1).max(100).default(8).describe("How often an effect is tried that fails for an unknown reason"),
  retryMin: duration.default(500).describe("The first wait before another try"),
  retryMax: duration.default(60_000).describe("The longest wait before another try, also when a server asks for more"),
  concurrency: z.int().min(1).max(1024).default(64).describe("How many lanes work at once, in each direction"),
  highWater: z.int().min(100).default(200_000).describe("With this many events waiting the homeserver is asked to keep the rest"),
  remember: duration.default(14 * 86_400_000).describe("How long ids of delivered events are remembered, to recognise repetitions"),
  stopTimeout: duration.default(20_000).describe("How long a stop waits for lanes to finish; the rest is delivered after the next start"),
});

export const logSchema = z.strictObject({
  level: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info").describe("The least important line that is written"),
  format: z.enum(["auto", "json", "pretty"]).default("auto").describe("json, pretty, or auto: pretty on a terminal"),
});

export const bridgeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "up to 32 of a-z 0-9 _ -").describe("The bridge's name; data is stored under it, so do not change it"),
  connector: z.string().min(1).describe("irc, or an npm package (or a path beginning with ./ or /) that exports a connector"),
  registration: z.string().min(1).describe("The registration file that the homeserver reads as well"),
  commandPrefix: z.string().regex(/^![a-z0-9]+$/).optional().describe("What begins a command in a room; ! and the bridge's name where absent"),
  displayName: z.string().optional().describe("The display name of the bridge bot"),
  avatar: z.string().optional().describe("The avatar of the bridge bot, an mxc URI"),
  links: z.array(z.strictObject({ room: z.string().describe("A room id or alias"), channel: z.string().describe("A channel as the connector spells it") })).default([]).describe("Links made at start; the bot must be invited to the room"),
  relayFormat: z.string().default("{name}").describe("The sender's name as the relay shows it"),
  membership: z.enum(["lazy", "full"]).default("lazy").describe("lazy: a ghost joins when it first speaks; full: as soon as the person is seen"),
  network: z.unknown().default({}).describe("The connector's own settings"),
});

export const configSchema = z.strictObject({
  homeserver: homeserverSchema,
  listen: listenSchema.prefault({}),
  operations: operationsSchema.prefault({}),
  media: mediaSchema.prefault({}),
  dataDirectory: z.string().default("data").describe("Where the database and what connectors keep lies, relative to this file"),
  encryptionKey: z.string().min(32).optional().describe("Encrypts logins at rest: 32 characters or more; use ${ENV} or encryptionKey_FILE"),
  permissions: z.record(z.string(), permissionLevel).default({ "*": "relay" }).describe("What people may do, by user id, server name or *"),
  delivery: deliverySchema.prefault({}),
  log: logSchema.prefault({}),
  bridges: z.array(bridgeSchema).min(1).describe("One or more bridges"),
});

export type Config = z.output<typeof configSchema>;
export type BridgeConfig = z.output<typeof bridgeSchema>;
export type DeliveryConfig = z.output<typeof deliverySchema>;
export type MediaConfig = z.output<typeof mediaSchema>;
export type PermissionLevel = z.output<typeof permissionLevel>;
