import { createHash, randomUUID } from "node:crypto";
import {
  refused,
  RemoteMessageId,
  RemoteUserId,
  textContent,
  type ChannelId,
  type Content,
  type Failure,
  type Interpretation,
  type Interpreted,
  type NetworkEvent,
  type RemoteUser,
} from "@trestle/core";
import { normalise, richTextOf } from "@trestle/rich-text";
import { z } from "zod";
import { bareJidOf } from "../address/index.js";
import { parseXml, readMessage, type MessageStanza, type MessageWhat, type Said } from "../content/index.js";
import type { XmlElement } from "../content/index.js";
import { conversationOf, type Conversation } from "./conversation.js";
import type { MessageNames } from "./message-names.js";
import type { PeopleParts } from "./parts.js";
import { ReactionSets } from "./reaction-sets.js";
import { Receivers } from "./receivers.js";

/**
 * What is journaled of a message: the stanza as it came; and where it came through the Matrix user's own account, that
 * account, and when it was said.
 */
const wireSchema = z.object({ stanza: z.string(), account: z.string().optional(), at: z.number().optional() });

/** How a message came that is to or from a Matrix user's own account. */
export interface ThroughAccount {
  /** The bare JID. */
  readonly account: string;
  /** When it was said, in milliseconds since 1970, as the archive has it. */
  readonly at?: number;
}

/** In UTF-16 code units of its XML; the core keeps twice as much, and JSON escapes some of it. */
const longestStanza = 400_000;

export interface InwardOptions {
  readonly parts: PeopleParts;
  readonly names: MessageNames;
  /** Who a person is; asked of their server at most once in a while. */
  readonly personOf: (talk: Conversation, message: Pick<MessageStanza, "from" | "nick">) => Promise<RemoteUser>;
  /** Between whom a channel is; that of people and their own addresses where absent. */
  readonly talkOf?: (channel: ChannelId) => Conversation | undefined;
  readonly isLinked: (channel: ChannelId) => boolean;
}

/** Makes events of what people on XMPP say to Matrix users alone. */
export class PeopleInward {
  readonly #options: InwardOptions;
  readonly #theirs: ReactionSets;
  readonly #mine: ReactionSets;
  readonly #receivers: Receivers;

  constructor(options: InwardOptions) {
    this.#options = options;
    this.#receivers = new Receivers(options.parts);
    this.#theirs = new ReactionSets(options.parts.network.storage, "theirs");
    this.#mine = new ReactionSets(options.parts.network.storage, "mine");
  }

  /** Whether it can be kept. */
  fits(stanza: XmlElement): boolean {
    return stanza.toString().length <= longestStanza;
  }

