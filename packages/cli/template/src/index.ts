import { setTimeout as delay } from "node:timers/promises";
import { ChannelId, defineConnector, refused, RemoteMessageId, RemoteUserId } from "@trestle/core";
import { retry, textContent, uncertain, type Network, type Outcome } from "@trestle/core";
import { toPlainText } from "@trestle/rich-text";
import { z } from "zod";
import { Api, ApiError } from "./api.js";

export default defineConnector({
  network: "my-network",
  displayName: "My Network",
  config: z.strictObject({ url: z.url().describe("Where the network's API is") }),
  connect({ config, network, signal: stopped }) {
    const api = new Api(config.url);
    const listening = listen(api, network, stopped);
    return {
      limits: { textBytes: 4_000 },

      async message({ channel, content, author, effect, signal }) {
        const text = toPlainText(content.body);
        try {
          const { id } = await api.post({ channel, sender: author.name, text, key: effect }, signal);
          return { id: RemoteMessageId(id) };
        } catch (error) {
          return outcomeOf(error);
        }
      },

      async findSent({ effect, signal }) {
        const found = await api.find(effect, signal);
        return found === undefined ? null : { id: RemoteMessageId(found.id) };
      },

      close: () => listening,
    };
  },
});

/** Asks for what happened, from where it stopped the last time, until the bridge stops. */
async function listen(api: Api, network: Network, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    try {
      const cursor = (await network.storage.get("cursor")) ?? "0";
      const events = await api.events(cursor, stopped);
      network.report({ connection: "api", state: "connected" });
      for (const { id, channel, sender, text, key } of events) {
        // A message with a key is one of ours.
        if (key === undefined) {
          await network.receive({
            kind: "message",
            id: RemoteMessageId(id),
            channel: ChannelId(channel),
            sender: { id: RemoteUserId(sender), name: sender },
            content: textContent(text),
          });
        }
        // Only now: everything up to here is on disk.
        await network.storage.set("cursor", id);
      }
    } catch (error) {
      if (stopped.aborted) return;
      network.report({ connection: "api", state: "waiting", detail: String(error) });
      await delay(500, undefined, { signal: stopped }).catch(() => undefined);
    }
  }
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ApiError)) return uncertain(`nobody knows whether it was posted: ${String(error)}`);
  return error.passes ? retry(error.message) : refused(error.message);
}
