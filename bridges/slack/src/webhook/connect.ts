import { refused, type ChannelId, type ChannelInfo, type ConnectContext, type NetworkHandlers } from "@trestle/core";
import type { SlackConfig, WebhookConfig } from "../config.js";
import { channelIdOf, placeOf } from "../ids.js";
import { Pacer, SlackServer, Transport } from "../link/index.js";
import { SlackMetrics } from "../metrics.js";
import { postToWebhook } from "./incoming.js";
import { payloadOf, webhookWiresOf } from "./payload.js";
import { webhookTeam, WebhookTokens } from "./posted.js";
import { webhookRoute } from "./route.js";

/** Slack takes one post a second at each webhook. */
const pace = { perMinute: 60, burst: 3 };
const listenerName = "webhook listener";

/**
 * The mode without an app: text both ways, and nothing else. What was posted has no id, so that there are no edits, no
 * deletions and no reactions, and nobody can say whether a post arrived whose answer was lost.
 */
export async function connectWebhooks({
  config,
  network,
}: Pick<ConnectContext<SlackConfig>, "config" | "network">): Promise<NetworkHandlers> {
  const { log } = network;
  const metrics = new SlackMetrics(network.metrics);
  const webhooks = new Map(config.webhooks.map((webhook) => [idOf(webhook), webhook]));
  const transport = new Transport({ ...(config.proxy !== undefined && { proxy: config.proxy }) });
  const pacer = new Pacer();
  const tokens = new WebhookTokens(config.webhooks);
  const server = new SlackServer({
    ...config.http,
    log,
    routes: {
      "POST /slack/webhook": webhookRoute({
        tokens,
        receive: (event) => network.receive(event),
        log,
        onTaken: metrics.onTaken,
      }),
    },
  });
  if (!tokens.none) {
    const address = await server.listen();
    log.info({ address: `${address}/slack/webhook` }, "Outgoing webhooks and slash commands are taken");
    network.report({ connection: listenerName, state: "connected" });
  }
  return {
    limits: {},
    split({ channel, content, author }) {
      const webhook = webhooks.get(channel);
      // The core makes text of everything that is none.
      if (!webhook || content.type !== "text") return [null];
      return webhookWiresOf(webhook, config, { content, author });
    },
    async message({ channel, author, wire, signal }) {
      const webhook = webhooks.get(channel);
      if (webhook?.url === undefined) return refused(`${nameOf(channel)} has no incoming webhook (webhooks, url).`);
      const wait = await pacer.take([{ key: channel, ...pace }], signal);
      if (wait > 0) return { failed: "retry", reason: "the webhook was asked to wait", afterMs: wait };
      const payload = payloadOf(webhook, author, wire);
      const posted = await postToWebhook({
        url: webhook.url,
        payload,
        dispatcher: transport.dispatcher,
        timeoutMs: config.timeout * 1_000,
        signal,
      });
      metrics.webhookPost(posted.ok ? "ok" : posted.failed);
      if (posted.ok) return {};
      if (posted.code === "ratelimited") pacer.block({ key: channel, ...pace }, posted.afterMs ?? 0);
      return posted;
    },
    resolveChannel: (text) => Promise.resolve(resolve(webhooks, text)),
    async close() {
      await server.close();
      if (!tokens.none) network.report({ connection: listenerName, state: "closed" });
      await transport.close();
    },
  };
}

function idOf({ channel }: WebhookConfig): ChannelId {
  return channelIdOf({ team: webhookTeam, channel });
}

function nameOf(channel: ChannelId): string {
  return `#${placeOf(channel)?.channel ?? channel}`;
}

function resolve(webhooks: ReadonlyMap<ChannelId, WebhookConfig>, text: string): ChannelInfo {
  const wanted = text.trim().replace(/^#/, "");
  const found = [...webhooks].find(([id, { channel }]) => id === wanted || channel === wanted);
  if (!found) {
    const names = [...webhooks.values()].map(({ channel }) => channel).join(", ");
    throw new Error(`There is no webhook for ${wanted}. There are webhooks for: ${names}.`);
  }
  return { id: found[0], name: nameOf(found[0]) };
}
