import { z } from "zod";
import { durationText, parseDuration } from "./duration.js";

const port = z.int().min(0).max(65535);
const httpUrl = z.url({ protocol: /^https?$/, error: "expected a URL that begins with http:// or https://" });

/** Milliseconds, or a number with a unit. */
const durationHelp = "expected a duration such as 500ms, 30s, 5m, 12h or 7d (a plain number is milliseconds)";
const duration = z
  .union([z.int(durationHelp).nonnegative(durationHelp), z.string().regex(durationText, durationHelp)], durationHelp)
  .transform(parseDuration)
  .meta({ format: "duration" });

export const homeserverSchema = z.strictObject({
  url: httpUrl.meta({
    description: "Where the homeserver's client API is reached, as Trestle reaches it",
    examples: ["http://localhost:8008"],
  }),
  name: z
    .string()
    .regex(/^[A-Za-z0-9.\-:[\]]+$/, "expected a server name such as example.org, without https:// and without a path")
    .meta({
      description: "The homeserver's name: the part of a user id behind the colon (server_name in Synapse)",
      examples: ["example.org"],
    }),
  requestTimeout: duration.prefault("60s").describe("How long one request may take"),
  connections: z.int().min(1).max(1024).default(64).describe("How many connections are kept to the homeserver"),
  doublePuppetToken: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The as_token of the registration that `trestle registration double-puppet` makes: with it, what people who signed in write on a network is said in Matrix by themselves instead of by a ghost",
    ),
});

export const listenSchema = z.strictObject({
  host: z
    .string()
    .default("127.0.0.1")
    .describe("The address the homeserver connects to; 0.0.0.0 where it is on another machine or in a container"),
  port: port
    .default(9993)
    .describe("The port the homeserver connects to (the url of the registrations points here); 0 takes a free one"),
});

export const operationsSchema = z.strictObject({
  host: z
    .string()
    .default("127.0.0.1")
    .describe("The address of /live, /ready, /metrics and of the commands of the command line; keep it private"),
  port: port.default(9994).describe("Its port; 0 takes a free one"),
});

export const mediaSchema = z.strictObject({
  publicUrl: httpUrl.optional().meta({
    description:
      "The address under which people on a network reach the media proxy; without it files are named, not linked",
    examples: ["https://media.example.org"],
  }),
  host: z.string().default("127.0.0.1").describe("The address the media proxy listens on"),
  port: port.default(9995).describe("Its port; 0 takes a free one"),
  expire: duration.prefault("30d").describe("How long a link works"),
  maxBytes: z
    .int()
    .positive()
    .default(100 * 1024 * 1024)
    .describe("The largest file that is passed on, either way, in bytes"),
  allowPrivate: z
    .array(z.string())
    .default([])
    .describe("Addresses of this machine or its network from which files of a network may be fetched all the same"),
});

export const permissionLevel = z.enum(["block", "relay", "user", "admin"]);

export const deliverySchema = z.strictObject({
  maxAgeToNetwork: duration
    .prefault("24h")
    .describe("A Matrix event older than this is kept as a dead letter instead of being sent late; 0 for no limit"),
  maxAgeToMatrix: duration
    .prefault("7d")
    .describe("A network event older than this is kept as a dead letter instead of being sent late; 0 for no limit"),
  handlerTimeout: duration.prefault("30s").describe("How long a connector may take for one effect"),
  attempts: z
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe("How often an effect is tried that fails for an unknown reason"),
  retryMin: duration.prefault("500ms").describe("The first wait before another try"),
  retryMax: duration
    .prefault("60s")
    .describe("The longest wait before another try, also when a server asks for a longer one"),
  concurrency: z.int().min(1).max(1024).default(64).describe("How many lanes work at once, in each direction"),
  highWater: z
    .int()
    .min(100)
    .default(200_000)
    .describe("With this many events waiting the homeserver is asked to keep the rest"),
  remember: duration
    .prefault("14d")
    .describe("How long ids of delivered events are remembered, to recognise repetitions"),
  stopTimeout: duration
    .prefault("20s")
    .describe(
      "How long a stop waits for lanes to finish; what is not answered by then is asked for, and the rest delivered, after the next start",
    ),
});

