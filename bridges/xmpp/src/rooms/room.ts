import {
  refused,
  type ChannelId,
  type Failure,
  type MembershipEffect,
  type MessageEffect,
  type Outcome,
  type PictureEffect,
  type ReceiptSignal,
  type RemoteMessageId,
  type RemoteUserId,
  type RoleEffect,
  type Sent,
  type SettingsEffect,
  type TypingSignal,
  type UserId,
} from "@trestle/core";
import { sameJid } from "../address/index.js";
import type { Element } from "../stream/index.js";
import { NS, statusesOf, subjectOf } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomOutward } from "./outward.js";
import type { RoomParts } from "./parts.js";
import { piecesOf, type RoomPieces } from "./pieces.js";

/** Something of a room is configured otherwise (XEP-0045 §15.6.2): whatever it is, who sees addresses, and logging. */
const CONFIGURED = ["104", "170", "171", "172", "173", "174"];

/** A room that is linked: what is said in it, and what the bridge says. */
export class Room {
  readonly #parts: RoomParts;
  readonly #pieces: RoomPieces;

  /** `hasHistory`: the core will say what it has received last. */
  constructor(
    parts: RoomParts,
    readonly channel: ChannelId,
    hasHistory: boolean,
  ) {
    this.#parts = parts;
    this.#pieces = piecesOf(parts, channel, hasHistory);
  }

  /** What is said on Matrix goes here. */
  get outward(): RoomOutward {
    return this.#pieces.outward;
  }

  /** The stream is up. */
  enter(): void {
    this.#pieces.presence.enter();
  }

  /** The stream is down. */
  lost(): void {
    this.#pieces.presence.lost();
    this.#pieces.sender.lost();
  }

  /** What the core has received last. */
  cursor(cursor: RemoteMessageId | null): void {
    this.#pieces.presence.cursor(cursor);
  }

