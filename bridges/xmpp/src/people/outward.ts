import { randomUUID } from "node:crypto";
import {
  refused,
  RemoteMessageId,
  splitContent,
  type ChannelId,
  type Content,
  type EditEffect,
  type EffectBase,
  type Failure,
  type MessageEffect,
  type Outcome,
  type ReactEffect,
  type ReceiptSignal,
  type RedactEffect,
  type ReplyTarget,
  type Sent,
  UserId,
  type TypingSignal,
  uncertain,
} from "@trestle/core";
import { toPlainText, truncate, type MentionTarget } from "@trestle/rich-text";
import { bareJidOf, localOfUser } from "../address/index.js";
import {
  partsOf,
  writeChatState,
  writeMarker,
  writeReactions,
  writeRetraction,
  writeSaid,
  type Envelope,
  type ReplyTo,
  type SaidOptions,
  type XmlElement,
} from "../content/index.js";
import { messageOf } from "../stream/errors.js";
import type { Acceptance } from "./acceptance.js";
import { addressOf, conversationOf, type Conversation } from "./conversation.js";
import type { ConversationHabits } from "./habits.js";
import { partId, type MessageNames } from "./message-names.js";
import type { PeopleParts } from "./parts.js";
import { ReactionSets } from "./reaction-sets.js";
import { Recent } from "./recent.js";

/** Between whom a channel is, and where the other person is reached now. */
export interface Talk extends Conversation {
  readonly to: string;
  /** What every message to there has in it. */
  readonly extra?: readonly XmlElement[];
}

/** How people are reached otherwise than at their own addresses. */
export interface Route {
  /** A failure where they cannot be reached; `undefined` where a channel is of another kind. */
  readonly talkOf: (channel: ChannelId) => Talk | Failure | undefined;
  /** Resolves when the Matrix user can write to there. */
  readonly ready: (talk: Talk) => Promise<Failure | undefined>;
}

/** People at their own addresses. */
const direct: Route = {
  talkOf: (channel) => {
    const talk = conversationOf(channel);
    return talk && { ...talk, to: talk.person };
  },
  ready: () => Promise.resolve(undefined),
};

export interface OutwardOptions {
  readonly parts: PeopleParts;
  readonly names: MessageNames;
  readonly habits: ConversationHabits;
  readonly acceptance: Acceptance;
  /** Absent: people are at their own addresses. */
  readonly route?: Route;
  /** The account through which the Matrix user speaks; the component, with an address of its own for them, where absent. */
  readonly account?: OwnAccount;
}

/** A Matrix user's own account, as far as speaking through it goes. */
export interface OwnAccount {
  /** The full JID. */
  address(): string;
  /**
   * Whether its archive has a message of this id that was sent since (milliseconds since 1970); `undefined` where it keeps
   * none. Rejects where that cannot be known now.
   */
  hasSent(id: string, since: number, signal: AbortSignal): Promise<boolean | undefined>;
}

const excerptLength = 60;
/** In UTF-8 bytes; with every character escaped it is still less than the stream sends, and servers take. */
const longestText = 30_000;

/** Says to people on XMPP what Matrix users say to them alone. */
export class PeopleOutward {
  readonly #options: OutwardOptions;
  readonly #reactions: ReactionSets;
  /** In which conversations the Matrix user is known to be typing. */
  readonly #typing = new Recent<boolean>(1_000);

  constructor(options: OutwardOptions) {
    this.#options = options;
    this.#reactions = new ReactionSets(options.parts.network.storage, "mine");
  }

