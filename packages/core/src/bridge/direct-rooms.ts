import type { MessageReceived } from "../connector/events.js";
import { RoomId, UserId } from "../connector/ids.js";
import { dead, done, type Verdict } from "../delivery/entry.js";
import { toMatrix } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { EncryptedRooms } from "./encrypted-rooms.js";
import type { Ghosts } from "./ghosts.js";
import type { Linker } from "./linker.js";
import type { Memberships } from "./memberships.js";
import type { BridgeRuntime } from "./runtime.js";
import { verdictOf } from "./to-matrix/send.js";

/** Rooms of two: a Matrix user and one person of the network. */
export class DirectRooms {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
    readonly memberships: Memberships,
    readonly linker: Linker,
    readonly encrypted: EncryptedRooms,
  ) {}

  /** A Matrix user invited a ghost: a direct room begins, where the network has such a thing. */
  async invited(room: RoomId, ghostUser: UserId, by: UserId): Promise<Verdict> {
    const { runtime } = this;
    const links = await runtime.links.ofRoom(room);
    const ghost = await this.ghosts.ofUser(ghostUser);
    if (!ghost || links.length > 0) return done();
    const { directChannel } = runtime.handlers;
    if (!directChannel) {
      const left = await runtime.client.leave(room, {
        asUser: ghost.user,
        reason: `${runtime.networkName} has no direct messages through this bridge.`,
      });
      return !left.ok && classify(left.failure).action === "retry" ? verdictOf(left.failure) : done();
    }
    const known = await runtime.rooms.ensure(room);
    const joined = await this.memberships.ensureJoined(known.key, room, ghost);
    if (!joined.ok) return classify(joined.failure).action === "retry" ? verdictOf(joined.failure) : done();
    const encryption = await runtime.client.getState({ room, type: "m.room.encryption", asUser: ghost.user });
    if (!encryption.ok) return verdictOf(encryption.failure);
    await runtime.rooms.setEncrypted(room, encryption.body !== null);
    if (encryption.body !== null) {
      await this.encrypted.explain(room, by);
      await runtime.client.leave(room, { asUser: ghost.user, reason: "The room is encrypted." });
      return done();
    }
    const channel = await directChannel(by, ghost.remote);
    await this.linker.connect(room, { id: channel, name: ghost.name ?? ghost.remote }, "direct", by);
    return done();
  }

  /** A person of the network wrote to a Matrix user alone: makes their room, then the message is journaled for it. */
  async begin(event: MessageReceived): Promise<Verdict> {
    const { runtime } = this;
    const existing = await runtime.links.ofChannel(event.channel);
    const [link] = existing;
    if (link) return this.#passOn(event, link.room, link.channelKey);
    if (event.directTo === undefined) return dead("The channel has no room.");
    const ghost = await this.ghosts.ensure(event.sender);
    if (!ghost.ok) return verdictOf(ghost.failure);
    const created = await runtime.client.createRoom({
      preset: "trusted_private_chat",
      isDirect: true,
      invite: [UserId(event.directTo), ghost.body.user],
      name: ghost.body.name ?? event.sender.id,
    });
    if (!created.ok) return verdictOf(created.failure);
    const room = RoomId(created.body.roomId);
    const known = await runtime.rooms.ensure(room);
    await runtime.rooms.setEncrypted(room, false);
    const joined = await this.memberships.ensureJoined(known.key, room, ghost.body);
    if (!joined.ok) return verdictOf(joined.failure);
    await this.linker.connect(
      room,
      { id: event.channel, name: ghost.body.name ?? event.sender.id },
      "direct",
      event.directTo,
    );
    const channel = await runtime.links.channel(event.channel);
    return channel ? this.#passOn(event, room, channel.key) : dead("The channel could not be remembered.");
  }

  async #passOn(event: MessageReceived, room: RoomId, channelKey: number): Promise<Verdict> {
    await this.runtime.journal.append([
      {
        direction: toMatrix,
        lane: room,
        source: `${channelKey}:message:${event.id}`,
        payload: { via: "network", event, channelKey },
      },
    ]);
    return done();
  }
}
