import { isRecord, type MatrixEvent } from "../appservice/event.js";
import type { Commands } from "../commands/commands.js";
import { commandText, typedText } from "../commands/recognise.js";
import { RoomId, UserId } from "../connector/ids.js";
import { dead, done, toNetwork, type Entry, type Verdict } from "../delivery/entry.js";
import type { Cause } from "../delivery/journal.js";
import { classify } from "../matrix/failure.js";
import type { DirectRooms } from "./direct-rooms.js";
import type { EncryptedRooms } from "./encrypted-rooms.js";
import { isOfConversation } from "./event-types.js";
import type { Linker } from "./linker.js";
import type { MissedEvents } from "./missed-events.js";
import type { Permissions } from "./permissions.js";
import { viaOf, type RoomUpgrades } from "./room-upgrades.js";
import type { BridgeRuntime } from "./runtime.js";
import { verdictOf } from "./to-matrix/send.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

export interface RoomEventParts {
  readonly runtime: BridgeRuntime;
  readonly commands: Commands;
  readonly upgrades: RoomUpgrades;
  readonly directRooms: DirectRooms;
  readonly linker: Linker;
  readonly encrypted: EncryptedRooms;
  readonly permissions: Permissions;
  readonly missed: MissedEvents;
}

/** Events that are for the bridge itself: invites, commands, room upgrades. */
export class RoomEvents {
  constructor(readonly parts: RoomEventParts) {}

  async handle(entry: Entry, event: MatrixEvent): Promise<Verdict> {
    switch (event.type) {
      case "m.room.tombstone":
        return this.parts.upgrades.follow(event);
      case "m.room.member":
        return this.#member(entry, event);
      case "m.room.encryption":
        return this.#encryption(event);
      case "m.room.encrypted":
        return this.#encrypted(event);
      case "m.room.message":
        return this.#message(entry, event);
      default:
        return isOfConversation(event.type) ? this.#beforeTheLink(event) : done();
    }
  }

  async #member(entry: Entry, event: MatrixEvent): Promise<Verdict> {
    const { runtime, directRooms, permissions, missed } = this.parts;
    const room = RoomId(event.room_id);
    const { membership } = event.content;
    if (event.state_key === runtime.bot && (membership === "leave" || membership === "ban"))
      return this.#expelled(room, event.sender);
    if (membership !== "invite" || event.state_key === undefined) return done();
    if (!permissions.atLeast(event.sender, "relay") || permissions.bansRoom(room)) return done();
    if (event.state_key !== runtime.bot)
      return directRooms.invited(entry, {
        room,
        ghost: UserId(event.state_key),
        by: UserId(event.sender),
        invite: event.event_id,
      });
    const joined = await runtime.client.joinRoom(room, { via: viaOf(event.sender) });
    if (!joined.ok) {
      // The invite was taken back, or the room is out of reach: the next invite tries again.
      return classify(joined.failure).action === "retry" ? verdictOf(joined.failure) : done();
    }
    this.parts.upgrades.awaited.open(room);
    if (event.content.is_direct !== true) return done();
    await runtime.rooms.setManagement(room, runtime.key, UserId(event.sender));
    return (await missed.readBeforeComing(room, { invite: event.event_id, user: runtime.bot })) ?? done();
  }

  /** Whoever may remove the bot from a room does not want the bridge there. Conversations go on without the bot. */
  async #expelled(room: RoomId, by: string): Promise<Verdict> {
    const { runtime, linker } = this.parts;
    const links = (await runtime.links.ofRoom(room)).filter(({ kind }) => kind !== "direct");
    if (links.length === 0) return done();
    const member = await runtime.client.getState({ room, type: "m.room.member", stateKey: runtime.bot });
    if (!member.ok && classify(member.failure).action === "retry") return verdictOf(member.failure);
    // It may have been asked back meanwhile.
    if (member.ok && member.body?.membership === "join") return done();
    for (const link of links) await linker.disconnect(link);
    runtime.log.warn({ room, by }, "The bot was removed from a room, which is no longer linked therefore");
    return done();
  }

  async #encryption(event: MatrixEvent): Promise<Verdict> {
    const { runtime, encrypted, permissions } = this.parts;
    const links = await runtime.links.ofRoom(event.room_id);
    if (links.length > 0 && !permissions.bans(event.sender))
      await encrypted.explain(RoomId(event.room_id), event.sender);
    return done();
  }

  async #encrypted(event: MatrixEvent): Promise<Verdict> {
    const room = await this.parts.runtime.rooms.find(event.room_id);
    if (this.parts.permissions.bans(event.sender)) return done();
    if (room?.management === this.parts.runtime.key) await this.parts.encrypted.explain(room.id, event.sender);
    return done();
  }

  async #message(entry: Entry, event: MatrixEvent): Promise<Verdict> {
    const { runtime, commands } = this.parts;
    const prefix = runtime.config.commandPrefix ?? `!${runtime.name}`;
    const prefixed = commandText(event, prefix);
    const room = await runtime.rooms.find(event.room_id);
    const managed = room?.management === runtime.key || commands.awaitsAnswer(event);
    const text = prefixed ?? (managed ? typedText(event)?.trim() : undefined);
    if (text === undefined) return this.#beforeTheLink(event);
    if (room?.encrypted === true) return dead("A command in an encrypted room cannot be answered.");
    return commands.run(entry, event, text);
  }

  /**
   * Said to a ghost that was invited a moment before: the conversation is linked by now, and this is part of it. What was
   * said in other rooms before they were linked is not for the network.
   */
  async #beforeTheLink(event: MatrixEvent): Promise<Verdict> {
    const { runtime } = this.parts;
    const links = await runtime.links.ofRoom(event.room_id);
    const causes = links
      .filter(({ kind }) => kind === "direct")
      .map(({ channel }): Cause => {
        const payload: ToNetworkPayload = { via: "channel", event };
        return { direction: toNetwork, lane: channel, source: event.event_id, payload };
      });
    if (causes.length > 0) await runtime.journal.append(causes);
    return done();
  }
}

export function contentRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
