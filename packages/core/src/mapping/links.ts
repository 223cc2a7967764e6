import { LRUCache } from "lru-cache";
import { ChannelId, RoomId } from "../connector/ids.js";
import type { Clock } from "../delivery/clock.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";
import { atMost } from "./cache-bound.js";

export const linkKinds = ["portal", "plumbed", "direct"] as const;
export type LinkKind = (typeof linkKinds)[number];

export interface Channel {
  /** The store's own number. */
  readonly key: number;
  readonly id: ChannelId;
  readonly name: string;
  readonly topic: string | undefined;
  /** The id of the last event received from it. */
  readonly cursor: string | undefined;
}

export interface Link {
  readonly room: RoomId;
  readonly roomKey: number;
  readonly channel: ChannelId;
  readonly channelKey: number;
  readonly channelName: string;
  readonly kind: LinkKind;
  /** Who made it: a user id, `operator` or `config`. */
  readonly by: string;
}

interface LinkRow {
  readonly room: string;
  readonly roomKey: number;
  readonly channel: string;
  readonly channelKey: number;
  readonly channelName: string;
  readonly kind: number;
  readonly by: string;
}

interface ChannelRow {
  readonly id: number;
  readonly channel: string;
  readonly name: string;
  readonly topic: string | null;
  readonly cursor: string | null;
}

const select =
  "SELECT room.room AS room, room.id AS roomKey, channel.channel AS channel, channel.id AS channelKey, channel.name AS channelName, link.kind AS kind, link.by AS by FROM link JOIN room ON room.id = link.room JOIN channel ON channel.id = link.channel WHERE channel.bridge = ?";

/** Which rooms and channels of one bridge belong together: n to m. */
export class Links {
  readonly #byRoom = new LRUCache<string, readonly Link[]>(atMost(20_000));
  readonly #byChannel = new LRUCache<string, readonly Link[]>(atMost(20_000));
  /** Links that are being made or removed. */
  readonly #changes = new Set<Promise<void>>();
  /** Called when a link was made, moved or removed. */
  onChange: () => void = () => undefined;

  constructor(
    readonly store: Store,
    readonly bridge: number,
    readonly clock: Clock,
  ) {}

  ofRoom(room: string): Promise<readonly Link[]> | readonly Link[] {
    return this.#byRoom.get(room) ?? this.#load(this.#byRoom, room, `${select} AND room.room = ?`);
  }

  ofChannel(channel: string): Promise<readonly Link[]> | readonly Link[] {
    return this.#byChannel.get(channel) ?? this.#load(this.#byChannel, channel, `${select} AND channel.channel = ?`);
  }

  async all(): Promise<readonly Link[]> {
    const rows = await this.store.all<LinkRow>(`${select} ORDER BY channel.channel, room.room`, this.bridge);
    return rows.map(toLink);
  }

  async count(): Promise<number> {
    const row = await this.store.get<{ count: number }>(
      "SELECT count(*) AS count FROM link JOIN channel ON channel.id = link.channel WHERE channel.bridge = ?",
      this.bridge,
    );
    return row?.count ?? 0;
  }

  async channel(id: ChannelId): Promise<Channel | undefined> {
    const row = await this.store.get<ChannelRow>(
      "SELECT * FROM channel WHERE bridge = ? AND channel = ?",
      this.bridge,
      id,
    );
    return row && toChannel(row);
  }

  async ensureChannel(id: ChannelId, name: string, topic?: string): Promise<Channel> {
    const found = await this.channel(id);
    if (found) return found;
    await this.store.commit([["addChannel", this.bridge, id, name, topic ?? null]]);
    const made = await this.channel(id);
    if (!made) throw new Error(`The channel ${id} was written but cannot be read.`);
    return made;
  }

  /** Resolves to `false` when the link was there already. */
  async add(roomKey: number, room: RoomId, channel: Channel, kind: LinkKind, by: string): Promise<boolean> {
    const [added] = await this.#change(room, channel.id, [
      ["addLink", roomKey, channel.key, linkKinds.indexOf(kind), by, this.clock.now()],
    ]);
    return added !== 0;
  }

  async remove(link: Link): Promise<void> {
    await this.#change(link.room, link.channel, [
      ["dropLink", link.roomKey, link.channelKey],
      ["dropPins", link.channelKey, link.roomKey],
    ]);
  }

  async renameChannel(key: number, name: string): Promise<void> {
    await this.store.commit([["setChannelName", name, key]]);
    this.forgetAll();
  }

  /** The network gave a channel another id. Resolves to its links. Where the new one is known, the links go to that. */
  async moveChannel(from: ChannelId, to: ChannelId): Promise<readonly Link[]> {
    const [old, other] = [await this.channel(from), await this.channel(to)];
    if (!old) return [];
    await this.store.commit([other ? ["moveLinksToChannel", other.key, old.key] : ["setChannelId", to, old.key]]);
    this.forgetAll();
    return this.ofChannel(to);
  }

  /** After the links of rooms changed behind its back (a room upgrade). */
  forgetAll(): void {
    this.#byRoom.clear();
    this.#byChannel.clear();
    this.onChange();
  }

  /** Who asks meanwhile waits: what is said as soon as a link can be seen belongs to it. */
  async #change(room: RoomId, channel: ChannelId, writes: readonly Write[]): Promise<readonly number[]> {
    const committed = this.store.commit(writes);
    const over = committed.then(
      () => undefined,
      () => undefined,
    );
    this.#changes.add(over);
    this.#forget(room, channel);
    try {
      return await committed;
    } finally {
      this.#changes.delete(over);
      this.#forget(room, channel);
      this.onChange();
    }
  }

  #forget(room: RoomId, channel: ChannelId): void {
    this.#byRoom.delete(room);
    this.#byChannel.delete(channel);
  }

  async #load(cache: LRUCache<string, readonly Link[]>, key: string, sql: string): Promise<readonly Link[]> {
    while (this.#changes.size > 0) await Promise.all(this.#changes);
    const rows = await this.store.all<LinkRow>(sql, this.bridge, key);
    const links = rows.map(toLink);
    // What was read before a change that has begun meanwhile is not kept.
    if (this.#changes.size === 0) cache.set(key, links);
    return links;
  }
}

function toLink(row: LinkRow): Link {
  return {
    room: RoomId(row.room),
    roomKey: row.roomKey,
    channel: ChannelId(row.channel),
    channelKey: row.channelKey,
    channelName: row.channelName,
    kind: linkKinds[row.kind] ?? "plumbed",
    by: row.by,
  };
}

function toChannel(row: ChannelRow): Channel {
  return {
    key: row.id,
    id: ChannelId(row.channel),
    name: row.name,
    topic: row.topic ?? undefined,
    cursor: row.cursor ?? undefined,
  };
}
