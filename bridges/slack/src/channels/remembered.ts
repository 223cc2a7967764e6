import { createHash } from "node:crypto";
import { RemoteMessageId, type ChannelChanged, type ChannelId, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import { decodeEntities } from "../content/index.js";
import type { SlackChannel } from "./channels.js";

const rememberedSchema = z.object({ name: z.string(), topic: z.string() });
type Remembered = z.output<typeof rememberedSchema>;

/** How linked channels were called when that was last told to their rooms: what changed while the bridge was away shows. */
export class RememberedChannels {
  constructor(readonly storage: ConnectorStorage) {}

  /** What is to be told of a channel; call `set` when it is. */
  async changed(id: ChannelId, channel: SlackChannel): Promise<ChannelChanged | undefined> {
    const before = await this.#get(id);
    const now = stateOf(channel);
    if (!before || (before.name === now.name && before.topic === now.topic)) return undefined;
    const change = JSON.stringify([before, now, channel.updated ?? 0]);
    return {
      kind: "channel",
      id: RemoteMessageId(`state:${createHash("sha256").update(change).digest("base64url")}`),
      channel: id,
      ...(before.name !== now.name && { name: `#${now.name}` }),
      ...(before.topic !== now.topic && { topic: now.topic }),
    };
  }

  async set(id: ChannelId, channel: SlackChannel): Promise<void> {
    await this.storage.set(keyOf(id), JSON.stringify(stateOf(channel)));
  }

  /** An event, or the bridge itself, changed it. */
  async update(id: ChannelId, change: Partial<Remembered>): Promise<void> {
    const before = await this.#get(id);
    if (before) await this.storage.set(keyOf(id), JSON.stringify({ ...before, ...change }));
  }

  async forget(id: ChannelId): Promise<void> {
    await this.storage.delete(keyOf(id));
  }

  async #get(id: ChannelId): Promise<Remembered | undefined> {
    const text = await this.storage.get(keyOf(id));
    if (text === undefined) return undefined;
    const parsed = rememberedSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  }
}

function stateOf({ id, name, topic }: SlackChannel): Remembered {
  return { name: decodeEntities(name ?? id), topic: decodeEntities(topic?.value ?? "") };
}

function keyOf(id: ChannelId): string {
  return `channel:${id}`;
}
