import {
  addressReply,
  editFallback,
  mediaAsText,
  refused,
  RemoteUserId,
  retry,
  type Content,
  type EditEffect,
  type EffectBase,
  type Failure,
  type InviteEffect,
  type MessageEffect,
  type NameEffect,
  type Outcome,
  type ReactEffect,
  type RedactEffect,
  type ReplyTarget,
  type TopicEffect,
} from "@trestle/core";
import { bareJidOf } from "../address/index.js";
import {
  cleanXmlLine,
  element,
  isEmoji,
  moderationRequest,
  ns,
  writeInviteRequest,
  writeReactions,
  writeRetraction,
  writeSaid,
  writeSubject,
  type ReplyTo,
  type SaidOptions,
} from "../content/index.js";
import { writeForm } from "../protocol/index.js";
import { failureOf, legalXmlText } from "../stream/index.js";
import type { ChatStates } from "./chat-states.js";
import type { Authority, Rights } from "./authority.js";
import type { Ghosts } from "./ghosts.js";
import type { SentInvitations } from "./invitations.js";
import type { MentionsOptions } from "./mentions.js";
import { mentionedIn } from "./mentions.js";
import type { Messages } from "./messages.js";
import type { RoomFeatures } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import type { ReactionSets } from "./reaction-sets.js";
import type { RoomSender, SentEnvelope } from "./room-sender.js";
import { isFormatted, partsFor } from "./said-parts.js";
import type { Threads } from "./threads.js";
import type { Topic } from "./topic.js";

const ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig";

export interface OutwardOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly watcher: Occupant;
  readonly ghosts: Ghosts;
  readonly messages: Messages;
  readonly mentions: MentionsOptions;
  readonly reactions: ReactionSets;
  readonly threads: Threads;
  readonly topic: Topic;
  readonly invitations: SentInvitations;
  readonly sender: RoomSender;
  readonly states: ChatStates;
  readonly features: () => RoomFeatures;
  /** Why nothing can be said in the room now. */
  readonly whyOut: () => string | undefined;
  readonly authority: Authority;
  readonly rights: Rights;
  /** Why somebody is kept out of the room. */
  readonly whyBarred: (user: EffectBase["author"]["userId"]) => string | undefined;
}

/** Says in a room what is said on Matrix. */
export class RoomOutward {
  readonly #options: OutwardOptions;

  constructor(options: OutwardOptions) {
    this.#options = options;
  }

  /** What a message is cut into: one part a stanza. */
  split({ content, author }: Pick<MessageEffect, "content" | "author">): readonly Content[] {
    return partsFor(content, this.#speaksFor(author) ? author.name : undefined);
  }

  async say(effect: MessageEffect): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const part = this.split(effect)[effect.part];
    if (!part) return refused("Nothing is left to say of a message whose parts have changed.");
    const { messages, threads, sender, states } = this.#options;
    states.spoke(speaker);
    const reply = effect.part === 0 && effect.replyTo ? this.#reply(effect.replyTo) : undefined;
    // A room without ids of its own, or a message that was never there: as people write it by hand.
    const unknown = effect.part === 0 && reply === undefined ? effect.replyTo : undefined;
    const content = unknown ? addressReply(part, unknown) : part;
    const root = effect.thread?.id;
    const thread = root !== undefined && messages.canReferTo(root) ? { id: threads.withRoot(root) } : undefined;
    if (thread && root !== undefined) await threads.begin(thread.id, root);
    const write = await this.#writer(effect, content, { ...(reply && { reply }), ...(thread && { thread }) });
    return typeof write === "function" ? sender.sendAnew(effect, speaker, write) : write;
  }