  async say(effect: MessageEffect): Promise<Outcome> {
    const talk = await this.#talkOf(effect);
    if ("failed" in talk) return talk;
    const id = this.#idOf(effect);
    const url = await this.#urlOf(effect);
    if (typeof url === "object") return url;
    const contents = stanzasOf(effect.content);
    for (const [index, content] of contents.entries()) {
      const under = partId(id, index);
      const options = index === 0 ? this.#saidOptions(effect, talk, url) : this.#common();
      const stanza = writeSaid(this.#envelope(talk, under), content, options);
      const failure = await this.#send(effect, talk, stanza, under, content);
      if (failure) return failure;
    }
    this.#typing.set(effect.channel, false);
    return { id: RemoteMessageId(id) };
  }

  /** XEP-0308: always of the first form. */
  async edit(effect: EditEffect): Promise<Outcome> {
    const talk = await this.#talkOf(effect);
    const [first] = effect.target;
    if ("failed" in talk) return talk;
    if (first === undefined) return refused("The message that was corrected is not known on XMPP");
    const id = this.#idOf(effect);
    const [said, caption] = partsOf(effect.content);
    const target = this.#options.names.onWire(effect.channel, first);
    // Of a file only what is said about it can be corrected.
    const [content, replaces] = caption === undefined ? [said, target] : [caption, partId(target, 1)];
    const stanza = writeSaid(this.#envelope(talk, id), content, { ...this.#common(), replaces });
    return this.#send(effect, talk, stanza, id, content);
  }

  async redact(effect: RedactEffect): Promise<Outcome> {
    const { names } = this.#options;
    const talk = await this.#talkOf(effect);
    if ("failed" in talk) return talk;
    for (const [index, target] of effect.target.entries()) {
      // What the other person said is theirs: nobody can take it back for them.
      if (!names.isOurs(effect.channel, target)) continue;
      const id = index === 0 ? this.#idOf(effect) : `${this.#idOf(effect)}.${index}`;
      const wire = names.onWire(effect.channel, target);
      const reason = effect.reason === undefined ? {} : { reason: effect.reason };
      const stanza = writeRetraction(this.#envelope(talk, id), wire, { ...reason, old: true });
      const failure = await this.#send(effect, talk, stanza, id, "a retraction");
      if (failure) return failure;
    }
    return undefined;
  }

  react(effect: ReactEffect): Promise<Outcome> {
    return this.#react(effect, (keys) => [...new Set([...keys, effect.key])]);
  }

  unreact(effect: ReactEffect): Promise<Outcome> {
    return this.#react(effect, (keys) => keys.filter((key) => key !== effect.key));
  }

  /**
   * What is known to be taken, and what stands in the account's archive. Otherwise it is sent again under its id: clients
   * may drop it, and it is counted.
   */
  async findSent(effect: MessageEffect): Promise<Sent | null> {
    const { acceptance, parts, account } = this.#options;
    const id = this.#idOf(effect);
    const unknown = stanzasOf(effect.content).flatMap((_, index) => {
      const under = partId(id, index);
      return acceptance.isKnown(under) ? [] : [under];
    });
    if (unknown.length === 0) return { id: RemoteMessageId(id) };
    const { state } = parts.stream.state;
    if (state !== "online") throw new Error("The bridge is not connected to the XMPP server");
    for (const under of unknown) {
      const hasSent = await account?.hasSent(under, effect.at, effect.signal);
      // Those of several that were sent are not sent again.
      if (hasSent === false) return null;
      if (hasSent === undefined) {
        this.#repeated().add({});
        return null;
      }
    }
    return { id: RemoteMessageId(id) };
  }

  async typing({ channel, authors }: TypingSignal): Promise<void> {
    const { habits } = this.#options;
    const talk = this.#route.talkOf(channel);
    if (!talk || "failed" in talk) return;
    const isTyping = authors.some(({ userId }) => userId === talk.user);
    if (isTyping === (this.#typing.get(channel) ?? false) || !(await habits.of(channel)).chatStates) return;
    this.#typing.set(channel, isTyping);
    await this.#signal(writeChatState(this.#envelope(talk, randomUUID()), isTyping ? "composing" : "paused"));
  }

  async receipt({ channel, author, upTo }: ReceiptSignal): Promise<void> {
    const { names, habits } = this.#options;
    const talk = this.#route.talkOf(channel);
    if (!talk || "failed" in talk || talk.user !== author.userId || names.isOurs(channel, upTo)) return;
    if (!(await habits.of(channel)).markers) return;
    await this.#signal(writeMarker(this.#envelope(talk, randomUUID()), names.onWire(channel, upTo)));
  }

  async #react(effect: ReactEffect, change: (keys: readonly string[]) => readonly string[]): Promise<Outcome> {
    const talk = await this.#talkOf(effect);
    if ("failed" in talk) return talk;
    const before = await this.#reactions.of(effect.channel, effect.target);
    const keys = change(before);
    const id = this.#idOf(effect);
    const target = this.#options.names.onWire(effect.channel, effect.target);
    const stanza = writeReactions(this.#envelope(talk, id), target, keys);
    const failure = await this.#send(effect, talk, stanza, id, "a reaction");
    if (failure) return failure;
    await this.#reactions.set(effect.channel, effect.target, keys);
    return undefined;
  }

  /** Between whom it is; a failure where it is not the Matrix user whose conversation it is. */
  async #talkOf({ channel, author }: EffectBase): Promise<Talk | Failure> {
    const talk = this.#route.talkOf(channel);
    if (!talk) return refused(`${channel} is no conversation with a person`);
    if ("failed" in talk) return talk;
    if (talk.user === author.userId) return (await this.#route.ready(talk)) ?? talk;
    return refused(
      `Only ${talk.user} talks to ${talk.person} in this room. To talk to them yourself, invite ${talk.person} to a room of your own.`,
    );
  }

  #idOf({ channel, effect }: EffectBase): string {
    return this.#options.parts.ids.of(channel, effect);
  }

  get #route(): Route {
    return this.#options.route ?? direct;
  }

  #envelope({ user, to, extra = [] }: Talk, id: string): Envelope {
    return { from: this.#addressOf(user), to, type: "chat", id, extra };
  }

  #addressOf(user: UserId): string {
    const { account, parts } = this.#options;
    return account?.address() ?? addressOf(user, parts.config.domain);
  }

  #common(): SaidOptions {
    const { domain } = this.#options.parts.config;
    const mention = (target: MentionTarget) => {
      const jid = jidOf(target, domain);
      return jid === undefined ? undefined : { jid };
    };
    return { wantsReceipt: true, markable: true, xhtml: true, mention };
  }

  /** Where the bytes of a file can be had: at the XMPP server, or else through the media proxy. */
  async #urlOf({ content, signal }: MessageEffect): Promise<string | Failure | undefined> {
    if (content.type !== "media") return undefined;
    const uploaded = await this.#options.parts.uploads.urlOf(content, signal);
    return uploaded ?? (content.source.from === "matrix" ? content.source.url : undefined);
  }

