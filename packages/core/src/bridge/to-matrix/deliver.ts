import type {
  EditReceived,
  MembershipReceived,
  MessageReceived,
  NetworkEvent,
  ProfileReceived,
  ReactionReceived,
  ReactionRemoved,
  RedactionReceived,
  RemoteUser,
} from "../../connector/events.js";
import { EventId, RemoteMessageId, UserId, type EffectId, type RoomId } from "../../connector/ids.js";
import { dead, done, toNetwork, type Entry, type Verdict } from "../../delivery/entry.js";
import { unknownSender, type MappedMessage, type MappedReaction } from "../../mapping/messages.js";
import type { Room } from "../../mapping/rooms.js";
import { deliveredAs } from "../delivered-as.js";
import { effectIdOf } from "../effect-id.js";
import { findLink } from "../find-link.js";
import type { Ghosts } from "../ghosts.js";
import type { Memberships } from "../memberships.js";
import { ModerationToMatrix } from "../moderation/to-matrix.js";
import { unlessOnItsWay } from "../on-its-way.js";
import type { BridgeRuntime } from "../runtime.js";
import { ChannelChanges } from "./channel-changes.js";
import type { MatrixEventDraft } from "../content/to-matrix.js";
import { ContentForMatrix } from "./content.js";
import { ifReadable } from "./readable.js";
import { reactionContent } from "./reaction-content.js";
import { afterParts, MatrixSender, verdictOf, type MatrixSenderParts } from "./send.js";
import { invite, turnedDown } from "./invitation.js";
import type { MatrixMedia } from "./media.js";
import type { Puppets } from "./puppets.js";
import type { Speaker } from "./speaker.js";

export interface ToMatrixParts extends Pick<MatrixSenderParts, "beforeWriting"> {
  readonly runtime: BridgeRuntime;
  readonly ghosts: Ghosts;
  readonly memberships: Memberships;
  readonly media: MatrixMedia;
  /** Where the bridge may speak for users who signed in. */
  readonly puppets: Puppets | undefined;
  /** Who signed in as a person of the network. */
  readonly userOf: (remote: string) => UserId | undefined;
  /** The link of the room ends. */
  readonly unlink: (room: RoomId, channelKey: number) => Promise<void>;
}

interface Target {
  readonly entry: Entry;
  readonly room: Room;
  readonly channelKey: number;
}

type WithSpeaker = { readonly speaker: Speaker } | { readonly verdict: Verdict };

/** Brings events of linked channels to their rooms. */
export class ToMatrix {
  readonly sender: MatrixSender;
  readonly #content: ContentForMatrix;
  readonly #changes: ChannelChanges;
  readonly #moderation: ModerationToMatrix;

  constructor(readonly parts: ToMatrixParts) {
    this.#moderation = new ModerationToMatrix(parts);
    this.sender = new MatrixSender({ ...parts, letSpeak: (room, user) => this.#moderation.letSpeak(room, user) });
    this.#content = new ContentForMatrix(parts.runtime, parts.ghosts, parts.media, parts.userOf);
    this.#changes = new ChannelChanges({
      runtime: parts.runtime,
      moderation: this.#moderation,
      media: parts.media,
      unlink: parts.unlink,
      say: (entry, room, text) => this.notice(entry, room, text, undefined),
    });
  }

  deliver(entry: Entry, roomId: RoomId, event: NetworkEvent, channelKey: number): Promise<Verdict> {
    const { rooms, links } = this.parts.runtime;
    const room = rooms.cached(roomId);
    const linked = room && room.replacement === undefined ? links.ofRoom(roomId) : [];
    return room && !(linked instanceof Promise) && linked.length > 0
      ? this.#deliverTo({ entry, room, channelKey }, event)
      : this.#lookForRoom(entry, roomId, event, channelKey);
  }

