import { createHash, timingSafeEqual } from "node:crypto";
import { RemoteMessageId, type MessageReceived } from "@trestle/core";
import { isEmpty } from "@trestle/rich-text";
import { z } from "zod";
import type { WebhookConfig } from "../config.js";
import { readContent, readMessage } from "../content/index.js";
import { channelIdOf } from "../ids.js";
import { remoteUserOf } from "../people/remote-user.js";

const text = z.string().max(100_000).default("");
const id = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}$/)
  .optional();

/** What Slack or Mattermost posts for an outgoing webhook or a slash command, as far as it is used. */
const postedSchema = z.looseObject({
  team_id: id,
  channel_id: z.string().max(200).default(""),
  channel_name: z.string().max(200).default(""),
  user_id: id,
  user_name: z.string().max(200).default(""),
  text,
  /** A command's name. */
  command: z.string().max(200).optional(),
  trigger_id: z.string().max(500).optional(),
  /** Mattermost's. */
  post_id: id,
  timestamp: z.union([z.string().max(40), z.number()]).optional(),
  bot_id: z.string().optional(),
  bot_name: z.string().optional(),
});
export type Posted = z.output<typeof postedSchema>;

/** The team of which the channels of webhooks are. */
export const webhookTeam = "webhook";

/** What a request comes to. */
export type Reading =
  | { readonly outcome: "foreign"; readonly reason: string }
  | { readonly outcome: "ignored"; readonly reason: string }
  | { readonly outcome: "malformed"; readonly reason: string }
  | { readonly outcome: "taken"; readonly event: MessageReceived; readonly isCommand: boolean };

/** Finds the webhook a token belongs to; how long that takes says nothing of how much of the token is right. */
export class WebhookTokens {
  readonly #tokens: readonly { readonly digest: Buffer; readonly webhook: WebhookConfig }[];

  constructor(webhooks: readonly WebhookConfig[]) {
    this.#tokens = webhooks.flatMap((webhook) => webhook.tokens.map((token) => ({ digest: digestOf(token), webhook })));
  }

  get none(): boolean {
    return this.#tokens.length === 0;
  }

  find(token: unknown): WebhookConfig | undefined {
    const given = digestOf(typeof token === "string" ? token : "");
    let found: WebhookConfig | undefined;
    for (const { digest, webhook } of this.#tokens) if (timingSafeEqual(digest, given)) found = webhook;
    return found;
  }
}

/** What a posted form, or Mattermost's JSON, means. */
export function readPosted(body: unknown, tokens: WebhookTokens): Reading {
  const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
  const webhook = tokens.find(token);
  if (!webhook) return { outcome: "foreign", reason: "its token is none of the bridge's" };
  const parsed = postedSchema.safeParse(body);
  if (!parsed.success)
    return { outcome: "malformed", reason: `its field ${parsed.error.issues[0]?.path.join(".") ?? ""} cannot be read` };
  const posted = parsed.data;
  if (webhook.channel !== posted.channel_id && webhook.channel !== posted.channel_name)
    return {
      outcome: "ignored",
      reason: `it is of the channel ${posted.channel_name || posted.channel_id}, not of ${webhook.channel}`,
    };
  if (isBots(posted)) return { outcome: "ignored", reason: "a bot posted it, perhaps this one" };
  return messageOf(webhook, posted);
}

/** What is posted may be as somebody typed it: a mention of everyone in it is text. */
const nobody: ReadonlySet<never> = new Set();

function messageOf(webhook: WebhookConfig, posted: Posted): Reading {
  const { team_id: team = webhookTeam, user_id: user, user_name: name, command } = posted;
  const messageId = idOf(posted);
  if (user === undefined || messageId === undefined)
    return { outcome: "malformed", reason: "it does not say who posted it, or has neither timestamp nor id" };
  const content = readContent(readMessage(contentOf(webhook, posted.text)), { notifyFor: nobody });
  if (posted.text.trim() === "" || isEmpty(content.body)) return { outcome: "ignored", reason: "it has no text" };
  const at = timeOf(posted.timestamp);
  const event: MessageReceived = {
    kind: "message",
    id: RemoteMessageId(messageId),
    channel: channelIdOf({ team: webhookTeam, channel: webhook.channel }),
    sender: { id: remoteUserOf({ kind: "user", team, id: user }), ...(name !== "" && { name }) },
    content: { type: "text", style: "text", body: content.body },
    ...(at !== undefined && { at }),
  };
  return { outcome: "taken", event, isCommand: command !== undefined };
}

function contentOf({ format }: WebhookConfig, said: string): Record<string, unknown> {
  return format === "slack" ? { text: said } : { text: said, blocks: [{ type: "markdown", text: said }] };
}

/** Slack tells of the posts of integrations as well, this bridge's among them, all as its own slackbot's. */
function isBots({ user_id, user_name, bot_id, bot_name }: Posted): boolean {
  return user_id === "USLACKBOT" || user_name === "slackbot" || (bot_id ?? "") !== "" || (bot_name ?? "") !== "";
}

/** The same however often it is posted. */
function idOf({ command, trigger_id, post_id, timestamp }: Posted): string | undefined {
  if (command !== undefined)
    return trigger_id === undefined ? undefined : `command:${digestOf(trigger_id).toString("hex")}`;
  if (post_id !== undefined) return post_id;
  const given = String(timestamp ?? "");
  return /^\d{1,14}(?:\.\d{1,9})?$/.test(given) ? given : undefined;
}

/** Slack counts seconds and Mattermost milliseconds. */
function timeOf(timestamp: string | number | undefined): number | undefined {
  const given = Number(timestamp ?? Number.NaN);
  if (!(given > 0 && given < 1e14)) return undefined;
  return Math.floor(given < 1e11 ? given * 1_000 : given);
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
