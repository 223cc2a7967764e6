import {
  refused,
  RemoteMessageId,
  retry,
  type ChannelId,
  type EffectBase,
  type Failure,
  type MembershipEffect,
  type MessageEffect,
  type Outcome,
  type RemoteMessageId as MessageId,
  type Sent,
  type TextContent,
  type TopicEffect,
} from "@trestle/core";
import { toPlainText } from "@trestle/rich-text";
import { failureOf, legalXmlText, stanzaErrorOf, xml, type Element } from "../stream/index.js";
import { Archive } from "./archive.js";
import { Ghosts } from "./ghosts.js";
import { RoomInward } from "./inward.js";
import { NS, subjectOf } from "./muc.js";
import { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import { CLOCK_SKEW_MS } from "./place.js";
import { Presence } from "./presence.js";
import { Reflections } from "./reflections.js";
import { Topic } from "./topic.js";

/** A room that is linked: what is said in it, and what the bridge says. */
export class Room {
  readonly #parts: RoomParts;
  readonly #watcher: Occupant;
  readonly #ghosts: Ghosts;
  readonly #inward: RoomInward;
  readonly #reflections: Reflections;
  readonly #archive: Archive;
  readonly #presence: Presence;
  readonly #topic: Topic;

  /** A subject that was sent, and not shown yet. */
  #topicAsked: { readonly id: string; readonly text: string } | undefined;

  /** `hasHistory`: the core will say what it has received last. */
  constructor(
    parts: RoomParts,
    readonly channel: ChannelId,
    hasHistory: boolean,
  ) {
    const room: string = channel;
    this.#parts = parts;
    this.#reflections = new Reflections(room);
    this.#archive = new Archive(parts.stream, room);
    this.#ghosts = new Ghosts(parts, room);
    this.#watcher = new Occupant({
      stream: parts.stream,
      room,
      jid: `${parts.config.domain}/bridge`,
      nick: (attempt) => `${parts.config.nick}${attempt === 0 ? "" : `[m${attempt === 1 ? "" : attempt}]`}`,
      joinTimeoutMs: parts.tuning.joinTimeoutMs,
      onRemoved: () => this.#presence.removed(),
    });
    this.#topic = new Topic(parts.network, `topic ${room}`);
    this.#inward = new RoomInward({
      parts,
      room,
      channel,
      topic: this.#topic,
      features: () => this.#presence.features,
      isOwnNick: (nick) => nick === this.#watcher.nick || this.#ghosts.hasNick(nick),
    });
    this.#presence = new Presence({
      parts,
      room,
      channel,
      watcher: this.#watcher,
      ghosts: this.#ghosts,
      archive: this.#archive,
      inward: this.#inward,
      load: async () => {
        await this.#topic.load();
        await this.#ghosts.load();
      },
      shown: (id, roomsId) => this.#reflections.shown(id, roomsId),
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
    this.#reflections.lost();
  }

  /** What the core has received last. */
  cursor(cursor: MessageId | null): void {
    this.#presence.cursor(cursor);
  }

  /** Everybody of ours leaves, for good. */
  async unlink(): Promise<void> {
    await Promise.all([this.#ghosts.leave(), this.#watcher.leave()]);
    this.lost();
    await this.#presence.forget();
    await this.#topic.forget();
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
    const { type, id = "" } = stanza.attrs;
    if (type === "error") {
      this.#bounced(stanza, occupant, id);
      return undefined;
    }
    // From the room itself, not from somebody in it.
    if (stanza.attrs["from"] === this.channel && this.#archive.take(stanza)) return undefined;
    if (type !== "groupchat") return undefined;
    const origin = this.#inward.originOf(stanza);
    if (origin.ownId !== undefined) this.#reflections.shown(origin.ownId, origin.id);
    // Prosody shows a subject under no id.
    if (this.#topicAsked && this.#topicAsked.text === subjectOf(stanza))
      this.#reflections.shown(this.#topicAsked.id, undefined);
    return occupant === this.#watcher ? this.#presence.message(stanza) : undefined;
  }

  /** Who of ours has an address. */
  occupantOf(user: Parameters<Ghosts["find"]>[0] | undefined): Occupant | undefined {
    return user === undefined ? this.#watcher : this.#ghosts.find(user);
  }

  async say(effect: MessageEffect<TextContent>): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const text = toPlainText(effect.content.body);
    const action = effect.content.style === "emote";
    const { name } = effect.author;
    const relayed = action ? `* ${name} ${text}` : `<${name}> ${text}`;
    const body = speaker === this.#watcher ? relayed : action ? `/me ${text}` : text;
    return this.#send(effect, speaker, xml("body", {}, body));
  }

  async setTopic(effect: TopicEffect): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const text = legalXmlText(effect.topic).replace(/\r\n?/g, "\n");
    // A room says nothing when its subject is set to what it is.
    if (this.#topic.is(text)) return undefined;
    const asked = { id: this.#parts.ids.of(this.channel, effect.effect), text };
    this.#topicAsked = asked;
    try {
      return await this.#send(effect, speaker, xml("subject", {}, text));
    } finally {
      if (this.#topicAsked === asked) this.#topicAsked = undefined;
    }
  }

  /** Whether the room has shown a message: from memory, or from its archive. */
  async findSent(effect: MessageEffect<TextContent>): Promise<Sent | null> {
    const room: string = this.channel;
    const id = this.#parts.ids.of(room, effect.effect);
    const shown = this.#reflections.find(id);
    if (shown) return shown;
    const out = this.#presence.whyOut;
    if (out !== undefined) throw new Error(out);
    if (!this.#presence.features.archive) return null;
    let place: { readonly after: string } | { readonly start: number } = { start: effect.at - CLOCK_SKEW_MS };
    for (;;) {
      const page = await this.#archive.page(this.#watcher.jid, place, effect.signal);
      if (page === "gone") throw new Error(`The archive of ${room} has changed while it was read.`);
      if ("failed" in page) throw new Error(page.reason);
      const found = page.items.find(({ message }) => message.attrs["id"] === id);
      if (found) return { id: RemoteMessageId(found.id) };
      const last = page.items.at(-1);
      if (page.complete || !last) return null;
      place = { after: last.id };
    }
  }

  async membership(effect: MembershipEffect): Promise<Outcome> {
    const { who, change } = effect;
    if ("remote" in who) return this.#moderate(effect, who.remote);
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

  /** XEP-0045 §8.2 and §9.1. */
  async #moderate(effect: MembershipEffect, remote: Parameters<RoomInward["nickOf"]>[0]): Promise<Outcome> {
    const nick = this.#inward.nickOf(remote);
    const what = `To ${effect.change} ${nick ?? remote} in ${this.channel}`;
    if (effect.change !== "kick" && effect.change !== "ban") return undefined;
    if (nick === undefined) return refused(`${what} was not possible: nobody of that name is in the room`);
    if (effect.change === "ban")
      return refused(`${what} is not possible from Matrix: ban the person in the room itself`);
    const item = xml(
      "item",
      { nick, role: "none" },
      effect.reason === undefined ? undefined : xml("reason", {}, effect.reason),
    );
    const answer = await this.#parts.stream.request(
      xml("iq", { type: "set", from: this.#watcher.jid, to: this.channel }, xml("query", { xmlns: NS.mucAdmin }, item)),
      { signal: effect.signal },
    );
    // To remove somebody twice is to remove them.
    if (answer.kind === "failure") return retry(answer.failure.reason);
    return answer.kind === "error" ? failureOf(answer.error, what) : undefined;
  }

  /** Who speaks for a Matrix user; in the room. */
  async #speaker({ author }: EffectBase): Promise<Occupant | Failure> {
    const out = this.#presence.whyOut;
    if (out !== undefined) return retry(out);
    const { config } = this.#parts;
    const occupant = config.ghosts && config.maxGhosts > 0 ? this.#ghosts.get(author) : this.#watcher;
    return (await occupant.join()) ?? occupant;
  }

  async #send(effect: EffectBase, speaker: Occupant, ...content: readonly Element[]): Promise<Outcome> {
    const room: string = this.channel;
    const id = this.#parts.ids.of(room, effect.effect);
    const shown = this.#reflections.wait(id, this.#parts.tuning.reflectionTimeoutMs, effect.signal);
    const failure = await this.#parts.stream.send(
      xml(
        "message",
        { from: speaker.jid, to: room, type: "groupchat", id },
        ...content,
        xml("origin-id", { xmlns: NS.stanzaIds, id }),
      ),
    );
    if (failure) this.#reflections.failed(id, failure);
    return shown;
  }

  /** A message of ours came back. */
  #bounced(stanza: Element, occupant: Occupant, id: string): void {
    const room: string = this.channel;
    if (!this.#parts.ids.isOwn(room, id)) return;
    const error = stanzaErrorOf(stanza);
    // XEP-0045 §7.4: who is not in the room cannot speak in it.
    if (error.condition === "not-acceptable" || error.condition === "item-not-found") {
      occupant.forget();
      if (occupant === this.#watcher) this.#presence.removed();
      this.#reflections.failed(id, retry(`${occupant.jid} is no longer in ${room}, and enters it again`));
      return;
    }
    const failure =
      error.condition === "forbidden"
        ? refused(
            id === this.#topicAsked?.id
              ? `${occupant.nick ?? occupant.jid} may not change the subject of ${room}: only its moderators may`
              : `${occupant.nick ?? occupant.jid} may not speak in ${room}. Ask a moderator of the room for voice.`,
          )
        : failureOf(error, `The message to ${room}`);
    this.#reflections.failed(id, failure);
  }
}
