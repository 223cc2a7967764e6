import { z } from "zod";

/** The scopes a bot gets unless an app says otherwise. */
export const usualBotScopes = [
  "app_mentions:read",
  "channels:history",
  "channels:join",
  "channels:manage",
  "channels:read",
  "chat:write",
  "chat:write.customize",
  "chat:write.public",
  "commands",
  "emoji:read",
  "files:read",
  "files:write",
  "groups:history",
  "groups:read",
  "groups:write",
  "im:history",
  "im:read",
  "im:write",
  "links:write",
  "mpim:history",
  "mpim:read",
  "mpim:write",
  "pins:read",
  "pins:write",
  "reactions:read",
  "reactions:write",
  "team:read",
  "usergroups:read",
  "users.profile:read",
  "users:read",
  "users:read.email",
  "incoming-webhook",
];

/** The scopes a person grants unless an app says otherwise. */
export const usualUserScopes = [
  "channels:history",
  "channels:read",
  "channels:write",
  "chat:write",
  "emoji:read",
  "files:read",
  "files:write",
  "groups:history",
  "groups:read",
  "groups:write",
  "im:history",
  "im:read",
  "im:write",
  "mpim:history",
  "mpim:read",
  "mpim:write",
  "pins:read",
  "pins:write",
  "reactions:read",
  "reactions:write",
  "team:read",
  "users.profile:read",
  "users.profile:write",
  "users:read",
  "users:write",
];

const id = (letters: string) => z.string().regex(new RegExp(`^[${letters}][A-Z0-9]+$`));

const userOptions = z.strictObject({
  id: id("UW").optional(),
  /** The handle. */
  name: z.string().min(1),
  realName: z.string().optional(),
  displayName: z.string().optional(),
  email: z.string().optional(),
  title: z.string().optional(),
  timezone: z.string().optional(),
  admin: z.boolean().optional(),
  owner: z.boolean().optional(),
  guest: z.enum(["no", "restricted", "ultra_restricted"]).optional(),
  deactivated: z.boolean().optional(),
});

const channelOptions = z.strictObject({
  id: id("CG").optional(),
  name: z.string().min(1),
  private: z.boolean().optional(),
  general: z.boolean().optional(),
  archived: z.boolean().optional(),
  topic: z.string().optional(),
  purpose: z.string().optional(),
  /** Handles; everybody when absent. */
  members: z.array(z.string()).optional(),
  /** The domains of other workspaces it is shared with. */
  sharedWith: z.array(z.string()).optional(),
});

const workspaceOptions = z.strictObject({
  id: id("T").optional(),
  /** Names it: `acme` is acme.slack.com. */
  domain: z.string().min(1),
  name: z.string().optional(),
  /** The domain of its organisation, from `enterprises`. */
  enterprise: z.string().optional(),
  users: z.array(userOptions).optional(),
  channels: z.array(channelOptions).optional(),
  /** Name to URL or `alias:name`. */
  emoji: z.record(z.string(), z.string()).optional(),
  userGroups: z
    .array(
      z.strictObject({
        id: id("S").optional(),
        handle: z.string(),
        name: z.string().optional(),
        users: z.array(z.string()),
      }),
    )
    .optional(),
  /** The start of a URL to the attachment Slack shows for it. */
  unfurls: z.record(z.string(), z.record(z.string(), z.json())).optional(),
});

const installOptions = z.strictObject({
  /** The workspace's domain. */
  workspace: z.string(),
  /** The handle of who installs it; the first person when absent. */
  by: z.string().optional(),
  /** The channels its bot is in, by name. */
  channels: z.array(z.string()).optional(),
  /** The handles of those who let it act for them. */
  users: z.array(z.string()).optional(),
  /** The bot token, when it has to be a certain one. */
  botToken: z.string().optional(),
});

