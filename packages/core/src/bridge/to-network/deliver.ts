import type { MatrixEvent } from "../../appservice/event.js";
import type { Author } from "../../connector/effects.js";
import { ChannelId, ContentUri, EventId, RoomId, type RemoteMessageId } from "../../connector/ids.js";
import { dead, done, toMatrix, type Entry, type Verdict } from "../../delivery/entry.js";
import type { Link } from "../../mapping/links.js";
import type { Room } from "../../mapping/rooms.js";
import { verdictOf } from "../to-matrix/send.js";
import type { Ghosts } from "../ghosts.js";
import type { Memberships } from "../memberships.js";
import type { Permissions } from "../permissions.js";
import type { Withheld } from "../policy/withhold.js";
import type { Pictures } from "../pictures.js";
import { unlessOnItsWay } from "../on-its-way.js";
import { findLink } from "../find-link.js";
import type { BridgeRuntime } from "../runtime.js";
import { effectIdOf } from "../effect-id.js";
import { settingsOfHistory, settingsOfJoinRules } from "../moderation/room-settings.js";
import { deliverPowerLevels, deliverRoomState } from "../moderation/to-network.js";
import { Authors } from "./authors.js";
import { call, verdictOfCall } from "./call.js";
import { ContentForNetwork, type ReadMessage } from "./content.js";
import { deliverMembership } from "./membership.js";
import { deliverMessage } from "./message.js";
import { deliverPins } from "./pins.js";
import { reactionKeyOf } from "./reaction-key.js";
import type { EffectSource } from "./source.js";

export interface ToNetworkParts {
  readonly runtime: BridgeRuntime;
  readonly authors: Authors;
  readonly ghosts: Ghosts;
  readonly memberships: Memberships;
  readonly permissions: Permissions;
  readonly withheld: Withheld;
  readonly pictures: Pictures;
  /** Says privately why nothing is bridged from an encrypted room. */
  readonly onEncrypted: (room: RoomId, sender: string) => Promise<void>;
  /** A Matrix user is no longer in a direct conversation. */
  readonly leftConversation: (link: Link) => Promise<Verdict>;
}

/** Brings events of linked rooms to their channels. */
export class ToNetwork {
  readonly #content: ContentForNetwork;

  constructor(readonly parts: ToNetworkParts) {
    this.#content = new ContentForNetwork(parts.runtime, parts.ghosts);
  }

  /** To the channel that is the entry's lane: where the network gave it another id, both are that. */
  deliver(entry: Entry, event: MatrixEvent): Promise<Verdict> {
    const { lane: channel } = entry;
    const links = this.parts.runtime.links.ofRoom(event.room_id);
    const link = links instanceof Promise ? undefined : links.find((each) => each.channel === channel);
    return link ? this.#deliverTo(entry, event, link) : this.#lookForLink(entry, event, channel);
  }