  /** Resolves when the message is on disk; one that came before is known by its id and what it says. */
  take(
    channel: ChannelId,
    stanza: XmlElement,
    { ids, from, what }: MessageStanza,
    through?: ThroughAccount,
  ): Promise<void> {
    const isOwn = through !== undefined && isFrom(from, through.account);
    const given = idOf(ids, through !== undefined && !isOwn) ?? randomUUID();
    const id = createHash("sha256")
      .update(`${channel}\n${isOwn ? "own\n" : ""}${given}\n${JSON.stringify(what)}`)
      .digest("base64url");
    return this.#options.parts.network.receive({
      kind: "raw",
      id: `direct ${id}`,
      channel,
      wire: { stanza: stanza.toString(), ...through },
    });
  }

  async interpret(raw: Interpretation): Promise<readonly NetworkEvent[] | Interpreted | Failure> {
    const talk = (this.#options.talkOf ?? conversationOf)(raw.channel);
    const wire = wireSchema.safeParse(raw.wire);
    const stanza = wire.success ? parseXml(wire.data.stanza) : undefined;
    if (!talk || !stanza) return refused("What was kept of a message cannot be read any more");
    const { account, at } = wire.data ?? {};
    const message = readMessage(stanza, account === undefined ? {} : { account });
    // What came to an account has reached somebody.
    if (account === undefined && !this.#options.isLinked(raw.channel)) {
      const unheard = await this.#receivers.refuse(talk.user, stanza);
      if (unheard !== "heard") return unheard === "told" ? [] : unheard;
    }
    const isOwn = account !== undefined && isFrom(message.from, account);
    const person = await this.#options.personOf(talk, isOwn ? {} : message);
    const said: Incoming = {
      channel: raw.channel,
      talk,
      sender: isOwn ? { id: RemoteUserId(account) } : person,
      person,
      isOwn,
      message,
      id: RemoteMessageId(`${isOwn ? "own " : ""}${message.ids.id ?? message.ids.originId ?? raw.id}`),
      at: at ?? message.delay?.at ?? raw.receivedAt,
    };
    const { names } = this.#options;
    await names.load(raw.channel);
    const before = names.remembered(raw.channel);
    const made = await this.#eventsOf(said, message.what);
    const learnt = names.remembered(raw.channel);
    if (Object.keys(learnt).every((key) => learnt[key] === before[key])) return made;
    const { events, remember }: Interpreted = "events" in made ? made : { events: made };
    return { events, remember: () => ({ ...remember?.(), ...names.remembered(raw.channel) }) };
  }

  async #eventsOf(incoming: Incoming, what: MessageWhat): Promise<readonly NetworkEvent[] | Interpreted> {
    const { names, isLinked } = this.#options;
    const { channel, message } = incoming;
    switch (what.kind) {
      case "text":
        return this.#said(incoming, what);
      case "correction": {
        const target = this.#targetOf(incoming, what.target);
        // Where nothing of the conversation is on Matrix yet there is nothing to correct there.
        if (!isLinked(channel)) return this.#said(incoming, what);
        names.alias(channel, message.ids, target);
        return what.contents.slice(0, 1).map((content) => ({ kind: "edit", ...about(incoming), target, content }));
      }
      case "retraction": {
        const target = this.#targetOf(incoming, what.target);
        // Whoever did not say it cannot take it back.
        if (names.isOurs(channel, target) !== incoming.isOwn) return [];
        const reason = what.reason === undefined ? {} : { reason: what.reason };
        return [{ kind: "redaction", ...about(incoming), target, ...reason }];
      }
      case "reactions":
        return this.#reacted(incoming, names.find(channel, what.target), what.keys);
      case "encrypted":
        return this.#notice(incoming, encryptedText(what.method));
      case "invite":
        return this.#notice(incoming, inviteText(what.room, what.reason));
      default:
        return [];
    }
  }

  #said(incoming: Incoming, said: Said): readonly NetworkEvent[] {
    const { names } = this.#options;
    const { channel, message, isOwn } = incoming;
    const contents = JSON.stringify(said.contents);
    const id = isOwn ? names.nameOwn(channel, message.ids, contents) : names.name(channel, message.ids, contents);
    return said.contents.map((content, index) => ({
      kind: "message",
      ...about(incoming),
      id: index === 0 ? id : RemoteMessageId(`${id}#${index}`),
      content: index === 0 ? withSubject(content, said.subject) : content,
      ...betweenWhom(incoming),
      ...(index === 0 && said.replyTo && { replyTo: names.find(channel, said.replyTo.id) }),
      ...(said.thread && { thread: names.find(channel, said.thread.id) }),
    }));
  }

  #notice(incoming: Incoming, text: string): readonly NetworkEvent[] {
    const content = textContent(text, "notice");
    return [{ kind: "message", ...about(incoming), content, ...betweenWhom(incoming) }];
  }

  async #reacted(incoming: Incoming, target: RemoteMessageId, keys: readonly string[]): Promise<Interpreted> {
    const { channel } = incoming;
    const sets = incoming.isOwn ? this.#mine : this.#theirs;
    const before = await sets.of(channel, target);
    const event = (kind: "reaction" | "reactionRemoved", key: string): NetworkEvent => {
      const base = about(incoming);
      return { kind, ...base, id: RemoteMessageId(`${base.id.slice(0, 500)} ${key}`), target, key };
    };
    const given = keys.filter((key) => !before.includes(key)).map((key) => event("reaction", key));
    const taken = before.filter((key) => !keys.includes(key)).map((key) => event("reactionRemoved", key));
    return { events: [...taken, ...given], remember: () => sets.remembered(channel, target, keys) };
  }

  /** What is corrected or taken back: only what the same person said. */
  #targetOf({ channel, isOwn }: Incoming, wire: string): RemoteMessageId {
    const { names } = this.#options;
    return isOwn ? names.findOwn(channel, wire) : names.find(channel, wire);
  }
}

/** Under which id a message is known to be the same: its sender's, except where that is counted and the archive has one. */
function idOf({ id, originId, stanzaId }: MessageStanza["ids"], isArchived: boolean): string | undefined {
  const given = id ?? originId;
  const isCounted = given === undefined || /^.{0,7}$|^\d+$/.test(given);
  return isArchived && isCounted ? (stanzaId ?? given) : (given ?? stanzaId);
}

/** Whether something is from a client of this account. */
function isFrom(from: string | undefined, account: string): boolean {
  return from !== undefined && bareJidOf(from) === account;
}

/** Who is in the room that is made for a message where there is none. */
function betweenWhom({ talk, person, isOwn }: Incoming) {
  return isOwn ? { direct: { users: [talk.user], people: [person] } } : { directTo: talk.user };
}

interface Incoming {
  readonly channel: ChannelId;
  readonly talk: Conversation;
  readonly sender: RemoteUser;
  /** The one of the two who is on XMPP. */
  readonly person: RemoteUser;
  /** The Matrix user said it, with another client of theirs. */
  readonly isOwn: boolean;
  readonly message: MessageStanza;
  readonly id: RemoteMessageId;
  readonly at: number;
}

function about({ channel, sender, id, at }: Incoming) {
  return { id: RemoteMessageId(id.slice(0, 1_000)), channel, sender, at };
}

/** What mails have above them, and some clients too. */
function withSubject(content: Content, subject: string | undefined): Content {
  if (subject === undefined || content.type !== "text") return content;
  const [heading] = richTextOf(subject).blocks;
  if (heading?.type !== "paragraph") return content;
  const bold = { ...heading, children: [{ type: "bold" as const, children: heading.children }] };
  return { ...content, body: normalise({ blocks: [bold, ...content.body.blocks] }) };
}

function encryptedText(method: string): string {
  return `(A message that is encrypted with ${method}, which the bridge cannot read. Ask for it again without encryption.)`;
}

function inviteText(room: string, reason: string | undefined): string {
  const why = reason === undefined ? "" : ` (${reason})`;
  return `(An invitation to the XMPP room ${room}${why}. It can be linked to a Matrix room.)`;
}
