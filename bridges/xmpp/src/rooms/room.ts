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
} from "@trestle/core";
import { failureOf, xml, type Element } from "../stream/index.js";
import { Archive } from "./archive.js";
import { ChatStates } from "./chat-states.js";
import { Ghosts } from "./ghosts.js";
import { RoomInward } from "./inward.js";
import { Members } from "./members.js";
import { InwardMentions, type MentionsOptions } from "./mentions.js";
import { Messages } from "./messages.js";
import { NS, subjectOf } from "./muc.js";
import { Occupant } from "./occupant.js";
import { RoomOutward } from "./outward.js";
import type { RoomParts } from "./parts.js";
import { Presence } from "./presence.js";
import { ReactionSets } from "./reaction-sets.js";
import { RoomSender } from "./room-sender.js";
import { Threads } from "./threads.js";
import { Topic } from "./topic.js";

/** A room that is linked: what is said in it, and what the bridge says. */
export class Room {
  readonly #parts: RoomParts;
  readonly #watcher: Occupant;
  readonly #ghosts: Ghosts;
  readonly #archive: Archive;
  readonly #members: Members;
  readonly #messages: Messages;
  readonly #presence: Presence;
  readonly #sender: RoomSender;
  readonly #states: ChatStates;
  /** What is kept of the room beside where its archive was left. */
  readonly #kept: readonly { readonly forget: () => Promise<void> }[];

  /** What is said on Matrix goes here. */
  readonly outward: RoomOutward;

