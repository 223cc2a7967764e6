import type { DirectConversation, MessageReceived } from "../connector/events.js";
import { RoomId, UserId, type ChannelId } from "../connector/ids.js";
import { dead, done, type Verdict } from "../delivery/entry.js";
import { toMatrix } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { Link } from "../mapping/links.js";
import type { Room } from "../mapping/rooms.js";
import type { EncryptedRooms } from "./encrypted-rooms.js";
import type { Ghost, Ghosts } from "./ghosts.js";
import type { Linker } from "./linker.js";
import type { Memberships } from "./memberships.js";
import { resolveGhost } from "./resolve-ghost.js";
import type { BridgeRuntime } from "./runtime.js";
import { memberOf } from "./to-network/authors.js";
import type { Puppets } from "./to-matrix/puppets.js";
import { verdictOf } from "./to-matrix/send.js";

/** Rooms of two: a Matrix user and one person of the network. */
export class DirectRooms {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly ghosts: Ghosts,
    readonly memberships: Memberships,
    readonly linker: Linker,
    readonly encrypted: EncryptedRooms,
    /** Where the bridge may speak for users who signed in. */
    readonly puppets: Puppets | undefined,
  ) {}

  /** A Matrix user invited a ghost: a direct room begins, where the network has such a thing. */
  async invited(room: RoomId, ghostUser: UserId, by: UserId): Promise<Verdict> {
    const { runtime } = this;
    const links = await runtime.links.ofRoom(room);
    if (links.length > 0) return done();
    // Homeservers ask whether there is such a user, but do not all wait for the answer.
    const found = await resolveGhost(runtime, this.ghosts, ghostUser);
    if (!found.ok) return verdictOf(found.failure);
    const ghost = found.body;
    if (!ghost) return done();
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
    let channel: ChannelId;
    try {
      channel = await directChannel(by, ghost.remote);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      runtime.log.info({ room, by, reason }, "A direct conversation could not be begun");
      const left = await runtime.client.leave(room, { asUser: ghost.user, reason });
      return !left.ok && classify(left.failure).action === "retry" ? verdictOf(left.failure) : done();
    }
    await this.#know(known, by, ghost);
    await this.linker.connect(room, { id: channel, name: ghost.name ?? ghost.remote }, "direct", by);
    return done();
  }

  /** The bot is not in the room, and could not ask what whoever speaks in it is called. */
  async #know(room: Room, user: UserId, { user: asUser }: Ghost): Promise<void> {
    const { client, members, store } = this.runtime;
    const member = await client.getState({ room: room.id, type: "m.room.member", stateKey: user, asUser });
    if (member.ok && member.body !== null) await store.commit(members.set(room.key, user, memberOf(member.body)));
  }

  /** A Matrix user left: where none is left in the room, the next message of its person begins another. */
  async left(link: Link): Promise<Verdict> {
    const { runtime, linker } = this;
    const { store, client } = runtime;
    const ghosts = await store.all<{ readonly user: string }>(
      "SELECT g.user AS user FROM membership m JOIN ghost g ON g.id = m.ghost WHERE m.room = ? AND m.actual = 1",
      link.roomKey,
    );
    const [first] = ghosts;
    if (first) {
      const joined = await client.joinedMembers(link.room, { asUser: UserId(first.user) });
      if (!joined.ok && classify(joined.failure).action === "retry") return verdictOf(joined.failure);
      if (joined.ok && [...joined.body.keys()].some((user) => !runtime.isOwn(user))) return done();
    }
    await linker.disconnect(link);
    for (const { user } of ghosts) await client.leave(link.room, { asUser: UserId(user) });
    return done();
  }

  /** A person of the network wrote to a Matrix user alone: makes their room, then the message is journaled for it. */
  async begin(event: MessageReceived): Promise<Verdict> {
    const failed = await this.open(event);
    if (failed) return failed;
    const [link] = await this.runtime.links.ofChannel(event.channel);
    return link ? this.#passOn(event, link.room, link.channelKey) : dead("The channel could not be remembered.");
  }

  /** Makes the room for a message to somebody alone, where its channel has none; `undefined` when it is there. */
  async open(event: MessageReceived): Promise<Verdict | undefined> {
    const { runtime } = this;
    if ((await runtime.links.ofChannel(event.channel)).length > 0) return undefined;
    const { users, people, name } = conversationOf(event);
    const [by] = users;
    if (by === undefined) return dead("The channel has no room.");
    const ghosts: Ghost[] = [];
    for (const person of people) {
      const ghost = await this.ghosts.ensure(person);
      if (!ghost.ok) return verdictOf(ghost.failure);
      ghosts.push(ghost.body);
    }
    const shown = name ?? ghosts.map((ghost) => ghost.name ?? ghost.remote).join(", ");
    const created = await runtime.client.createRoom({
      preset: "trusted_private_chat",
      isDirect: true,
      invite: [...users.map(UserId), ...ghosts.map(({ user }) => user)],
      name: shown,
    });
    if (!created.ok) return verdictOf(created.failure);
    const room = RoomId(created.body.roomId);
    const known = await runtime.rooms.ensure(room);
    await runtime.rooms.setEncrypted(room, false);
    for (const ghost of ghosts) {
      const joined = await this.memberships.ensureJoined(known.key, room, ghost);
      if (!joined.ok) return verdictOf(joined.failure);
    }
    for (const user of users) await this.#joinFor(room, UserId(user));
    await this.linker.connect(room, { id: event.channel, name: shown }, "direct", by);
    return undefined;
  }

  /** Who signed in need not accept by hand what they take part in already. They may do so where this fails. */
  async #joinFor(room: RoomId, user: UserId): Promise<void> {
    if (!this.puppets?.mayBe(user)) return;
    const joined = await this.puppets.client.joinRoom(room, { asUser: user });
    if (!joined.ok)
      this.runtime.log.info({ room, user, failure: joined.failure }, "A user was invited, but not joined");
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

function conversationOf({ direct, directTo, sender }: MessageReceived): DirectConversation {
  return direct ?? { users: directTo === undefined ? [] : [directTo], people: [sender] };
}