  async #lookForLink(entry: Entry, event: MatrixEvent, channel: string): Promise<Verdict> {
    const link = await findLink(this.parts.runtime, RoomId(event.room_id), (each) => each.channel === channel);
    // Unlinked meanwhile: whoever unlinked did not want it delivered.
    return link ? this.#deliverTo(entry, event, link) : done();
  }

  #deliverTo(entry: Entry, event: MatrixEvent, link: Link): Promise<Verdict> {
    const { runtime, permissions } = this.parts;
    if (permissions.bans(event.sender) || permissions.bansRoom(event.room_id)) return this.#withhold(event, link);
    if (!permissions.atLeast(event.sender, "relay")) return Promise.resolve(done());
    const { maxAgeToNetwork } = runtime.global.delivery;
    const age = runtime.clock.now() - event.origin_server_ts;
    if (maxAgeToNetwork > 0 && event.origin_server_ts > 0 && age > maxAgeToNetwork) {
      const minutes = Math.round(age / 60_000);
      return Promise.resolve(
        dead(`It is ${minutes} minutes old; nothing older than delivery.maxAgeToNetwork is sent late.`),
      );
    }
    return this.#dispatch(entry, event, link);
  }

  async #withhold(event: MatrixEvent, link: Link): Promise<Verdict> {
    const dropped = this.parts.withheld.drop(event, link);
    const isGone =
      event.type === "m.room.member" && event.state_key === event.sender && event.content.membership === "leave";
    if (link.kind !== "direct" || !isGone) return dropped;
    const ended = await this.parts.leftConversation(link);
    return ended.verdict === "done" ? dropped : ended;
  }

  #dispatch(entry: Entry, event: MatrixEvent, link: Link): Promise<Verdict> {
    switch (event.type) {
      case "m.room.encrypted":
        return this.parts.onEncrypted(RoomId(event.room_id), event.sender).then(() => done());
      case "m.room.member":
        return this.#withSource(entry, event, link, (source) => deliverMembership(this.parts, source));
      case "m.room.topic":
        return this.#withSource(entry, event, link, (source) => this.#topic(source));
      case "m.room.name":
        return this.#withSource(entry, event, link, (source) => this.#name(source));
      case "m.room.avatar":
        return this.#withSource(entry, event, link, (source) => this.#picture(source));
      case "m.room.pinned_events":
        return this.#withSource(entry, event, link, (source) => deliverPins(this.parts.runtime, source));
      case "m.room.power_levels":
        return this.#withSource(entry, event, link, (source) => deliverPowerLevels(this.parts, source));
      case "m.room.join_rules":
        return this.#withSource(entry, event, link, (source) =>
          deliverRoomState(this.parts, source, settingsOfJoinRules),
        );
      case "m.room.history_visibility":
        return this.#withSource(entry, event, link, (source) =>
          deliverRoomState(this.parts, source, settingsOfHistory),
        );
      case "m.reaction":
        return this.#withSource(entry, event, link, (source) => this.#reaction(source));
      case "m.room.redaction":
        return this.#withSource(entry, event, link, (source) => this.#redaction(source));
      default:
        return this.#withSource(entry, event, link, (source) => this.#message(entry, source));
    }
  }

  /** Without waiting where the room and the author are known: most events. */
  #withSource(
    entry: Entry,
    event: MatrixEvent,
    link: Link,
    deliver: (source: EffectSource) => Promise<Verdict>,
  ): Promise<Verdict> {
    const room = this.parts.runtime.rooms.cached(event.room_id);
    const author = room && this.parts.authors.known(room, event.sender);
    if (room && author?.ok) return deliver(sourceOf(entry, event, link, room, author.body));
    return this.#lookForSource(entry, event, link, deliver);
  }

  async #lookForSource(
    entry: Entry,
    event: MatrixEvent,
    link: Link,
    deliver: (source: EffectSource) => Promise<Verdict>,
  ): Promise<Verdict> {
    const room = await this.parts.runtime.rooms.ensure(RoomId(event.room_id));
    const author = await this.parts.authors.of(room, event.sender);
    return author.ok ? deliver(sourceOf(entry, event, link, room, author.body)) : verdictOf(author.failure);
  }

  #message(entry: Entry, source: EffectSource): Promise<Verdict> {
    const reading = this.#content.read(source);
    return reading instanceof Promise
      ? reading.then((read) => this.#deliverRead(entry, source, read))
      : this.#deliverRead(entry, source, reading);
  }

  #deliverRead(entry: Entry, source: EffectSource, read: ReadMessage): Promise<Verdict> {
    switch (read.is) {
      case "nothing":
        return Promise.resolve(done());
      case "failure":
        return Promise.resolve(verdictOf(read.failure));
      case "message":
        return deliverMessage(this.parts.runtime, entry, source, read.message);
      case "edit":
        return this.#edit(entry, source, read);
    }
  }

  async #edit(entry: Entry, source: EffectSource, read: Extract<ReadMessage, { is: "edit" }>): Promise<Verdict> {
    const target = await this.parts.runtime.messages.ofEvent(read.target, source.link.channelKey);
    const { edit } = this.parts.runtime.handlers;
    if (target.length === 0) {
      const redacted = await this.#content.isRedacted(source, read.target);
      if (!redacted.ok) return verdictOf(redacted.failure);
      // Taken back before it was carried, or after: its edits must not bring it to light.
      if (redacted.body) return done();
    }
    if (!edit || target.length === 0) return deliverMessage(this.parts.runtime, entry, source, read.fallback);
    const ids = target.map((part) => part.remote);
    return this.#effect(source, "edit", (effect) => edit({ ...effect, target: ids, content: read.content }));
  }

  async #reaction(source: EffectSource): Promise<Verdict> {
    const { seq, event, link, room, base } = source;
    const { runtime } = this.parts;
    const relation = event.content["m.relates_to"];
    const { event_id: on, key: given } = (typeof relation === "object" && relation !== null ? relation : {}) as {
      event_id?: unknown;
      key?: unknown;
    };
    const { react, limits } = runtime.handlers;
    if (typeof on !== "string" || typeof given !== "string" || given === "" || !react) return done();
    const [target] = await runtime.messages.ofEvent(on, link.channelKey);
    if (!target) return this.#unknown(room, seq, base.attempt);
    const key = await reactionKeyOf(given, event.content, this.parts.pictures);
    const about = limits?.reactedTo === true ? await this.#content.target(source, EventId(on)) : undefined;
    if (about && !about.ok) return verdictOf(about.failure);
    const verdict = await this.#effect(source, "react", (effect) =>
      react({ ...effect, target: target.remote, key, ...(about && { about: about.body }) }),
    );
    if (verdict.verdict !== "done") return verdict;
    const reaction = {
      channelKey: link.channelKey,
      remote: target.remote,
      roomKey: room.key,
      sender: event.sender,
      key,
      event: base.event,
    };
    return done(runtime.messages.mapReaction(reaction));
  }

  /** Where no network knows the message. */
  #unknown(room: Room, seq: number, attempt: number): Verdict {
    return unlessOnItsWay(this.parts.runtime, { direction: toMatrix, lane: room.id }, { seq, attempts: attempt - 1 });
  }

  async #redaction(source: EffectSource): Promise<Verdict> {
    const { runtime } = this.parts;
    const { event, link, room } = source;
    const redacts = typeof event.content.redacts === "string" ? event.content.redacts : event.redacts;
    if (redacts === undefined) return done();
    const reaction = await runtime.messages.reactionOfEvent(redacts);
    if (reaction) {
      const { unreact } = runtime.handlers;
      const writes = runtime.messages.unmapReaction(reaction);
      if (!unreact || reaction.channelKey !== link.channelKey || reaction.roomKey !== room.key) return done(writes);
      const verdict = await this.#effect(source, "unreact", (effect) =>
        unreact({ ...effect, target: reaction.remote, key: reaction.key }),
      );
      return verdict.verdict === "done" ? done(writes) : verdict;
    }
    const parts = await runtime.messages.ofEvent(redacts, link.channelKey);
    await runtime.revokeMedia(redacts);
    const { redact } = runtime.handlers;
    if (!redact) return done();
    if (parts.length === 0) return this.#unknown(room, source.seq, source.base.attempt);
    const target = parts.map((part): RemoteMessageId => part.remote);
    const reason = typeof event.content.reason === "string" ? event.content.reason : undefined;
    const verdict = await this.#effect(source, "redact", (effect) =>
      redact({ ...effect, target, ...(reason !== undefined && { reason }) }),
    );
    return verdict.verdict === "done" ? done(runtime.messages.unmap(parts)) : verdict;
  }

  async #topic(source: EffectSource): Promise<Verdict> {
    const { topic } = this.parts.runtime.handlers;
    const text = source.event.content.topic;
    if (!topic || typeof text !== "string") return done();
    return this.#effect(source, "topic", (effect) => topic({ ...effect, topic: text }));
  }

  async #name(source: EffectSource): Promise<Verdict> {
    const { name } = this.parts.runtime.handlers;
    const text = source.event.content.name;
    if (!name || typeof text !== "string") return done();
    return this.#effect(source, "name", (effect) => name({ ...effect, name: text }));
  }

  async #picture(source: EffectSource): Promise<Verdict> {
    const { picture } = this.parts.runtime.handlers;
    const { content, state_key: key } = source.event;
    if (!picture || key !== "") return done();
    const url = typeof content.url === "string" ? content.url : "";
    // What is nowhere on a homeserver nobody on Matrix sees either.
    if (url !== "" && !url.startsWith("mxc://")) return done();
    return this.#effect(source, "picture", (effect) =>
      picture({ ...effect, ...(url !== "" && { picture: ContentUri(url) }) }),
    );
  }

  async #effect(
    { base, link }: EffectSource,
    kind: string,
    work: (
      effect: EffectSource["base"] & { readonly effect: ReturnType<typeof effectIdOf>; readonly signal: AbortSignal },
    ) => ReturnType<Parameters<typeof call>[1]>,
  ): Promise<Verdict> {
    const { runtime } = this.parts;
    const effect = effectIdOf(runtime.name, kind, link.channel, base.event);
    return verdictOfCall(await call(runtime, (running) => work({ ...base, effect, signal: running.signal })));
  }
}

function sourceOf(entry: Entry, event: MatrixEvent, link: Link, room: Room, author: Author): EffectSource {
  const base = {
    attempt: entry.attempts + 1,
    maybeSent: entry.maybeSent,
    channel: ChannelId(link.channel),
    room: room.id,
    event: EventId(event.event_id),
    author,
    at: event.origin_server_ts,
  };
  return { seq: entry.seq, event, room, link, base };
}