  /** `hasHistory`: the core will say what it has received last. */
  constructor(
    parts: RoomParts,
    readonly channel: ChannelId,
    hasHistory: boolean,
  ) {
    const room: string = channel;
    const { storage } = parts.network;
    const features = () => this.#presence.features;
    const whyOut = () => this.#presence.whyOut;
    const isOwnNick = (nick: string) => nick === this.#watcher.nick || this.#ghosts.hasNick(nick);
    this.#parts = parts;
    this.#archive = new Archive(parts.stream, room);
    this.#ghosts = new Ghosts(parts, room);
    this.#watcher = this.#bridgeItself(room);
    const topic = new Topic(parts.network, `topic ${room}`);
    const given = new ReactionSets(storage, `reactions ${room} `);
    const own = new ReactionSets(storage, `own-reactions ${room} `);
    const threads = new Threads(storage, `threads ${room}`);
    this.#kept = [topic, given, own, threads];
    const members = new Members({ room, channel, features, isOwnNick });
    const shared = { parts, room, watcher: this.#watcher, ghosts: this.#ghosts, features, whyOut };
    const messages = new Messages({
      room,
      asker: this.#watcher.jid,
      archive: this.#archive,
      members,
      ids: parts.ids,
      features,
      isOwnNick,
    });
    const mentions: MentionsOptions = {
      room,
      domain: parts.config.domain,
      members,
      userWithNick: (nick) => this.#ghosts.userWithNick(nick),
      nickOfUser: (user) => this.#ghosts.find(user)?.nick,
    };
    const inward = new RoomInward({
      parts,
      room,
      channel,
      topic,
      members,
      messages,
      mentions: new InwardMentions(mentions),
      reactions: given,
      threads,
      isOwnNick,
    });
    this.#members = members;
    this.#messages = messages;
    this.#sender = new RoomSender({
      ...shared,
      archive: this.#archive,
      hasArchive: () => features().archive,
      removed: () => this.#presence.removed(),
    });
    this.#states = new ChatStates({ ...shared, messages });
    this.outward = new RoomOutward({
      ...shared,
      messages,
      mentions,
      reactions: own,
      threads,
      topic,
      sender: this.#sender,
      states: this.#states,
    });
    this.#presence = new Presence({
      parts,
      room,
      channel,
      watcher: this.#watcher,
      ghosts: this.#ghosts,
      archive: this.#archive,
      inward,
      members,
      messages,
      load: async () => {
        await Promise.all([topic.load(), threads.load()]);
        await this.#ghosts.load();
      },
      shown: (id, roomsId) => this.#sender.shown(id, roomsId),
      hasHistory,
    });
  }

  /** The stream is up. */
  enter(): void {
    this.#presence.enter();
  }

  /** The stream is down. */
  lost(): void {
    this.#presence.lost();
    this.#sender.lost();
  }

  /** What the core has received last. */
  cursor(cursor: RemoteMessageId | null): void {
    this.#presence.cursor(cursor);
  }

  /** Everybody of ours leaves, for good. */
  async unlink(): Promise<void> {
    await Promise.all([this.#ghosts.leave(), this.#watcher.leave()]);
    this.lost();
    await this.#presence.forget();
    for (const kept of this.#kept) await kept.forget();
  }

  /** Everybody of ours leaves, until the next start: some servers would show them for as long as nothing is said. */
  async close(): Promise<void> {
    await Promise.all([this.#ghosts.away(), this.#watcher.leave()]);
    this.lost();
    await this.#presence.close();
  }

  /** Takes what the room, or somebody in it, sends to `to`, an address of ours. */
  take(stanza: Element, occupant: Occupant | undefined): Promise<void> | undefined {
    if (occupant === undefined) return undefined;
    if (stanza.name === "presence") {
      occupant.presence(stanza);
      return occupant === this.#watcher ? this.#presence.presence(stanza) : undefined;
    }
    const { type } = stanza.attrs;
    if (type === "error") {
      this.#sender.bounced(stanza, occupant);
      return undefined;
    }
    // From the room itself, not from somebody in it.
    if (stanza.attrs["from"] === this.channel && this.#archive.take(stanza)) return undefined;
    if (type !== "groupchat") return undefined;
    const origin = this.#messages.originOf(stanza);
    if (origin.ownId !== undefined) this.#sender.shown(origin.ownId, origin.id);
    // Prosody shows a subject under no id.
    this.#sender.subjectShown(subjectOf(stanza));
    return occupant === this.#watcher ? this.#presence.message(stanza) : undefined;
  }

  /** Who of ours has an address. */
  occupantOf(user: Parameters<Ghosts["find"]>[0] | undefined): Occupant | undefined {
    return user === undefined ? this.#watcher : this.#ghosts.find(user);
  }

  /** Whether the room has shown a message: from memory, or from its archive. */
  async findSent(effect: MessageEffect): Promise<Sent | null> {
    const found = await this.#sender.find(effect);
    if (found && "failed" in found) throw new Error(found.reason);
    return found;
  }

  typing(signal: TypingSignal): Promise<void> {
    return this.#states.typing(signal);
  }

  receipt(signal: ReceiptSignal): Promise<void> {
    return this.#states.read(signal);
  }

  async membership(effect: MembershipEffect): Promise<Outcome> {
    const { who, change } = effect;
    if ("remote" in who) return this.#expel(effect, who.remote);
    if (!this.#parts.config.ghosts) return undefined;
    if (change === "join" || change === "rename") {
      const ghost = this.#ghosts.get(who);
      if (this.#presence.whyOut === undefined) {
        // Not waited for: what they say waits for it, and others need not.
        void ghost.join();
      }
      return undefined;
    }
    this.#ghosts.remove(who.userId);
    return undefined;
  }

  #bridgeItself(room: string): Occupant {
    const { stream, config, tuning } = this.#parts;
    return new Occupant({
      stream,
      room,
      jid: `${config.domain}/bridge`,
      nick: (attempt) => `${config.nick}${attempt === 0 ? "" : `[m${attempt === 1 ? "" : attempt}]`}`,
      joinTimeoutMs: tuning.joinTimeoutMs,
      onRemoved: () => this.#presence.removed(),
    });
  }

  /** XEP-0045 §8.2 and §9.1. */
  async #expel(effect: MembershipEffect, remote: RemoteUserId): Promise<Outcome> {
    const nick = this.#members.nickOf(remote);
    const what = `To ${effect.change} ${nick ?? remote} in ${this.channel}`;
    if (effect.change !== "kick" && effect.change !== "ban") return undefined;
    if (nick === undefined) return refused(`${what} was not possible: nobody of that name is in the room`);
    if (effect.change === "ban")
      return refused(`${what} is not possible from Matrix: ban the person in the room itself`);
    const reason = effect.reason === undefined ? undefined : xml("reason", {}, effect.reason);
    const item = xml("item", { nick, role: "none" }, reason);
    const answer = await this.#parts.stream.request(
      xml("iq", { type: "set", from: this.#watcher.jid, to: this.channel }, xml("query", { xmlns: NS.mucAdmin }, item)),
      { signal: effect.signal },
    );
    // To remove somebody twice is to remove them.
    if (answer.kind === "failure") return retry(answer.failure.reason);
    return answer.kind === "error" ? failureOf(answer.error, what) : undefined;
  }
}
