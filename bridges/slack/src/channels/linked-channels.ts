import type { ChannelId, ChannelLink } from "@trestle/core";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { channelIdOf, placeOf } from "../ids.js";

const idChangedSchema = z.looseObject({
  type: z.literal("channel_id_changed"),
  old_channel_id: z.string().min(1),
  new_channel_id: z.string().min(1),
});
/** So long events under a new id wait for the link to follow. */
const movingMs = 60_000;

/** The channels that are linked to rooms now: of all others nothing is kept. */
export class LinkedChannels {
  readonly #channels: Set<ChannelId>;
  /** What linked channels are called from now on; the core does not know it yet. */
  readonly #moving = new LRUCache<ChannelId, true>({ max: 1_000, ttl: movingMs });

  constructor(links: readonly Pick<ChannelLink, "channel">[]) {
    this.#channels = new Set(links.map(({ channel }) => channel));
  }

  add(channel: ChannelId): void {
    this.#channels.add(channel);
    this.#moving.delete(channel);
  }

  remove(channel: ChannelId): void {
    this.#channels.delete(channel);
  }

  has(channel: ChannelId): boolean {
    return this.#channels.has(channel) || this.#moving.has(channel);
  }

  /** Whether the channel is a linked one under a new id with which it is not linked yet. */
  isMoving(channel: ChannelId): boolean {
    return this.#moving.has(channel);
  }

  /** Looks at an event as it comes in: what follows it under a new id of a linked channel is wanted at once. */
  note(team: string, event: unknown): void {
    const moved = idChangedSchema.safeParse(event);
    if (!moved.success || !this.has(channelIdOf({ team, channel: moved.data.old_channel_id }))) return;
    this.#moving.set(channelIdOf({ team, channel: moved.data.new_channel_id }), true);
  }

  all(): readonly ChannelId[] {
    return [...this.#channels];
  }

  of(team: string): readonly ChannelId[] {
    return [...this.#channels].filter((channel) => placeOf(channel)?.team === team);
  }

  anyOf(team: string): ChannelId | undefined {
    return this.of(team)[0];
  }
}