  /** XEP-0308: by the id that the bridge gave the message. */
  async edit(effect: EditEffect): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const { sender } = this.#options;
    const parts = this.split(effect);
    for (const [index, part] of parts.entries()) {
      // A file stays what it is; its caption is a message of its own.
      if (part.type === "media") continue;
      const target = effect.target[index];
      const replaces = target === undefined ? undefined : await this.#ownId(target, effect);
      if (typeof replaces === "object") return replaces;
      // Of a message that nobody has any more the text is said anew; so is what an older form did not have.
      const content = replaces === undefined && target !== undefined ? editFallback(part) : part;
      const write = await this.#writer(effect, content, replaces === undefined ? {} : { replaces });
      const outcome = typeof write === "function" ? await sender.send(effect, speaker, write, index) : write;
      if ("failed" in outcome) return outcome;
    }
    return this.#retractRest(effect, speaker, parts.length);
  }

  async redact(effect: RedactEffect): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    for (const [index, target] of effect.target.entries()) {
      const outcome = await this.#takeAway(effect, target, index);
      if (outcome && "failed" in outcome) return outcome;
    }
    return undefined;
  }

  /** XEP-0444: always everything that somebody reacted with. */
  react(effect: ReactEffect): Promise<Outcome> {
    return this.#react(effect, (keys) => [...keys.filter((key) => key !== effect.key), effect.key]);
  }

  unreact(effect: ReactEffect): Promise<Outcome> {
    return this.#react(effect, (keys) => keys.filter((key) => key !== effect.key));
  }

  async setTopic(effect: TopicEffect): Promise<Outcome> {
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const text = legalXmlText(effect.topic).replace(/\r\n?/g, "\n");
    // A room says nothing when its subject is set to what it is.
    if (this.#options.topic.is(text)) return undefined;
    return this.#options.sender.sendSubject(effect, speaker, text, (envelope) => writeSubject(envelope, text));
  }

  /** XEP-0045 §7.8.2: the room asks somebody to come, in the name of who did so on Matrix. */
  async invite(effect: InviteEffect): Promise<Outcome> {
    const { parts, room, invitations } = this.#options;
    if (bareJidOf(effect.who) !== effect.who)
      return refused(`${effect.who} is no address to which ${room} could send an invitation`);
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    const envelope = { from: speaker.jid, to: room, type: "normal" as const, id: parts.ids.of(room, effect.effect) };
    await invitations.asking(envelope.id, effect.who, effect.author.userId);
    return speaker.send(writeInviteRequest(envelope, effect.who, effect.reason));
  }

  /** XEP-0045 §10.2. Only an owner can: where the bridge is none, the room keeps its name. */
  async rename(effect: NameEffect): Promise<Outcome> {
    const { parts, room, authority } = this.#options;
    const fields = [{ name: "muc#roomconfig_roomname", values: [cleanXmlLine(effect.name)] }];
    const form = writeForm({ type: "submit", formType: ROOM_CONFIG, fields });
    const query = element("query", { xmlns: ns.mucOwner }, form);
    const done = await authority.attempt(effect, query, `Naming ${room}`);
    if (done !== "denied") return done;
    parts.network.log.info({ room }, "A room that neither the bridge nor the Matrix user owns keeps its name");
    return undefined;
  }

  get #speaksForAll(): boolean {
    const { ghosts, maxGhosts } = this.#options.parts.config;
    return !ghosts || maxGhosts === 0;
  }

  /** Whether the bridge's own occupant speaks for a Matrix user. */
  #speaksFor({ userId }: EffectBase["author"]): boolean {
    return this.#speaksForAll && !this.#options.ghosts.hasVoice(userId);
  }

  /** Who speaks for a Matrix user; in the room. */
  async #speaker({ author }: EffectBase): Promise<Occupant | Failure> {
    const { whyOut, whyBarred, watcher, ghosts } = this.#options;
    const out = whyOut();
    if (out !== undefined) return retry(out);
    const barred = this.#speaksFor(author) ? undefined : whyBarred(author.userId);
    if (barred !== undefined) return refused(barred);
    const occupant = this.#speaksFor(author) ? watcher : ghosts.get(author);
    return (await occupant.join()) ?? occupant;
  }

  /** What writes a part; a file is brought to where people of the room can have it first. */
  async #writer(
    effect: EffectBase,
    part: Content,
    options: SaidOptions,
  ): Promise<((envelope: SentEnvelope) => ReturnType<typeof writeSaid>) | Failure> {
    const { parts, mentions } = this.#options;
    const url = part.type === "media" ? await parts.uploads.urlOf(part, effect.signal) : undefined;
    if (typeof url === "object") return url;
    const content = part.type === "media" && url === undefined ? mediaAsText(part) : part;
    const all: SaidOptions = {
      ...options,
      ...(url !== undefined && { url }),
      mention: (target) => mentionedIn(mentions, target),
      xhtml: isFormatted(content),
    };
    return (envelope) => writeSaid(envelope, content, all);
  }

  #reply({ id, remoteAuthor, matrixAuthor, authorName, excerpt }: ReplyTarget): ReplyTo | undefined {
    const { room, messages, mentions } = this.#options;
    if (id === undefined || !messages.canReferTo(id)) return undefined;
    const nick =
      messages.recent(id)?.nick ??
      (remoteAuthor === undefined ? undefined : mentions.members.nickOf(RemoteUserId(remoteAuthor))) ??
      (matrixAuthor === undefined ? undefined : mentions.nickOfUser(matrixAuthor));
    return {
      id,
      ...(nick !== undefined && { author: `${room}/${nick}` }),
      ...(authorName !== undefined && { name: authorName }),
      ...(excerpt !== undefined && { excerpt }),
    };
  }

  /** The id under which the bridge has sent a message; `undefined` where the room does not know it any more. */
  async #ownId(target: string, { signal }: EffectBase): Promise<string | Failure | undefined> {
    const { parts, room, messages } = this.#options;
    if (parts.ids.isOwn(room, target)) return target;
    const found = await messages.find(target, signal);
    return found && "failed" in found ? found : found?.ownId;
  }

  /** Parts that a corrected message does not have any more. */
  async #retractRest(effect: EditEffect, speaker: Occupant, from: number): Promise<Outcome> {
    const { messages, sender } = this.#options;
    for (const [index, target] of effect.target.entries()) {
      if (index < from || !messages.canReferTo(target)) continue;
      const write = (envelope: SentEnvelope) => writeRetraction(envelope, target, { old: true });
      const outcome = await sender.send(effect, speaker, write, index);
      if ("failed" in outcome) return outcome;
    }
    return undefined;
  }

  /** Whoever of ours has said it takes it back (XEP-0424); what others said only a moderator can take away (XEP-0425). */
  async #takeAway(effect: RedactEffect, target: string, index: number): Promise<Outcome> {
    const { room, messages, ghosts, watcher, sender, features } = this.#options;
    // Where the room gives no ids nobody could say what is meant.
    if (!messages.canReferTo(target)) return undefined;
    const found = await messages.find(target, effect.signal);
    if (found && "failed" in found) return found;
    if (found?.ownId !== undefined) {
      const own =
        found.nick === watcher.nick ? watcher : (ghosts.withNick(found.nick) ?? ghosts.find(effect.author.userId));
      const out = await own?.join();
      if (out) return out;
      const options = { old: true, ...(effect.reason !== undefined && { reason: effect.reason }) };
      if (own) return sender.send(effect, own, (envelope) => writeRetraction(envelope, target, options), index);
    }
    if (features().moderation === undefined) {
      this.#options.parts.network.log.info(
        { room, target },
        "A room without moderation keeps what was redacted on Matrix",
      );
      return undefined;
    }
    return this.#moderate(effect, target);
  }

  async #moderate(effect: RedactEffect, target: string): Promise<Outcome> {
    const { parts, room, watcher, features, rights } = this.#options;
    const request = moderationRequest(target, {
      old: features().moderation === "before",
      ...(effect.reason !== undefined && { reason: effect.reason }),
    });
    const answer = await parts.stream.request(element("iq", { type: "set", from: watcher.jid, to: room }, request), {
      signal: effect.signal,
    });
    if (answer.kind === "failure") return retry(answer.failure.reason);
    if (answer.kind === "result") return undefined;
    const { condition } = answer.error;
    // To take something away twice is to take it away.
    if (condition === "item-not-found") return undefined;
    if (condition === "forbidden" || condition === "not-allowed") {
      if (await rights.seek()) return retry(`The bridge enters ${room} again to take a message away`);
      return refused(`The bridge may not take messages away in ${room}: make ${rights.named} an admin of the room`);
    }
    return failureOf(answer.error, `To take a message away in ${room}`);
  }

  async #react(effect: ReactEffect, change: (keys: readonly string[]) => readonly string[]): Promise<Outcome> {
    const { room, messages, reactions, sender } = this.#options;
    if (!isEmoji(effect.key)) return refused(`People in ${room} can react with emoji only, not with “${effect.key}”`);
    const speaker = await this.#speaker(effect);
    if ("failed" in speaker) return speaker;
    // Only now is it known what the room can do.
    if (!messages.canReferTo(effect.target)) return undefined;
    const people = await reactions.of(effect.target);
    const { userId } = effect.author;
    const keys = change(people.get(userId)?.keys ?? []);
    const all = this.#speaksFor(effect.author)
      ? [...[...people].flatMap(([who, set]) => (who === userId ? [] : set.keys)), ...keys]
      : keys;
    const outcome = await sender.send(effect, speaker, (envelope) => writeReactions(envelope, effect.target, all));
    if (!("failed" in outcome)) await reactions.put(effect.target, userId, keys);
    return outcome;
  }
}