export const logSchema = z.strictObject({
  level: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("The least important line that is written"),
  format: z.enum(["auto", "json", "pretty"]).default("auto").describe("json, pretty, or auto: pretty on a terminal"),
});

const linkSchema = z.strictObject({
  room: z
    .string()
    .regex(/^[!#]/, "expected a room id (!…) or alias (#…:…)")
    .meta({
      description: "A room id or alias; the bot must be invited or the room public",
      examples: ["#trestle:example.org"],
    }),
  channel: z
    .string()
    .min(1)
    .meta({
      description: "A channel as the connector spells it",
      examples: ["#trestle"],
    }),
});

const spacesSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      "Whether linked rooms are put into a Matrix space for each space of the network, such as a Slack workspace; when it is switched off they are taken out again",
    ),
  join: z
    .enum(["invite", "public"])
    .default("invite")
    .describe("Who may enter a space that the bridge makes: who is invited (invite), or everybody (public)"),
  invite: z
    .array(z.string().regex(/^@[^:]+:.+$/, "expected a user id such as @alice:example.org"))
    .max(100)
    .default([])
    .meta({
      description: "Who is invited to a new space; where it is empty the users that permissions names as admin",
      examples: [["@alice:example.org"]],
    }),
});

const direction = z.enum(["none", "toMatrix", "toNetwork", "both"]);
const power = z.int().min(0).max(100);

const rolesSchema = z.strictObject({
  portals: direction
    .default("both")
    .describe(
      "Ranks of channels and power levels of their portals: neither is changed because of the other (none), power levels by ranks (toMatrix), ranks by power levels (toNetwork), or both",
    ),
  plumbed: direction.default("none").describe("The same for rooms that existed before they were linked"),
  powers: z
    .strictObject({
      owner: power.default(75).describe("The power level of an owner (IRC ~, XMPP owner)"),
      admin: power.default(60).describe("Of an admin (IRC &, XMPP admin)"),
      moderator: power.default(50).describe("Of a moderator (IRC @, XMPP moderator)"),
      helper: power.default(25).describe("Of a helper (IRC %)"),
      speaker: power
        .default(1)
        .describe("Of who has a voice (IRC +), and what speaking takes where a channel is moderated"),
    })
    .prefault({})
    .describe(
      "Which power level a rank is, never as high as the bot's own; a power level is the highest rank it reaches",
    ),
});

const channelSettingsSchema = z.strictObject({
  portals: direction
    .default("both")
    .describe("Moderated, invite-only, keyed and secret channels, and who sets the topic: what is carried for portals"),
  plumbed: direction.default("none").describe("The same for rooms that existed before they were linked"),
});

export const bridgeSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "expected 1 to 32 characters of a-z 0-9 _ -, the first a letter or digit")
    .meta({
      description: "The bridge's name; its data is stored under it, so do not change it later",
      examples: ["irc"],
    }),
  connector: z
    .string()
    .min(1)
    .meta({
      description: "irc, or an npm package, or a path beginning with ./ or /, that exports a connector",
      examples: ["irc"],
    }),
  registration: z
    .string()
    .min(1)
    .meta({
      description: "The registration file that the homeserver reads as well, relative to this file",
      examples: ["./registration-irc.yaml"],
    }),
  commandPrefix: z
    .string()
    .regex(/^![a-z0-9]+$/, "expected ! and then letters a-z or digits, such as !irc")
    .optional()
    .meta({
      description: "What begins a command in a room; ! and the bridge's name where absent",
      examples: ["!irc"],
    }),
  displayName: z
    .string()
    .optional()
    .meta({ description: "The display name of the bridge bot", examples: ["IRC bridge"] }),
  avatar: z
    .string()
    .regex(/^mxc:\/\/[^/]+\/[^/]+$/, "expected an mxc URI such as mxc://example.org/abcDEF")
    .optional()
    .meta({ description: "The avatar of the bridge bot, an mxc URI", examples: ["mxc://example.org/abcDEF"] }),
  links: z
    .array(linkSchema)
    .default([])
    .describe(
      "Links made at start, beside those made by commands; the bot must be invited to the room. A link that is taken out here stays until it is removed with unlink",
    ),
  relayFormat: z
    .string()
    .includes("{name}", { error: "expected a text with {name} in it" })
    .default("{name}")
    .describe("How the relay shows the sender's name; {name} stands for it"),
  membership: z
    .enum(["lazy", "full"])
    .default("lazy")
    .describe("lazy: a ghost joins when it first speaks; full: as soon as the person is seen"),
  roomMentions: z
    .enum(["never", "permitted"])
    .default("never")
    .describe(
      "Whether a mention of everyone on the network, such as Slack's @channel, notifies everyone in the room: never, or where the power levels of the room permit the ghost to (permitted; notifications.room)",
    ),
  createChannels: z
    .enum(["nobody", "admin", "user"])
    .default("admin")
    .describe(
      "Who may have channels made on the network with the command create, in rooms they may link: nobody, or who has this level of permissions or a higher one",
    ),
  roles: rolesSchema.prefault({}).describe("Ranks on the network and power levels in Matrix; see docs/moderation.md"),
  channelSettings: channelSettingsSchema
    .prefault({})
    .describe("How channels and their rooms are set; see docs/moderation.md"),
  spaces: spacesSchema.prefault({}).describe("Matrix spaces for the spaces of the network"),
  network: z.unknown().default({}).describe("The connector's own settings"),
});

