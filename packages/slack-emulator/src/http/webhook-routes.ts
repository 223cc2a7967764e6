import type { Express, Request, Response } from "express";
import { z } from "zod";
import { postMessage } from "../actions/messages.js";
import { readArguments, type RawArguments } from "../api/args.js";
import { content } from "../api/chat-content.js";
import { SlackError } from "../api/error.js";
import { compact, isJsonObject, type JsonObject } from "../json.js";
import type { ResponseUrl } from "../state/apps.js";
import type { Bot } from "../state/people.js";
import type { World } from "../state/world.js";

const payloadSchema = z.object({
  text: z.string().optional(),
  blocks: z.array(z.record(z.string(), z.json())).optional(),
  attachments: z.array(z.record(z.string(), z.json())).optional(),
  username: z.string().optional(),
  icon_emoji: z.string().optional(),
  icon_url: z.string().optional(),
  thread_ts: z.string().optional(),
  response_type: z.enum(["in_channel", "ephemeral"]).optional(),
  delete_original: z.boolean().optional(),
  replace_original: z.boolean().optional(),
});

/** What is posted to a webhook or a response URL. */
export type HookPayload = z.output<typeof payloadSchema>;

/** Incoming webhooks and the response URLs of slash commands. */
export function webhookRoutes(application: Express, world: World): void {
  application.post("/services/*path", (request, response) => incoming(world, request, response));
  application.post("/commands/*path", (request, response) => responding(world, request, response));
}

function payloadOf(request: Request): HookPayload | undefined {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    const raw: RawArguments = readArguments(body.toString("utf8"), request.headers["content-type"] ?? "");
    const wrapped: unknown = typeof raw.payload === "string" ? JSON.parse(raw.payload) : raw;
    return payloadSchema.parse(wrapped);
  } catch {
    // Slack says no more than that it could not read it.
    return undefined;
  }
}

function fail(response: Response, status: number, error: string): void {
  response.status(status).type("text/plain").send(error);
}

function incoming(world: World, request: Request, response: Response): void {
  const webhook = world.webhooks.get(request.path);
  if (webhook === undefined || webhook.revoked) {
    fail(response, 404, "no_service");
    return;
  }
  const payload = payloadOf(request);
  if (payload === undefined) {
    fail(response, 400, "invalid_payload");
    return;
  }
  const channel = world.channels.get(webhook.channelId);
  if (channel === undefined) {
    fail(response, 404, "channel_not_found");
    return;
  }
  if (channel.archived) {
    fail(response, 410, "channel_is_archived");
    return;
  }
  const bot = world.bots.get(webhook.botId);
  if (bot === undefined || bot.deleted) {
    fail(response, 404, "no_service");
    return;
  }
  try {
    const { text } = content(payload);
    if (payload.thread_ts !== undefined && channel.messages.get(payload.thread_ts) === undefined) {
      fail(response, 400, "invalid_thread_ts");
      return;
    }
    // The webhooks of today's apps post under the app's own name, whatever the payload says.
    postMessage(world, channel, authorOf(world, bot), {
      text,
      blocks: payload.blocks,
      attachments: payload.attachments,
      threadTs: payload.thread_ts,
      subtype: "bot_message",
      username: bot.name,
    });
    response.type("text/plain").send("ok");
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    fail(response, 400, error.code);
  }
}

function authorOf(world: World, bot: Bot) {
  return { user: world.user(bot.userId), bot };
}

const mostUses = 5;

function responding(world: World, request: Request, response: Response): void {
  const target = world.responseUrls.get(request.path);
  if (target === undefined) return void response.status(404).json({ ok: false, error: "unknown_url" });
  if (target.expiresAt <= world.clock.now()) return void response.status(404).json({ ok: false, error: "expired_url" });
  if (target.uses >= mostUses) return void response.status(404).json({ ok: false, error: "used_url" });
  const payload = payloadOf(request);
  if (payload === undefined) return void response.status(400).json({ ok: false, error: "invalid_payload" });
  target.uses++;
  answerCommand(world, target, payload);
  response.type("text/plain").send("ok");
}

/** Shows an app's answer to a command: to who gave it, or to the whole channel. */
export function answerCommand(world: World, target: ResponseUrl, payload: HookPayload): void {
  const channel = world.channel(target.channelId);
  const bot = [...world.bots.values()].find((each) => each.appId === target.appId && each.teamId === target.teamId);
  if (
    bot === undefined ||
    (payload.text === undefined && payload.blocks === undefined && payload.attachments === undefined)
  )
    return;
  if (payload.response_type === "in_channel") {
    postMessage(world, channel, authorOf(world, bot), {
      text: payload.text ?? "",
      blocks: payload.blocks,
      attachments: payload.attachments,
    });
    return;
  }
  const ts = channel.timestamps.next(world.clock.now());
  const fields: JsonObject = compact({ blocks: payload.blocks, attachments: payload.attachments, bot_id: bot.id });
  channel.ephemerals.push({ ts, userId: target.userId, text: payload.text ?? "", fields });
}

/** An app's answer to a command, when it is one; text alone is shown too. */
export function commandAnswer(raw: unknown): HookPayload | undefined {
  if (typeof raw === "string") {
    if (raw.trim() === "") return undefined;
    try {
      return commandAnswer(JSON.parse(raw));
    } catch {
      return { text: raw };
    }
  }
  const json = z.json().safeParse(raw);
  if (!json.success || !isJsonObject(json.data)) return undefined;
  return payloadSchema.safeParse(json.data).data;
}
