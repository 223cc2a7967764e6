import type { DirectConversation, MessageReceived, NetworkEvent } from "../connector/events.js";
import { type ChannelId, type EffectId, type RoomId, UserId } from "../connector/ids.js";
import { dead, done, wasTried, type Entry, type Verdict } from "../delivery/entry.js";
import { classify } from "../matrix/failure.js";
import type { Link } from "../mapping/links.js";
import type { Room } from "../mapping/rooms.js";
import type { CreateRoomRequest } from "../matrix/requests.js";
import type { MatrixResult } from "../matrix/result.js";
import { effectIdOf } from "./effect-id.js";
import type { EncryptedRooms } from "./encrypted-rooms.js";
import type { Ghost, Ghosts } from "./ghosts.js";
import type { Linker } from "./linker.js";
import { findMadeRoom, madeForKey } from "./made-rooms.js";
import type { MissedEvents } from "./missed-events.js";
import type { Memberships } from "./memberships.js";
import type { Receiver } from "./receive.js";
import { resolveGhost } from "./resolve-ghost.js";
import { ghostIn } from "./room-eyes.js";
import type { BridgeRuntime } from "./runtime.js";
import { memberOf } from "./to-network/authors.js";
import type { Puppets } from "./to-matrix/puppets.js";
import { verdictOf } from "./to-matrix/send.js";
import { TurnsByKey } from "./turns-by-key.js";

export interface GhostInvited {
  readonly room: RoomId;
  readonly ghost: UserId;
  readonly by: UserId;
  /** The event's id. */
  readonly invite: string;
}

/** Rooms of two: a Matrix user and one person of the network. */
export class DirectRooms {
  readonly #turns = new TurnsByKey<ChannelId>();

  constructor(
    readonly runtime: BridgeRuntime,
    readonly receiver: Receiver,
    readonly missed: MissedEvents,
    readonly ghosts: Ghosts,
    readonly memberships: Memberships,
    readonly linker: Linker,
    readonly encrypted: EncryptedRooms,
    /** Where the bridge may speak for users who signed in. */
    readonly puppets: Puppets | undefined,
  ) {}

  /** A Matrix user invited a ghost: a direct room begins, where the network has such a thing. */
  async invited(entry: Entry, { room, ghost, by, invite }: GhostInvited): Promise<Verdict> {
    const links = await this.runtime.links.ofRoom(room);
    if (links.some(({ kind }) => kind !== "direct") || (links.length > 0 && !wasTried(entry))) return done();
    const failed = links.length > 0 ? undefined : await this.#enter(room, ghost, by);
    if (failed) return failed;
    return (await this.missed.readBeforeComing(room, { invite, user: ghost })) ?? done();
  }

  /** Resolves to a verdict where the room is not linked. */
  async #enter(room: RoomId, ghostUser: UserId, by: UserId): Promise<Verdict | undefined> {
    const { runtime } = this;
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
      await this.memberships.left(known.key, ghost);
      return done();
    }
    let channel: ChannelId;
    try {
      channel = await directChannel(by, ghost.remote);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      runtime.log.info({ room, by, reason }, "A direct conversation could not be begun");
      const left = await runtime.client.leave(room, { asUser: ghost.user, reason });
      // Asked again, it must come again.
      await this.memberships.left(known.key, ghost);
      return !left.ok && classify(left.failure).action === "retry" ? verdictOf(left.failure) : done();
    }
    await this.#know(known, by, ghost);
    await this.linker.connect(room, { id: channel, name: ghost.name ?? ghost.remote }, "direct", by);
    return undefined;
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
    const asUser = await ghostIn(runtime, link.room);
    if (asUser !== undefined) {
      const joined = await runtime.client.joinedMembers(link.room, { asUser });
      if (!joined.ok && classify(joined.failure).action === "retry") return verdictOf(joined.failure);
      if (joined.ok && [...joined.body.keys()].some((user) => !runtime.isOwn(user))) return done();
    }
    await linker.disconnect(link);
    return done();
  }

  /** A person of the network wrote to a Matrix user alone: makes their room, then this and what follows is journaled for it. */
  async begin(entry: Entry, event: NetworkEvent): Promise<Verdict> {
    if (event.kind === "message") {
      const failed = await this.open(event, wasTried(entry));
      if (failed) return failed;
    }
    await this.receiver.passOn(event);
    return done();
  }

  /**
   * Makes the room for a message to somebody alone, where its channel has none; `undefined` when it is there.
   *
   * @param again the room may have been made for it before
   */
  open(event: MessageReceived, again: boolean): Promise<Verdict | undefined> {
    return this.#turns.run(event.channel, () => this.#open(event, again));
  }

  async #open(event: MessageReceived, again: boolean): Promise<Verdict | undefined> {
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
    const made = await this.#room(effectIdOf(runtime.name, "direct", event.channel, event.id), again, {
      invite: [...users.map(UserId), ...ghosts.map(({ user }) => user)],
      name: shown,
    });
    if (!made.ok) return verdictOf(made.failure);
    const { body: room } = made;
    const known = await runtime.rooms.ensure(room);
    for (const ghost of ghosts) {
      const joined = await this.memberships.ensureJoined(known.key, room, ghost);
      if (!joined.ok) return verdictOf(joined.failure);
    }
    for (const user of users) await this.#joinFor(room, UserId(user));
    await this.linker.connect(room, { id: event.channel, name: shown }, "direct", by);
    return undefined;
  }

  /** Makes a room, or finds the one that was made for the same before. */
  async #room(
    purpose: EffectId,
    again: boolean,
    request: Pick<CreateRoomRequest, "invite" | "name">,
  ): Promise<MatrixResult<RoomId>> {
    const { client, links, rooms } = this.runtime;
    const before = again
      ? await findMadeRoom(client, madeForKey, purpose, new Set((await links.all()).map(({ room }) => room)))
      : { ok: true as const, body: undefined };
    if (!before.ok) return before;
    if (before.body !== undefined) {
      const encryption = await client.getState({ room: before.body, type: "m.room.encryption" });
      if (!encryption.ok) return encryption;
      await rooms.setEncrypted(before.body, encryption.body !== null);
      return { ok: true, body: before.body };
    }
    const created = await client.createRoom({
      ...request,
      preset: "trusted_private_chat",
      isDirect: true,
      creationContent: { [madeForKey]: purpose },
    });
    if (!created.ok) return created;
    await rooms.setEncrypted(created.body.roomId, false);
    return { ok: true, body: created.body.roomId };
  }

  /** Who signed in need not accept by hand what they take part in already. They may do so where this fails. */
  async #joinFor(room: RoomId, user: UserId): Promise<void> {
    if (!this.puppets?.mayBe(user)) return;
    const joined = await this.puppets.client.joinRoom(room, { asUser: user });
    if (!joined.ok)
      this.runtime.log.info({ room, user, failure: joined.failure }, "A user was invited, but not joined");
  }
}

function conversationOf({ direct, directTo, sender }: MessageReceived): DirectConversation {
  return direct ?? { users: directTo === undefined ? [] : [directTo], people: [sender] };
}
