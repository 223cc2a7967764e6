import { z } from "zod";

const oneLine = (what: string) =>
  z.string().refine((text) => text !== "" && !/[\r\n\0]/.test(text), `${what} must be one line`);
const token = (prefix: string, what: string) =>
  oneLine(what).refine((text) => text.startsWith(prefix), `${what} begins with ${prefix}`);
const seconds = z.number().positive().max(86_400);
const pattern = oneLine("a channel").describe("A channel's id (C012AB3CD) or name (general), * for any characters");

const workspace = z.strictObject({
  botToken: token("xoxb-", "a bot token").describe("The bot token of the workspace (OAuth & Permissions)"),
});

const oauth = z.strictObject({
  clientId: oneLine("a client id").describe("The app's client id (Basic Information)"),
  clientSecret: oneLine("a client secret").describe("The app's client secret"),
  redirectUrl: z
    .url({ protocol: /^https?$/ })
    .describe("Where Slack sends people back to: the public address of the http section with /slack/oauth_redirect"),
  scopes: z
    .array(z.string().regex(/^[a-z:._]+$/, "a scope such as chat:write"))
    .default(() => [...botScopes])
    .describe("What the bot asks for"),
  userScopes: z
    .array(z.string().regex(/^[a-z:._]+$/, "a scope such as chat:write"))
    .default(() => [...userScopes])
    .describe("What is asked of people who sign in with an account of their own"),
});

const http = z.strictObject({
  host: z.string().default("127.0.0.1").describe("The address to listen on"),
  port: z.int().min(0).max(65_535).default(29_330).describe("The port; 0 takes any"),
  skew: seconds.default(300).describe("How old or how far ahead a request's time may be, in seconds"),
});

/** Whoever knows it may post: none that can be guessed, and none that another webhook has. */
const webhookToken = oneLine("a token").refine((text) => text.length >= 16, "a token has at least 16 characters");

const webhook = z
  .strictObject({
    channel: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, "a channel's name or id, without #")
      .describe("The channel's name or id; rooms are linked to it by this"),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("The URL of the incoming webhook, from Matrix to the channel; a secret. Left out: nothing goes there"),
    tokens: z
      .array(webhookToken)
      .max(10)
      .default([])
      .describe("The tokens of the channel's outgoing webhook and slash commands, from the channel to Matrix; secrets"),
    format: z
      .enum(["slack", "mattermost"])
      .default("slack")
      .describe("How text is written there: Slack's mrkdwn and blocks, or Mattermost's Markdown"),
    sender: z
      .enum(["text", "username"])
      .default("text")
      .describe(
        "Where the name of a Matrix user is shown: before the text, or as the name of the sender, which webhooks of today's Slack apps leave out and those of Mattermost and of Slack's legacy integrations show",
      ),
    icon: z
      .union([z.string().regex(/^:[\w+-]+:$/, "an emoji such as :speech_balloon:"), z.url({ protocol: /^https?$/ })])
      .optional()
      .describe("The picture of the sender with sender: username: an emoji (:speech_balloon:) or a URL"),
  })
  .refine(({ url, tokens }) => url !== undefined || tokens.length > 0, "give a url, tokens or both");

/** The bot scopes that everything the bridge does needs. */
export const botScopes: readonly string[] = [
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
];

/** The user scopes with which somebody speaks as themselves, direct messages included. */
export const userScopes: readonly string[] = [
  "channels:history",
  "channels:read",
  "channels:write",
  "chat:write",
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
  "reactions:read",
  "reactions:write",
  "users:read",
];