export const configSchema = z.strictObject({
  homeserver: homeserverSchema.describe("The homeserver this Trestle serves"),
  listen: listenSchema.prefault({}).describe("Where the homeserver reaches Trestle"),
  operations: operationsSchema.prefault({}).describe("Health, metrics and the command line; not for the public"),
  media: mediaSchema.prefault({}).describe("Files from Matrix for networks that cannot carry files"),
  dataDirectory: z
    .string()
    .min(1)
    .default("data")
    .describe("Where the database and what connectors keep lie, relative to this file"),
  encryptionKey: z
    .string()
    .min(32)
    .optional()
    .meta({
      description: "Encrypts logins at rest: 32 characters or more; use ${ENV} or encryptionKey_FILE",
      examples: ["${TRESTLE_ENCRYPTION_KEY}"],
    }),
  permissions: z
    .record(z.string(), permissionLevel)
    .default({ "*": "relay" })
    .meta({
      examples: [{ "*": "relay", "example.org": "user", "@admin:example.org": "admin" }],
      description:
        "What people may do, by user id, server name or * (the most exact entry counts): block (nothing of theirs is passed on), relay (what they write is), user (also log in, and link rooms in which they may change settings), admin (also link any room)",
    }),
  policyLists: z
    .array(z.string().regex(/^[!#]/, "expected a room id (!…) or alias (#…:…)"))
    .max(100)
    .default([])
    .meta({
      examples: [["#bans:example.org"]],
      description:
        "Rooms with moderation policy lists (m.policy.rule.*), by alias or id: nothing is passed on of users, servers and rooms they ban, whatever permissions says of their servers; who stands in permissions by user id is never banned by a list. The bot of every bridge must be able to join",
    }),
  delivery: deliverySchema.prefault({}).describe("Retries, time limits and bounds; the defaults suit most"),
  log: logSchema.prefault({}).describe("What is written to standard output"),
  bridges: z.array(bridgeSchema).min(1).describe("One or more bridges"),
});

/** A configuration, validated, with its defaults. */
export type Config = z.output<typeof configSchema>;
/** The configuration as it is written, before defaults are filled in. */
export type ConfigInput = z.input<typeof configSchema>;
/** The section of one bridge. */
export type BridgeConfig = z.output<typeof bridgeSchema>;
/** The section `delivery`. */
export type DeliveryConfig = z.output<typeof deliverySchema>;
/** The section `media`. */
export type MediaConfig = z.output<typeof mediaSchema>;
/** The section `operations`. */
export type OperationsConfig = z.output<typeof operationsSchema>;
/** The section `log`. */
export type LogConfig = z.output<typeof logSchema>;
/** What somebody may do. */
export type PermissionLevel = z.output<typeof permissionLevel>;
