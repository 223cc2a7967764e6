import type { ChannelId, ChannelLink } from "@trestle/core";
import { placeOf } from "../ids.js";

/** What concerns a channel although nobody linked it. */
const always: ReadonlySet<string> = new Set(["channel_id_changed"]);

/** The channels that are linked to rooms now: of all others nothing is kept. */
export class LinkedChannels {
  readonly #channels: Set<ChannelId>;

  constructor(links: readonly Pick<ChannelLink, "channel">[]) {
    this.#channels = new Set(links.map(({ channel }) => channel));
  }

  add(channel: ChannelId): void {
    this.#channels.add(channel);
  }

  remove(channel: ChannelId): void {
    this.#channels.delete(channel);
  }

  wants(channel: ChannelId, type: string): boolean {
    return this.#channels.has(channel) || always.has(type);
  }

  anyOf(team: string): ChannelId | undefined {
    for (const channel of this.#channels) if (placeOf(channel)?.team === team) return channel;
    return undefined;
  }
}