  async #lookForRoom(entry: Entry, roomId: RoomId, event: NetworkEvent, channelKey: number): Promise<Verdict> {
    const { runtime } = this.parts;
    const link = await findLink(runtime, roomId);
    // Unlinked meanwhile: whoever unlinked did not want it delivered.
    return link ? this.#deliverTo({ entry, room: await runtime.rooms.ensure(link.room), channelKey }, event) : done();
  }

  #deliverTo(target: Target, event: NetworkEvent): Promise<Verdict> {
    const { runtime } = this.parts;
    const { maxAgeToMatrix } = runtime.global.delivery;
    const age = runtime.clock.now() - (event.at ?? target.entry.at);
    if (maxAgeToMatrix > 0 && age > maxAgeToMatrix) {
      const minutes = Math.round(age / 60_000);
      return Promise.resolve(
        dead(`It is ${minutes} minutes old; nothing older than delivery.maxAgeToMatrix is sent late.`),
      );
    }
    const held = event.kind === "message" ? (runtime.handlers.holdBack?.(event.channel, target.room.id) ?? 0) : 0;
    if (held > 0) {
      const reason = "the connector holds it back";
      return Promise.resolve({ verdict: "retry", reason, afterMs: held, transport: "source" });
    }
    return this.#dispatch(target, event).then((verdict) =>
      verdict.verdict === "dead" ? this.#unlessReplaced(target.room, verdict) : verdict,
    );
  }

  /** A room that was just replaced refuses everything: what is for it waits until the bridge has followed. */
  async #unlessReplaced(room: Room, verdict: Verdict): Promise<Verdict> {
    const tombstone = await this.parts.runtime.client.getState({ room: room.id, type: "m.room.tombstone" });
    if (!tombstone.ok || tombstone.body === null || typeof tombstone.body.replacement_room !== "string") return verdict;
    return {
      verdict: "retry",
      reason: "the room was upgraded; waiting until the bridge has joined the new one",
      transport: true,
      afterMs: 1_000,
    };
  }

  #dispatch(target: Target, event: NetworkEvent): Promise<Verdict> {
    switch (event.kind) {
      case "message":
        return ifReadable(this.parts.runtime, target.room, () => this.#message(target, event));
      case "edit":
        return ifReadable(this.parts.runtime, target.room, () => this.#edit(target, event));
      case "reaction":
        return ifReadable(this.parts.runtime, target.room, () => this.#reaction(target, event));
      case "reactionRemoved":
        return this.#reactionRemoved(target, event);
      case "redaction":
        return this.#redaction(target, event);
      case "membership":
        return this.#membership(target, event);
      case "profile":
        return this.#profile(event);
      case "roles":
        return this.#moderation.roles(target, event);
      case "expulsion":
        return this.#moderation.expel(target, event);
      case "invitation":
        return invite(this.parts.runtime, this.parts.ghosts, target.room.id, event);
      case "declined":
        return turnedDown(this.parts.runtime, this.parts.ghosts, target.room.id, event, (text, mention) =>
          this.notice(target.entry, target.room.id, text, undefined, mention),
        );
      case "channel":
        return this.#changes.apply(target, event);
    }
  }

  /** The bot says something, e.g. that a message could not be delivered. */
  async notice(
    entry: Entry,
    roomId: RoomId,
    text: string,
    replyTo: string | undefined,
    mention?: string,
  ): Promise<Verdict> {
    const room = await this.parts.runtime.rooms.ensure(roomId);
    return ifReadable(this.parts.runtime, room, async () => {
      const content = {
        msgtype: "m.notice",
        body: text,
        "m.mentions": mention === undefined ? {} : { user_ids: [mention] },
        ...(replyTo !== undefined && { "m.relates_to": { "m.in_reply_to": { event_id: replyTo } } }),
      };
      const effect = effectIdOf(this.parts.runtime.name, "notice", roomId, entry.source);
      const sent = await this.sender.send(entry, room, undefined, { type: "m.room.message", content, effect });
      return sent.sent ? done() : sent.verdict;
    });
  }

  /** Without asking anybody: `undefined` where it is not in memory. */
  #knownSpeaker(person: RemoteUser, room: Room): Speaker | undefined {
    const user = this.parts.puppets?.find(person.id, room.id);
    if (user !== undefined) return { as: "puppet", user };
    const ghost = this.parts.ghosts.current(person);
    return ghost && { as: "ghost", user: ghost.user, ghost };
  }

  async #speaker(person: RemoteUser, room: Room): Promise<WithSpeaker> {
    const known = this.#knownSpeaker(person, room);
    if (known) return { speaker: known };
    const ghost = await this.parts.ghosts.ensure(person);
    return ghost.ok
      ? { speaker: { as: "ghost", user: ghost.body.user, ghost: ghost.body } }
      : { verdict: verdictOf(ghost.failure) };
  }

  /** Who uploads the files of what they say. */
  #uploader(speaker: Speaker): UserId {
    return speaker.as === "ghost" ? speaker.user : this.parts.runtime.bot;
  }

  #message(target: Target, event: MessageReceived): Promise<Verdict> {
    const speaker = this.#knownSpeaker(event.sender, target.room);
    const outgoing = speaker && this.#content.plain(event);
    const [alone, ...others] = outgoing?.events ?? [];
    return speaker && alone && others.length === 0
      ? this.#sendAlone(target, event, speaker, alone)
      : this.#sendParts(target, event);
  }

  /** The usual case: nothing has to be asked for, and one event says it all. */
  #sendAlone(
    target: Target,
    event: MessageReceived,
    speaker: Speaker,
    { type, content }: MatrixEventDraft,
  ): Promise<Verdict> {
    const { entry, room } = target;
    const effect = this.#messageEffect(target, event, 0);
    return this.sender.send(entry, room, speaker, { type, content, effect }, event.at).then((sent) => {
      if (!sent.sent) return sent.verdict;
      return deliveredAs(this.parts.runtime, [mappedPart(target, event, speaker, 0, sent.eventId)]);
    });
  }

  async #sendParts(target: Target, event: MessageReceived): Promise<Verdict> {
    const { entry, room, channelKey } = target;
    const early = await this.#early(target, event);
    if (early) return early;
    const found = await this.#speaker(event.sender, room);
    if ("verdict" in found) return found.verdict;
    const { speaker } = found;
    const outgoing =
      this.#content.plain(event) ??
      (await this.#content.message(event, room, channelKey, {
        speaker: speaker.user,
        uploader: this.#uploader(speaker),
      }));
    if ("verdict" in outgoing) return outgoing.verdict;
    const mapped: MappedMessage[] = [];
    for (const [part, { type, content }] of outgoing.events.entries()) {
      const effect = this.#messageEffect(target, event, part);
      const sent = await this.sender.send(entry, room, speaker, { type, content, effect }, event.at);
      if (!sent.sent) return afterParts(part, sent.verdict);
      mapped.push(mappedPart(target, event, speaker, part, sent.eventId));
    }
    return deliveredAs(this.parts.runtime, mapped);
  }

  /** Where it answers what may be just on its way to the network: now it would answer nothing. */
  async #early({ entry, room, channelKey }: Target, event: MessageReceived): Promise<Verdict | undefined> {
    for (const about of [event.replyTo, event.thread]) {
      if (about === undefined) continue;
      const known = await this.parts.runtime.messages.ofRemote(channelKey, about, room.key);
      const verdict = known.length > 0 ? undefined : this.#unknown(entry, event);
      if (verdict?.verdict === "retry") return verdict;
    }
    return undefined;
  }

  #messageEffect({ room, channelKey }: Target, event: MessageReceived, part: number): EffectId {
    return effectIdOf(this.parts.runtime.name, "message", channelKey, event.id, room.id, part);
  }

  async #edit(target: Target, event: EditReceived): Promise<Verdict> {
    const { runtime } = this.parts;
    const { entry, room, channelKey } = target;
    const [original] = await runtime.messages.ofRemote(channelKey, event.target, room.key);
    const unknown = original ? undefined : this.#unknown(entry, event);
    if (unknown?.verdict === "retry") return unknown;
    const found = await this.#speaker(event.sender, room);
    if ("verdict" in found) return found.verdict;
    const { speaker } = found;
    const author = original && (await this.#senderOf(original, room));
    if (author && "verdict" in author) return author;
    // Only its own sender may edit a message; anything else is shown as a message of its own.
    const edits = author?.sender === speaker.user ? original?.event : undefined;
    const outgoing = await this.#content.edit(event, room, channelKey, this.#uploader(speaker), edits);
    if ("verdict" in outgoing) return outgoing.verdict;
    for (const [part, { type, content }] of outgoing.events.entries()) {
      const effect = effectIdOf(runtime.name, "edit", channelKey, event.id, room.id, part);
      const sent = await this.sender.send(entry, room, speaker, { type, content, effect }, event.at);
      if (!sent.sent) return afterParts(part, sent.verdict);
    }
    return done();
  }

  /** Who sent what was mapped; asked of the homeserver where the bridge it was imported from did not keep it. */
  async #senderOf(message: MappedMessage, room: Room): Promise<{ readonly sender: string | undefined } | Verdict> {
    if (message.sender !== unknownSender) return { sender: message.sender };
    const original = await this.parts.runtime.client.getEvent(room.id, EventId(message.event));
    if (original.ok) return { sender: original.body?.sender };
    const verdict = verdictOf(original.failure);
    return verdict.verdict === "dead" ? { sender: undefined } : verdict;
  }

  async #reaction(target: Target, event: ReactionReceived): Promise<Verdict> {
    const { runtime } = this.parts;
    const { entry, room, channelKey } = target;
    const [on] = await runtime.messages.ofRemote(channelKey, event.target, room.key);
    if (!on) return this.#unknown(entry, event);
    const found = await this.#speaker(event.sender, room);
    if ("verdict" in found) return found.verdict;
    const content = reactionContent(on.event, event);
    const effect = effectIdOf(runtime.name, "reaction", channelKey, event.id, room.id);
    const sent = await this.sender.send(entry, room, found.speaker, { type: "m.reaction", content, effect }, event.at);
    if (!sent.sent)
      return sent.verdict.verdict === "dead" && sent.verdict.reason.includes("M_DUPLICATE_ANNOTATION")
        ? done()
        : sent.verdict;
    return done(
      runtime.messages.mapReaction({
        channelKey,
        remote: event.target,
        roomKey: room.key,
        sender: found.speaker.user,
        key: event.key,
        event: sent.eventId,
      }),
    );
  }

  /** Where the room does not know the message. The network may show what Matrix has said before it has confirmed it. */
  #unknown(entry: Entry, { channel }: NetworkEvent): Verdict {
    return unlessOnItsWay(this.parts.runtime, { direction: toNetwork, lane: channel }, entry);
  }

  /** It may have been made before the person signed in, or after. */
  async #reactionOf(event: ReactionRemoved, room: Room, channelKey: number): Promise<MappedReaction | undefined> {
    const { runtime, ghosts, puppets } = this.parts;
    for (const user of [puppets?.find(event.sender.id, room.id), (await ghosts.find(event.sender.id))?.user]) {
      const found = user && (await runtime.messages.reaction(channelKey, event.target, room.key, user, event.key));
      if (found) return found;
    }
    return undefined;
  }

  async #reactionRemoved({ entry, room, channelKey }: Target, event: ReactionRemoved): Promise<Verdict> {
    const { runtime } = this.parts;
    const reaction = await this.#reactionOf(event, room, channelKey);
    if (!reaction) return done();
    const effect = effectIdOf(runtime.name, "unreact", channelKey, event.id, room.id);
    const users = [UserId(reaction.sender), runtime.bot];
    const failed = await this.sender.redact(entry, room.id, users, EventId(reaction.event), effect);
    return failed ?? done(runtime.messages.unmapReaction(reaction));
  }

  async #redaction({ entry, room, channelKey }: Target, event: RedactionReceived): Promise<Verdict> {
    const { runtime, ghosts, puppets } = this.parts;
    const parts = await runtime.messages.ofRemote(channelKey, RemoteMessageId(event.target), room.key);
    if (parts.length === 0) return this.#unknown(entry, event);
    const ghost = event.sender && (await ghosts.find(event.sender.id));
    const own = new Set([ghost?.user, event.sender && puppets?.find(event.sender.id, room.id)]);
    for (const [index, part] of parts.entries()) {
      const effect = effectIdOf(runtime.name, "redact", channelKey, event.id, room.id, part.part);
      const author = UserId(part.sender);
      const users = own.has(author) ? [author, runtime.bot] : [runtime.bot];
      // Where the bot is no moderator whoever wrote it still may: somebody on the network could take it away.
      if (runtime.isOwn(author) || puppets?.speaksFor(author) === true) users.push(author);
      const failed = await this.sender.redact(entry, room.id, users, EventId(part.event), effect, event.reason);
      if (failed) return afterParts(index, failed);
    }
    return done(runtime.messages.unmap(parts));
  }

  async #membership({ room }: Target, event: MembershipReceived): Promise<Verdict> {
    const { runtime, ghosts, memberships } = this.parts;
    const joining = event.change === "join";
    if (joining && runtime.config.membership !== "full" && event.intoRoom !== true) return done();
    const known = await ghosts.find(event.user.id);
    if (!known && !joining) return done();
    // Who signed in goes in and out of rooms by themselves.
    if (this.parts.puppets?.find(event.user.id, room.id) !== undefined && joining) return done();
    const made = joining ? await ghosts.ensure(event.user) : undefined;
    if (made && !made.ok) return verdictOf(made.failure);
    const ghost = made?.body ?? known;
    if (!ghost || (!joining && !(await memberships.isWanted(room.key, ghost)))) return done();
    return done(memberships.want(room.key, ghost, joining, event.reason), () => memberships.hurry());
  }

  async #profile(event: ProfileReceived): Promise<Verdict> {
    if (!(await this.parts.ghosts.find(event.user.id))) return done();
    const ghost = await this.parts.ghosts.ensure(event.user);
    return ghost.ok ? done() : verdictOf(ghost.failure);
  }
}

function mappedPart(
  { room, channelKey }: Target,
  event: MessageReceived,
  speaker: Speaker,
  part: number,
  sent: EventId,
): MappedMessage {
  return { channelKey, remote: event.id, part, roomKey: room.key, event: sent, sender: speaker.user };
}