/** The `network:` section of a Slack bridge. */
export const configSchema = z
  .strictObject({
    mode: z
      .enum(["socket", "http", "webhook"])
      .default("socket")
      .describe(
        "How events come: socket (Socket Mode, needs no public address), http (the Events API) or webhook (no app of the bridge's own: an incoming and an outgoing webhook for each channel, and only text)",
      ),
    appToken: token("xapp-", "an app-level token")
      .optional()
      .describe("The app-level token with connections:write; needed for socket"),
    signingSecret: oneLine("a signing secret").optional().describe("The app's signing secret; needed for http"),
    appId: z
      .string()
      .regex(/^A[A-Z0-9]+$/, "an app id such as A012AB3CD")
      .optional()
      .describe("The app's id: events of another app are refused; read from the app-level token where there is one"),
    workspaces: z.array(workspace).max(100).default([]).describe("Workspaces the app is installed in by hand"),
    oauth: oauth
      .optional()
      .describe("Lets people install the app in further workspaces; needs the http section's listener"),
    http: http
      .prefault({})
      .describe("Where Slack's requests and those who install the app arrive; used by http, oauth and webhook"),
    webhooks: z
      .array(webhook)
      .max(1_000)
      .default([])
      .describe("The channels of the mode webhook; what they post arrives at /slack/webhook of the http section"),
    sockets: z
      .int()
      .min(1)
      .max(10)
      .default(2)
      .describe("How many connections are kept open: while one is renewed the others go on"),
    apiUrl: z
      .url({ protocol: /^https?$/ })
      .default("https://slack.com/api/")
      .describe("Where Slack's Web API is; another only for tests"),
    proxy: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("The HTTP proxy through which Slack is reached"),
    timeout: seconds.default(15).describe("How long Slack may take to answer a request, in seconds"),
    history: z
      .enum(["internal", "distributed"])
      .default("internal")
      .describe(
        "How much history Slack lets the app read: internal (an app made for this bridge: 50 requests a minute) or distributed (an app that is given to others outside the Marketplace: 1 a minute)",
      ),
    repair: z
      .strictObject({
        messages: z
          .int()
          .positive()
          .max(30 * 86_400)
          .default(86_400)
          .describe("How far back what was written while the bridge was away is fetched, in seconds"),
        changes: z
          .int()
          .positive()
          .max(7 * 86_400)
          .default(6 * 3_600)
          .describe("How far back edits, deletions and reactions made meanwhile are looked for, in seconds"),
        threads: z
          .int()
          .nonnegative()
          .max(50)
          .default(10)
          .describe(
            "In how many threads of a channel, those that were active last, edits, deletions and reactions made meanwhile are looked for; each costs a request. New answers are fetched in all",
          ),
      })
      .prefault({})
      .describe("What is made up for after the bridge was away"),
    replies: z
      .enum(["thread", "quote"])
      .default("thread")
      .describe("What a reply on Matrix becomes: an answer in the thread of its message, or a message that quotes it"),
    mentionRoom: z
      .enum(["none", "here", "channel"])
      .default("none")
      .describe("What @room on Matrix becomes: only text, @here or @channel"),
    commands: z
      .strictObject({
        who: z
          .enum(["admins", "creators", "members"])
          .default("creators")
          .describe(
            "Who may link a channel, or remove its links, with the slash command: the workspace's admins and owners (admins), also who made the channel (creators), or every full member (members)",
          ),
      })
      .prefault({})
      .describe("The slash command in Slack"),
    mostMembers: z
      .int()
      .min(0)
      .max(4_000)
      .default(500)
      .describe(
        "With membership: full, up to how many members a channel may have for all of them to be in its room; of a larger one only who says something",
      ),
    channels: z
      .strictObject({
        allow: z.array(pattern).max(1_000).default(["*"]).describe("Channels that may be linked"),
        deny: z.array(pattern).max(1_000).default([]).describe("Channels that may not, whatever allow says"),
      })
      .prefault({})
      .describe("Which channels may be linked"),
  })
  .superRefine((config, context) => {
    const need = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if (config.mode === "socket" && config.appToken === undefined)
      need(
        "appToken",
        "Socket Mode needs an app-level token with connections:write (Basic Information, App-Level Tokens)",
      );
    if (config.mode === "http" && config.signingSecret === undefined)
      need("signingSecret", "the Events API needs the app's signing secret (Basic Information)");
    if (config.mode === "webhook" && config.webhooks.length === 0)
      need("webhooks", "name the channels and their webhooks");
    if (config.mode !== "webhook" && config.webhooks.length > 0)
      need("webhooks", "only the mode webhook uses webhooks; leave them out, or say mode: webhook");
    for (const [key, values] of [
      ["channel", config.webhooks.map(({ channel }) => channel)],
      ["token", config.webhooks.flatMap(({ tokens }) => tokens)],
    ] as const)
      if (new Set(values).size < values.length) need("webhooks", `two webhooks have the same ${key}`);
    if (config.mode !== "webhook" && config.workspaces.length === 0 && config.oauth === undefined)
      need("workspaces", "give the bot token of a workspace, or oauth so that people can install the app");
  });

export type WebhookConfig = z.output<typeof webhook>;
export type SlackConfig = z.output<typeof configSchema>;
