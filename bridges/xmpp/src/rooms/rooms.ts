import type { ChannelId, RemoteMessageId, UserId } from "@trestle/core";
import { bareJidOf, formatJid, parseJid, userOfLocal } from "../address/index.js";
import type { BridgePart } from "../bridge-part.js";
import type { Element } from "../stream/index.js";
import { isBridge } from "./bridge-address.js";
import { roomHandlers } from "./handlers.js";
import type { RoomParts } from "./parts.js";
import { Room } from "./room.js";

/** The linked rooms. */
export class Rooms implements BridgePart {
  readonly handlers = roomHandlers(this);
  readonly #rooms = new Map<string, Room>();
  #isOnline = false;

  /** Channels that were linked before this start: the core will say what it has received last. */
  readonly #known: Set<ChannelId>;

  constructor(
    private readonly parts: RoomParts,
    known: Iterable<ChannelId>,
  ) {
    this.#known = new Set(known);
  }

  /** Whatever is of no other kind. */
  owns(): boolean {
    return true;
  }

  get(channel: ChannelId): Room | undefined {
    return this.#rooms.get(channel);
  }

  async add(channel: ChannelId): Promise<void> {
    const known = this.#rooms.get(channel);
    if (known) return known.linkedAgain();
    const { network } = this.parts;
    if (bareJidOf(channel) !== channel || !channel.includes("@")) {
      const detail = `${channel} is no address of a room: write it in lower case, as room@conference.example.org`;
      network.report({ connection: channel, state: "failed", detail });
      return;
    }
    const room = new Room(this.parts, channel, this.#known.has(channel));
    this.#rooms.set(channel, room);
    if (this.#isOnline) room.enter();
  }

  async remove(channel: ChannelId): Promise<void> {
    const room = this.#rooms.get(channel);
    this.#rooms.delete(channel);
    this.#known.delete(channel);
    await room?.unlink();
    this.parts.network.report({ connection: channel, state: "closed" });
  }

  online(): void {
    this.#isOnline = true;
    for (const room of this.#rooms.values()) room.enter();
  }

  lost(): void {
    if (!this.#isOnline) return;
    this.#isOnline = false;
    for (const room of this.#rooms.values()) {
      room.lost();
      // That it is back in the room is news: what waits for it is delivered at once.
      const detail = "Not connected to the XMPP server";
      this.parts.network.report({ connection: room.channel, state: "waiting", detail });
    }
  }

  cursor(channel: ChannelId, cursor: RemoteMessageId | null): void {
    this.#rooms.get(channel)?.cursor(cursor);
  }

  /** Takes what comes from a linked room or somebody in it; `"unknown"` where it comes from elsewhere. */
  take(stanza: Element): Promise<void> | undefined | "unknown" {
    const room = this.#rooms.get(bareJidOf(stanza.attrs["from"] ?? "") ?? "");
    const to = parseJid(stanza.attrs["to"] ?? "");
    if (!room || to?.domain !== this.parts.config.domain) return "unknown";
    const user = to.local === undefined ? undefined : userOfLocal(to.local);
    if ((user === undefined && !isBridge(to.local)) || isForSomebody(stanza)) return "unknown";
    return room.take(stanza, user === undefined ? room.bridgeAt(formatJid(to)) : room.occupantOf(user));
  }

  /** The same where the bridge has one address alone, to which everything comes. */
  takeForBridge(stanza: Element): Promise<void> | undefined | "unknown" {
    const room = this.#rooms.get(bareJidOf(stanza.attrs["from"] ?? "") ?? "");
    return room === undefined || isForSomebody(stanza) ? "unknown" : room.take(stanza, room.bridge);
  }

  /** Takes what comes to the account of a Matrix user's own; `"unknown"` where it does not come from a linked room. */
  takeFor(user: UserId, stanza: Element): Promise<void> | undefined | "unknown" {
    const room = this.#rooms.get(bareJidOf(stanza.attrs["from"] ?? "") ?? "");
    return room === undefined || isForSomebody(stanza) ? "unknown" : room.takeFor(user, stanza);
  }

  /** A Matrix user has signed in with an account of their own, or out. */
  voiceChanged(user: UserId): void {
    for (const room of this.#rooms.values())
      room.voiceChanged(user).catch((error: unknown) => {
        this.parts.network.log.error(
          { err: error, user, room: room.channel },
          "A user could not come in as themselves",
        );
      });
  }

  /** The connection of such an account is there (again), or is gone. */
  voice(user: UserId, isThere: boolean): void {
    for (const room of this.#rooms.values()) room.voice(user, isThere);
  }

  async close(): Promise<void> {
    this.#isOnline = false;
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
  }
}

/** A query, or what an occupant says to one of ours alone (XEP-0045 §7.5). */
function isForSomebody({ name, attrs: { from, type } }: Element): boolean {
  if (name === "iq") return true;
  return name === "message" && type !== "groupchat" && type !== "error" && parseJid(from ?? "")?.resource !== undefined;
}
