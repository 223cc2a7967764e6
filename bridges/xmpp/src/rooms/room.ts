import {
  refused,
  retry,
  type ChannelId,
  type MembershipEffect,
  type MessageEffect,
  type Outcome,
  type ReceiptSignal,
  type RemoteMessageId,
  type RemoteUserId,
  type Sent,
  type TypingSignal,
  type UserId,
} from "@trestle/core";
import { failureOf, xml, type Element } from "../stream/index.js";
import type { Ghosts } from "./ghosts.js";
import { NS, subjectOf } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomOutward } from "./outward.js";
import type { RoomParts } from "./parts.js";
import { piecesOf, type RoomPieces } from "./pieces.js";

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
    const { topic, threads, given, own } = this.#pieces.kept;
    for (const kept of [topic, threads, given, own]) await kept.forget();
  }

  /** Everybody of ours leaves, until the next start: some servers would show them for as long as nothing is said. */
  async close(): Promise<void> {
    await Promise.all([this.#pieces.ghosts.away(), this.#pieces.watcher.leave()]);
    this.lost();
    await this.#pieces.presence.close();
  }

  /** Takes what the room, or somebody in it, sends to `to`, an address of ours. */
  take(stanza: Element, occupant: Occupant | undefined): Promise<void> | undefined {
    if (occupant === undefined) return undefined;
    if (stanza.name === "presence") {
      occupant.presence(stanza);
      return occupant === this.#pieces.watcher ? this.#pieces.presence.presence(stanza) : undefined;
    }
    const { type } = stanza.attrs;
    if (type === "error") {
      this.#pieces.sender.bounced(stanza, occupant);
      return undefined;
    }
    // From the room itself, not from somebody in it.
    if (stanza.attrs["from"] === this.channel && this.#pieces.archive.take(stanza)) return undefined;
    if (type !== "groupchat") return undefined;
    const origin = this.#pieces.messages.originOf(stanza);
    if (origin.ownId !== undefined) this.#pieces.sender.shown(origin.ownId, origin.id);
    // Prosody shows a subject under no id.
    this.#pieces.sender.subjectShown(subjectOf(stanza));
    return occupant === this.#pieces.watcher ? this.#pieces.presence.message(stanza) : undefined;
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

  /** Who of ours has an address. */
  occupantOf(user: Parameters<Ghosts["find"]>[0] | undefined): Occupant | undefined {
    return user === undefined ? this.#pieces.watcher : this.#pieces.ghosts.find(user);
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
    if ("remote" in who) return this.#expel(effect, who.remote);
    if (!this.#parts.config.ghosts) return undefined;
    if (change === "join" || change === "rename") {
      const ghost = this.#pieces.ghosts.get(who);
      if (this.#pieces.presence.whyOut === undefined) {
        // Not waited for: what they say waits for it, and others need not.
        void ghost.join();
      }
      return undefined;
    }
    this.#pieces.ghosts.remove(who.userId);
    return undefined;
  }

  /** XEP-0045 §8.2 and §9.1. */
  async #expel(effect: MembershipEffect, remote: RemoteUserId): Promise<Outcome> {
    const nick = this.#pieces.members.nickOf(remote);
    const what = `To ${effect.change} ${nick ?? remote} in ${this.channel}`;
    if (effect.change !== "kick" && effect.change !== "ban") return undefined;
    if (nick === undefined) return refused(`${what} was not possible: nobody of that name is in the room`);
    if (effect.change === "ban")
      return refused(`${what} is not possible from Matrix: ban the person in the room itself`);
    const reason = effect.reason === undefined ? undefined : xml("reason", {}, effect.reason);
    const item = xml("item", { nick, role: "none" }, reason);
    const answer = await this.#parts.stream.request(
      xml(
        "iq",
        { type: "set", from: this.#pieces.watcher.jid, to: this.channel },
        xml("query", { xmlns: NS.mucAdmin }, item),
      ),
      { signal: effect.signal },
    );
    // To remove somebody twice is to remove them.
    if (answer.kind === "failure") return retry(answer.failure.reason);
    return answer.kind === "error" ? failureOf(answer.error, what) : undefined;
  }
}
