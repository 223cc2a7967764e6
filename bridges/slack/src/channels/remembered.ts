import { randomUUID } from "node:crypto";
import { RemoteMessageId, type ChannelChanged, type ChannelId, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import { decodeEntities } from "../content/index.js";
import type { SlackChannel } from "./channels.js";

const stateSchema = z.object({ name: z.string(), topic: z.string() });
type State = z.output<typeof stateSchema>;
/** `unsure`: something else was being told, and the process may have ended in the middle of that. */
const rememberedSchema = stateSchema.extend({ unsure: z.boolean().default(false) });
type Remembered = z.output<typeof rememberedSchema>;

/** How linked channels were called when that was last told to their rooms: what changed while the bridge was away shows. */
export class RememberedChannels {
  constructor(readonly storage: ConnectorStorage) {}

  /** Tells what is different; all of it is told in the end, whenever the process ends. */
  async compare(id: ChannelId, channel: SlackChannel, tell: (change: ChannelChanged) => Promise<void>): Promise<void> {
    const before = await this.#get(id);
    const now = stateOf(channel);
    const change = before && changeOf(id, before, now);
    if (before && change) {
      await this.#set(id, { ...before, unsure: true });
      await tell(change);
    }
    await this.#set(id, { ...now, unsure: false });
  }

  /** An event, or the bridge itself, changed it. */
  async update(id: ChannelId, change: Partial<State>): Promise<void> {
    const before = await this.#get(id);
    if (before) await this.#set(id, { ...before, ...change });
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

  #set(id: ChannelId, state: Remembered): Promise<void> {
    return this.storage.set(keyOf(id), JSON.stringify(state));
  }
}

function changeOf(id: ChannelId, { unsure, ...before }: Remembered, now: State): ChannelChanged | undefined {
  const isOther = (key: keyof State): boolean => unsure || before[key] !== now[key];
  if (!isOther("name") && !isOther("topic")) return undefined;
  return {
    kind: "channel",
    // How it is called now may be told again: that changes nothing.
    id: RemoteMessageId(`state:${randomUUID()}`),
    channel: id,
    ...(isOther("name") && { name: `#${now.name}` }),
    ...(isOther("topic") && { topic: now.topic }),
  };
}

function stateOf({ id, name, topic }: SlackChannel): State {
  return { name: decodeEntities(name ?? id), topic: decodeEntities(topic?.value ?? "") };
}

function keyOf(id: ChannelId): string {
  return `channel:${id}`;
}
