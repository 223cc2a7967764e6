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
  /** Channels that got another id in this process: for what was looked up just before. */
  readonly #moved = new LRUCache<string, string>(atMost(1_000));
  #version = 0;
  /** Called when a link was made, moved or removed. */
  onChange: () => void = () => undefined;

  constructor(
    readonly store: Store,
    readonly bridge: number,
    readonly clock: Clock,
  ) {}

  /** Another one when links have changed, or begun to. */
  get version(): number {
    return this.#version;
  }

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
    const [added] = await this.#change(
      [["addLink", roomKey, channel.key, linkKinds.indexOf(kind), by, this.clock.now()]],
      () => this.#forget(room, channel.id),
    );
    return added !== 0;
  }

  /** With the last link of a room its ghosts are to leave it, too. */
  async remove(link: Link): Promise<void> {
    const reason = `The room is no longer linked to ${link.channelName}.`;
    await this.#change(
      [
        ["dropLink", link.roomKey, link.channelKey],
        ["dropPins", link.channelKey, link.roomKey],
        ["emptyUnlinked", reason, link.roomKey, this.bridge, this.bridge],
      ],
      () => this.#forget(link.room, link.channel),
    );
  }

  async renameChannel(key: number, name: string): Promise<void> {
    await this.move([["setChannelName", name, key]]);
  }

  /**
   * The network gave a channel another id: what that writes, or `undefined` where there is no such channel. Where the new
   * one is known, the links go to that.
   */
  async moveOfChannel(from: ChannelId, to: ChannelId): Promise<Write | undefined> {
    const [old, other] = [await this.channel(from), await this.channel(to)];
    if (!old) return undefined;
    return other ? ["moveLinksToChannel", other.key, old.key] : ["setChannelId", to, old.key];
  }

  /** Commits what moves links of many rooms or channels. */
  move(
    writes: readonly Write[],
    moved?: { readonly from: ChannelId; readonly to: ChannelId },
  ): Promise<readonly number[]> {
    const forget = (): void => {
      this.#byRoom.clear();
      this.#byChannel.clear();
    };
    return this.#change(writes, forget, () => {
      if (!moved) return;
      this.#moved.delete(moved.to);
      this.#moved.set(moved.from, moved.to);
    });
  }

  /** Resolves when no links are being changed. */
  async settled(): Promise<void> {
    while (this.#changes.size > 0) await Promise.all(this.#changes);
  }

  /** What a channel is called by now, where its id was another one when it was looked up. */
  current(channel: string): string {
    let current = channel;
    for (let next; (next = this.#moved.get(current)) !== undefined;) current = next;
    return current;
  }

  /** Who asks meanwhile waits: what is said as soon as a link can be seen belongs to it. */
  async #change(
    writes: readonly Write[],
    forget: () => void,
    happened: () => void = () => undefined,
  ): Promise<readonly number[]> {
    this.#version += 1;
    const committed = this.store.commit(writes).then((results) => {
      happened();
      return results;
    });
    const over = committed.then(
      () => undefined,
      () => undefined,
    );
    this.#changes.add(over);
    forget();
    try {
      return await committed;
    } finally {
      this.#changes.delete(over);
      forget();
      this.onChange();
    }
  }

  #forget(room: RoomId, channel: ChannelId): void {
    this.#byRoom.delete(room);
    this.#byChannel.delete(channel);
  }

  async #load(cache: LRUCache<string, readonly Link[]>, key: string, sql: string): Promise<readonly Link[]> {
    await this.settled();
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