  #saidOptions(effect: MessageEffect, talk: Talk, url: string | undefined): SaidOptions {
    const { replyTo, thread, channel } = effect;
    const reply = replyTo && this.#replyOf(effect, talk, replyTo);
    return {
      ...this.#common(),
      ...(reply && { reply }),
      ...(thread?.id !== undefined && { thread: { id: this.#options.names.onWire(channel, thread.id) } }),
      ...(url !== undefined && { url }),
    };
  }

  #replyOf({ channel }: EffectBase, talk: Talk, target: ReplyTarget): ReplyTo | undefined {
    const { names } = this.#options;
    if (target.id === undefined) return undefined;
    const isOwn = names.isOurs(channel, target.id);
    return {
      id: names.onWire(channel, target.id),
      author: isOwn ? this.#addressOf(talk.user) : talk.to,
      ...(target.authorName !== undefined && { name: target.authorName }),
      ...(target.excerpt !== undefined && { excerpt: target.excerpt }),
    };
  }

  async #send(
    effect: EffectBase,
    { to }: Talk,
    stanza: XmlElement,
    id: string,
    what: Content | string,
  ): Promise<Failure | undefined> {
    const { acceptance } = this.#options;
    // Of several the first ones may have been taken before.
    if (effect.attempt > 1 && acceptance.isKnown(id)) return undefined;
    const wasSent = effect.maybeSent && (await this.#wasSent(effect, id));
    if (typeof wasSent === "object") return wasSent;
    if (wasSent) return undefined;
    const excerpt = typeof what === "string" ? what : excerptOf(what);
    return acceptance.send(stanza, { id, to, excerpt }, effect.signal);
  }

  /** Whether the account's archive has a stanza that may have been sent; a failure where that cannot be known now. */
  async #wasSent({ at, signal }: EffectBase, id: string): Promise<boolean | Failure> {
    try {
      return (await this.#options.account?.hasSent(id, at, signal)) === true;
    } catch (error) {
      return uncertain(`Whether it was sent already cannot be known now: ${messageOf(error)}`);
    }
  }

  /** What is true for a moment: nobody waits for it, and it is not sent later. */
  async #signal(stanza: XmlElement): Promise<void> {
    await this.#options.parts.stream.send(stanza);
  }

  #repeated() {
    return this.#options.parts.network.metrics.counter(
      "direct_repeated_total",
      "Messages to one person that were sent again, because nobody could say whether they had been sent",
    );
  }
}

/** A message is a stanza for each of these. */
function stanzasOf(content: Content): readonly Content[] {
  return partsOf(content).flatMap((part) => splitContent(part, longestText));
}

/** The address of somebody who is mentioned. */
function jidOf(target: MentionTarget, domain: string): string | undefined {
  if (target.kind === "remoteUser") return bareJidOf(target.id);
  const isUser = target.kind === "matrixUser" && /^@[^:]*:./.test(target.userId);
  return isUser ? `${localOfUser(UserId(target.userId))}@${domain}` : undefined;
}

function excerptOf(content: Content): string {
  if (content.type === "text") return `“${truncate(toPlainText(content.body).trim(), excerptLength)}”`;
  return content.type === "media" ? content.name : "a place";
}