const appOptions = z.strictObject({
  id: id("A").optional(),
  name: z.string().min(1),
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  signingSecret: z.string().optional(),
  /** The app-level token, when it has to be a certain one. */
  appToken: z.string().optional(),
  /** Events come over its sockets; the default unless it has a request URL. */
  socketMode: z.boolean().optional(),
  requestUrl: z.string().optional(),
  botScopes: z.array(z.string()).optional(),
  userScopes: z.array(z.string()).optional(),
  /** Events of its bot; every event when absent. */
  botEvents: z.array(z.string()).optional(),
  /** Events on behalf of people; every event when absent. */
  userEvents: z.array(z.string()).optional(),
  commands: z
    .array(z.union([z.string(), z.strictObject({ command: z.string(), url: z.string().optional() })]))
    .optional(),
  redirectUrls: z.array(z.string()).optional(),
  tokenRotation: z.boolean().optional(),
  installations: z.array(installOptions).optional(),
});

/** What the emulator is started with. */
export const optionsSchema = z.strictObject({
  host: z.string().default("127.0.0.1"),
  /** 0 takes a free one. */
  port: z.int().min(0).max(65_535).default(0),
  clock: z.enum(["flowing", "frozen"]).default("flowing"),
  enterprises: z
    .array(z.strictObject({ id: id("E").optional(), domain: z.string(), name: z.string().optional() }))
    .default([]),
  workspaces: z
    .array(workspaceOptions)
    .min(1)
    .default([
      {
        domain: "acme",
        name: "Acme",
        users: [
          { name: "alice", realName: "Alice Liddell", admin: true },
          { name: "bob", realName: "Bob Builder" },
        ],
        channels: [{ name: "general", general: true }, { name: "random" }],
      },
    ]),
  apps: z
    .array(appOptions)
    .default([{ name: "Test App", installations: [{ workspace: "acme", channels: ["general", "random"] }] }]),
  /** Milliseconds an app has to answer or acknowledge an event. */
  ackTimeout: z.int().positive().default(3000),
  /** Milliseconds before each further attempt to deliver an event. */
  retryDelays: z.array(z.int().min(0)).default([0, 60_000, 300_000]),
  /** Milliseconds a socket has to leave after it was asked to. */
  leaveTimeout: z.int().positive().default(10_000),
  /** Calls are limited as Slack does (`slack`), or by calls a minute for each method; not at all when absent. */
  rateLimits: z.union([z.literal("slack"), z.record(z.string(), z.int().positive())]).optional(),
  /** Posts a second in a channel, when calls are limited, and how many at once before that. */
  postsPerSecond: z.number().positive().default(1),
  postBurst: z.int().positive().default(3),
  /** Events an hour in a workspace before an app gets `app_rate_limited` instead; Slack: 30,000. Not limited when absent. */
  eventsPerHour: z.int().positive().optional(),
  /** The most messages `conversations.history` and `conversations.replies` answer at once. */
  historyPage: z.int().positive().default(1000),
  /** Minutes in which apps may edit; for ever when absent. */
  editWindowMinutes: z.int().positive().optional(),
  /** The most bytes of a file or a request. */
  fileSize: z.int().positive().default(100_000_000),
  /** The names of the standard emoji; others answer `invalid_name`. Everything of the right form when absent. */
  standardEmoji: z.array(z.string()).optional(),
  /** Message events carry the metadata of the message. */
  metadataInEvents: z.boolean().default(true),
  /** How many calls and deliveries are remembered. */
  remembered: z.int().positive().default(10_000),
});

/** What the emulator is started with; everything has a default. */
export type SlackEmulatorOptions = z.input<typeof optionsSchema>;

/** The options with their defaults. */
export type ResolvedOptions = z.output<typeof optionsSchema>;
export type WorkspaceOptions = z.output<typeof workspaceOptions>;
export type UserOptions = z.output<typeof userOptions>;
export type ChannelOptions = z.output<typeof channelOptions>;
export type AppOptions = z.output<typeof appOptions>;
export type InstallOptions = z.output<typeof installOptions>;
