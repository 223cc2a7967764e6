import type { Webhook } from "../state/apps.js";
import type { Channel } from "../state/channels.js";
import type { World } from "../state/world.js";
import { ensureBot } from "./install.js";

/** Makes an incoming webhook of an app for a channel. */
export function createWebhook(world: World, appId: string, teamId: string, channel: Channel): Webhook {
  const bot = ensureBot(world, world.app(appId), world.team(teamId));
  const path = `/services/${teamId}/${bot.id}/${world.secret(12)}`;
  const webhook: Webhook = { path, appId, teamId, channelId: channel.id, botId: bot.id, revoked: false };
  world.webhooks.set(path, webhook);
  return webhook;
}