  /** Everybody of ours leaves, for good. */
  async unlink(): Promise<void> {
    await Promise.all([this.#pieces.ghosts.leave(), this.#pieces.watcher.leave()]);
    this.lost();
    await this.#pieces.presence.forget();
    const { topic, picture, invitations, threads, given, own, settings, ranks, expulsions } = this.#pieces.kept;
    for (const kept of [
      this.#pieces.address,
      topic,
      picture,
      invitations,
      threads,
      given,
      own,
      settings,
      ranks,
      expulsions,
    ])
      await kept.forget();
  }

  /** Everybody of ours leaves, until the next start: some servers would show them for as long as nothing is said. */
  async close(): Promise<void> {
    await Promise.all([this.#pieces.ghosts.away(), this.#pieces.watcher.leave()]);
    this.lost();
    await this.#pieces.presence.close();
  }

  /** Takes what the room, or somebody in it, sends to `to`, an address of ours. */
  take(stanza: Element, occupant: Occupant | undefined): Promise<void> | undefined {
    // Whoever had asked somebody to come may have gone.
    const declined =
      stanza.name === "message" && stanza.attrs["from"] === this.channel
        ? this.#pieces.kept.invitations.declined(stanza)
        : undefined;
    if (declined || occupant === undefined) return declined;
    if (stanza.name === "presence") {
      if (stanza.attrs["from"] === this.channel && stanza.attrs["type"] === undefined)
        return occupant === this.#pieces.watcher ? this.#pieces.kept.picture.presence(stanza) : undefined;
      occupant.presence(stanza);
      return occupant === this.#pieces.watcher ? this.#pieces.presence.presence(stanza) : undefined;
    }
    const { type } = stanza.attrs;
    if (type === "error") {
      const refused = this.#pieces.kept.invitations.bounced(stanza);
      if (refused) return refused;
      this.#pieces.sender.bounced(stanza, occupant);
      return undefined;
    }
    // From the room itself, not from somebody in it.
    const isFromRoom = stanza.attrs["from"] === this.channel;
    if (isFromRoom && this.#pieces.archive.take(stanza)) return undefined;
    if (isFromRoom && stanza.getChild("x", NS.mucUser))
      return occupant === this.#pieces.watcher ? this.#announced(stanza) : undefined;
    if (type !== "groupchat") return undefined;
    const origin = this.#pieces.messages.originOf(stanza);
    if (origin.ownId !== undefined) this.#pieces.sender.shown(origin.ownId, origin.id);
    // Prosody shows a subject under no id.
    this.#pieces.sender.subjectShown(subjectOf(stanza));
    return occupant === this.#pieces.watcher ? this.#pieces.presence.message(stanza, origin) : undefined;
  }

  /** Takes what the room, or somebody in it, sends to the account of a Matrix user's own. */
  takeFor(user: UserId, stanza: Element): Promise<void> | undefined {
    const occupant = this.#pieces.ghosts.find(user);
    // With a component's address they are somebody else to the room.
    return this.#pieces.ghosts.hasVoice(user) ? this.take(stanza, occupant) : undefined;
  }

  /** A Matrix user has signed in with an account of their own, or out. */
  voiceChanged(user: UserId): Promise<void> {
    return this.#pieces.ghosts.voiceChanged(user);
  }

  /** The connection of such an account is there (again), or is gone. */
  voice(user: UserId, isThere: boolean): void {
    const { ghosts, presence, sender } = this.#pieces;
    const jid = ghosts.hasVoice(user) ? ghosts.find(user)?.jid : undefined;
    ghosts.voice(user, isThere && presence.whyOut === undefined);
    if (!isThere && jid !== undefined) sender.lost(jid);
  }

  /** The Matrix user's occupant. */
  occupantOf(user: UserId): Occupant | undefined {
    return this.#pieces.ghosts.find(user);
  }

  /** The bridge's own occupant, where that has this address; what is meant for another one concerns nobody. */
  bridgeAt(jid: string): Occupant | undefined {
    const { watcher } = this.#pieces;
    return sameJid(jid, watcher.jid) ? watcher : undefined;
  }

  /** The bridge's own occupant. */
  get bridge(): Occupant {
    return this.#pieces.watcher;
  }

  /** Why nothing can be said in the room now. */
  get whyOut(): string | undefined {
    return this.#pieces.presence.whyOut;
  }

  /** The address from which the bridge itself asks in the room. */
  get asker(): string {
    return this.#pieces.watcher.jid;
  }

  /** Who of the network has a nick now. */
  personWithNick(nick: string): RemoteUserId | undefined {
    return this.#pieces.members.personWithNick(nick);
  }

  /** The nick that somebody of the network has now. */
  nickOf(person: RemoteUserId): string | undefined {
    return this.#pieces.members.nickOf(person);
  }

  /** Resolves when a Matrix user is in the room, or with what keeps them out. */
  async ensureIn(userId: UserId): Promise<Failure | undefined> {
    const { ghosts, expulsions } = this.#pieces;
    const { config } = this.#parts;
    if (!config.ghosts || config.maxGhosts === 0)
      return refused(`In ${this.channel} the bridge speaks for all: nobody there can be written to alone`);
    const barred = expulsions.whyBarred(userId);
    if (barred !== undefined) return refused(barred);
    if (ghosts.hasVoice(userId))
      return refused(
        `You are in ${this.channel} with an account of your own: write to people there alone with a client of that account`,
      );
    const name = userId.slice(1).split(":", 1)[0] ?? userId;
    return (ghosts.find(userId) ?? ghosts.get({ userId, name })).join();
  }

  /** The room says that a Matrix user is not in it. */
  forgetOccupant(userId: UserId): void {
    this.#pieces.ghosts.find(userId)?.forget();
  }

  /** Whether the room has shown a message: from memory, or from its archive. */
  async findSent(effect: MessageEffect): Promise<Sent | null> {
    const found = await this.#pieces.sender.find(effect);
    if (found && "failed" in found) throw new Error(found.reason);
    return found;
  }

  typing(signal: TypingSignal): Promise<void> {
    return this.#pieces.states.typing(signal);
  }

  receipt(signal: ReceiptSignal): Promise<void> {
    return this.#pieces.states.read(signal);
  }

  async membership(effect: MembershipEffect): Promise<Outcome> {
    const { who, change } = effect;
    const { ghosts, moderation, expulsions, presence } = this.#pieces;
    if ("remote" in who) return moderation.expel(effect, who.remote);
    if (!this.#parts.config.ghosts) return undefined;
    if (change !== "join" && change !== "rename") {
      ghosts.remove(who.userId);
      return undefined;
    }
    if (change === "join") expulsions.readmit(who.userId);
    else if (expulsions.whyBarred(who.userId) !== undefined) return undefined;
    const ghost = ghosts.get(who);
    // Not waited for: what they say waits for it, and others need not.
    if (presence.whyOut === undefined) void this.#join(ghost, who.userId, change === "join");
    return undefined;
  }

  async #join(ghost: Occupant, userId: UserId, isNew: boolean): Promise<void> {
    const { voice, kept } = this.#pieces;
    const out = await ghost.join();
    const item = kept.ranks.itemOf({ userId });
    if (out || !isNew || !item || ghost.nick === undefined) return;
    await voice
      .joined(ghost, ghost.nick, item)
      .catch((error: unknown) => this.#parts.network.log.error({ err: error }, "A notice could not be kept"));
  }

  role(effect: RoleEffect): Promise<Outcome> {
    return this.#pieces.moderation.role(effect);
  }

  picture(effect: PictureEffect): Promise<Outcome> {
    return this.#pieces.setPicture(effect);
  }

  settings(effect: SettingsEffect): Promise<Outcome> {
    return this.#pieces.moderation.settings(effect);
  }

  /** Another Matrix room was linked to it. */
  async linkedAgain(): Promise<void> {
    await this.#pieces.presence.tellStanding(true);
  }

  /** What the room itself says about itself, or about somebody who is not in it. */
  async #announced(stanza: Element): Promise<void> {
    const { presence, expulsions } = this.#pieces;
    await expulsions.affiliated(stanza);
    const statuses = statusesOf(stanza);
    if (CONFIGURED.some((code) => statuses.has(code))) await presence.configured();
  }
}
