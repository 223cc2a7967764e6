import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Author,
  type ChannelLink,
  type Network,
  type NetworkEvent,
  RemoteMessageId,
  type RoomId,
  type RoomView,
  UserId,
} from "@trestle/core";
import type { Connection, Ending } from "../../session/connection.js";
import { channelIdOf, placeOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";
import type { Puppet } from "./puppet.js";
import { Awaited } from "./awaited.js";
import { ReaderConnects } from "./reader-connects.js";
import { speaksByPuppet } from "./relayed.js";

/** How many members of a room are gone through before others have their turn. */
const AT_A_TIME = 200;
/** Rooms are not read again sooner because of a place that got free. */
const READ_AGAIN_MS = 600_000;
/** A room that could not be read is read again after so long. */
const UNREAD_MS = 30_000;

type Person = Pick<Author, "userId" | "name">;

/** A room that is linked to a channel. */
interface LinkedRoom {
  readonly channel: string;
  readonly room: RoomId;
  /** Whether those may speak who come now; unknown until it was read. */
  isOpenToAll: boolean | undefined;
  /** Who has come, by their names, and gone (`undefined`) since reading it began. */
  changes: Map<UserId, string | undefined> | undefined;
  /** Whether it may have members for whom there was no place. */
  isIncomplete: boolean;
}

/**
 * Shows Matrix users who have said nothing in the channels of their rooms, where the operator wants it (`readers`): by
 * what is read of every room once, and then as they come and go. They take places that nobody else has, and connect
 * after whoever speaks.
 */
export class Readers {
  readonly #rooms = new Map<string, LinkedRoom>();
  #toRead: LinkedRoom[] = [];
  readonly #connects: ReaderConnects;
  readonly awaited: Awaited;
  #isReading = false;
  #hasBegun = false;
  #closed = false;
  #again: NodeJS.Timeout | undefined;
  /** When rooms were last read because of a free place, by the monotonic clock. */
  #readAgainAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly network: IrcNetwork,
    private readonly core: Network,
    tell: (events: readonly NetworkEvent[]) => void,
  ) {
    this.awaited = new Awaited({
      withinMs: network.config.waitForReaders * 1000,
      tell: (channel, who) => tell([unseenNotice(network.name, channel, who)]),
    });
    this.#connects = new ReaderConnects({
      isUp: () => network.bot.connection !== undefined,
      isPuppet: (puppet) => network.puppets.get(puppet.user) === puppet,
      giveUp: (puppet) => network.puppets.remove(puppet, "Not let in"),
      resumed: () => this.#readIncomplete(),
    });
  }

  /** The connections of before have been taken over: the rooms are read. */
  begin(links: readonly ChannelLink[]): void {
    this.#hasBegun = true;
    for (const link of links) this.link(link);
    this.#read();
  }

  link({ channel: id, room }: ChannelLink): void {
    const place = placeOf(id);
    if (!this.#isOn || place?.kind !== "channel" || place.network !== this.network.name) return;
    const { channel } = place;
    if (this.#rooms.has(keyOf(channel, room))) return;
    const linked = { channel, room, isOpenToAll: undefined, changes: undefined, isIncomplete: false };
    this.#rooms.set(keyOf(channel, room), linked);
    this.#toRead.push(linked);
    this.awaited.add(channel, room);
    this.#read();
  }

  unlink(channel: string): void {
    for (const [key, linked] of this.#rooms) if (linked.channel === channel) this.#rooms.delete(key);
    this.awaited.forget(channel);
  }

  joined(channel: string, room: RoomId, who: Person): void {
    const linked = this.#rooms.get(keyOf(channel, room));
    if (!linked) return;
    linked.changes?.set(who.userId, who.name);
    // Until it has been read nobody knows who may speak there; reading it finds them.
    if (linked.isOpenToAll === true) this.#show(linked, who);
  }

  /** Returns whether they are still in another room of the channel. */
  left(channel: string, room: RoomId, user: UserId): boolean {
    this.#rooms.get(keyOf(channel, room))?.changes?.set(user, undefined);
    const puppet = this.network.puppets.get(user);
    const rooms = puppet?.rooms.get(channel);
    rooms?.delete(room);
    if (rooms !== undefined && rooms.size > 0) return true;
    puppet?.rooms.delete(channel);
    this.awaited.settle(channel, user);
    return false;
  }

  botIsReady(): void {
    this.#connects.go();
  }

  ready(connection: Connection): void {
    const puppet = this.#puppetOf(connection);
    if (!puppet || !this.#isOn) return;
    this.#connects.settled(puppet);
    for (const channel of puppet.rooms.keys()) void this.#join(puppet, connection, channel);
  }

  ended(connection: Connection, ending: Ending): void {
    const puppet = this.#puppetOf(connection);
    if (!puppet) return;
    for (const channel of puppet.rooms.keys()) this.awaited.add(channel, puppet.user, puppet.name);
    if (!ending.wasReady) this.#connects.failed(puppet, ending);
  }

  /** A puppet is gone, and its place may be free; its person may still be in the rooms. */
  removed(puppet: Puppet): void {
    this.#connects.settled(puppet);
    for (const [channel, rooms] of puppet.rooms) {
      for (const room of rooms) {
        const linked = this.#rooms.get(keyOf(channel, room));
        if (linked) linked.isIncomplete = true;
      }
    }
    if (this.#closed || ![...this.#rooms.values()].some(({ isIncomplete }) => isIncomplete)) return;
    // Not at once: whoever makes room is removed for somebody who takes the place.
    this.#readLater(Math.max(0, this.#readAgainAt + READ_AGAIN_MS - performance.now()));
  }

  /** The connections are lost; `begin` follows. */
  lost(): void {
    this.#hasBegun = false;
    this.#connects.clear();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#connects.close();
    this.#rooms.clear();
  }

  get #isOn(): boolean {
    return this.network.config.readers === "shown" && this.network.speaksByPuppets && !this.#closed;
  }

  #puppetOf({ role }: Connection): Puppet | undefined {
    return role.user === undefined ? undefined : this.network.puppets.get(UserId(role.user));
  }

  #readLater(ms: number): void {
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#readIncomplete();
    }, ms);
  }

  #readIncomplete(): void {
    if (!this.network.puppets.hasPlace) return;
    this.#readAgainAt = performance.now();
    for (const linked of this.#rooms.values())
      if (linked.isIncomplete && !this.#toRead.includes(linked)) this.#toRead.push(linked);
    this.#read();
  }

  /** One room after the other: each is all of its state, which costs the homeserver something. */
  #read(): void {
    if (!this.#hasBegun || this.#closed) return;
    if (!this.#isReading) void this.#readAll();
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (;;) {
      const linked = this.#hasBegun ? this.#toRead.shift() : undefined;
      if (!linked) break;
      if (this.#isLinked(linked)) await this.#readRoom(linked);
    }
    this.#isReading = false;
  }

  async #readRoom(linked: LinkedRoom): Promise<void> {
    linked.changes = new Map();
    linked.isIncomplete = false;
    try {
      await this.#showAll(linked, await this.core.lookAtRoom(linked.room), linked.changes);
      this.awaited.settle(linked.channel, linked.room);
    } catch (error) {
      const { log } = this.core;
      log.warn({ err: error, room: linked.room }, "a room could not be read: who only reads there is not shown yet");
      linked.isIncomplete = true;
      this.#readLater(UNREAD_MS);
    }
    linked.changes = undefined;
  }

  async #showAll(linked: LinkedRoom, view: RoomView, changes: ReadonlyMap<UserId, string | undefined>): Promise<void> {
    const { members, power } = view;
    linked.isOpenToAll = power.usual >= power.speak;
    for (let from = 0; from < members.length; from += AT_A_TIME) {
      for (const member of members.slice(from, from + AT_A_TIME))
        if (member.power >= power.speak && !changes.has(member.userId)) this.#show(linked, member);
      await nextTurn();
    }
    if (!linked.isOpenToAll) return;
    for (const [userId, name] of changes) if (name !== undefined) this.#show(linked, { userId, name });
  }

  #isLinked(linked: LinkedRoom): boolean {
    return this.#rooms.get(keyOf(linked.channel, linked.room)) === linked;
  }

  #show(linked: LinkedRoom, who: Person): void {
    const { channel, room } = linked;
    if (!this.#isLinked(linked) || !speaksByPuppet(this.network, channel, who.userId)) return;
    const puppet = this.network.puppets.ofReader(who);
    if (!puppet) {
      linked.isIncomplete = true;
      return;
    }
    const rooms = puppet.rooms.get(channel);
    if (rooms) rooms.add(room);
    else puppet.rooms.set(channel, new Set([room]));
    const { connection, channels } = puppet.seat;
    if (connection?.view.channels.has(channel)) return;
    this.awaited.add(channel, puppet.user, puppet.name);
    if (!channels.has(channel)) channels.set(channel, channel);
    if (connection) void this.#join(puppet, connection, channel);
    else this.#connects.add(puppet);
  }

  /** Where the channel keeps them out they are not seen, and need no connection. */
  async #join(puppet: Puppet, connection: Connection, channel: string): Promise<void> {
    const outcome = await connection.join(channel);
    if (outcome.joined) this.awaited.settle(channel, puppet.user);
    if (outcome.joined || outcome.numeric === "") return;
    puppet.seat.channels.delete(channel);
    puppet.rooms.delete(channel);
    if (isReader(puppet)) this.network.puppets.removeUnneeded(puppet, outcome.reason);
  }
}

/** Whether nobody has heard anything of its person yet. */
function isReader(puppet: Puppet): boolean {
  return puppet.spokeAt === Number.NEGATIVE_INFINITY;
}

function unseenNotice(network: string, channel: string, who: string): NetworkEvent {
  const notice = `Not to be seen in ${channel} on ${network}, although they read what is said there: ${who}. It comes through all the same.`;
  // The same once more, as after a restart, is dropped.
  const id = RemoteMessageId(`unseen:${createHash("sha256").update(notice).digest("base64url")}`);
  return { kind: "channel", id, channel: channelIdOf(network, channel), notice };
}

function keyOf(channel: string, room: RoomId): string {
  return `${channel} ${room}`;
}
