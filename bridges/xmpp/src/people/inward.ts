import { createHash, randomUUID } from "node:crypto";
import {
  refused,
  RemoteMessageId,
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
import { parseXml, readMessage, type MessageStanza, type MessageWhat, type Said } from "../content/index.js";
import type { XmlElement } from "../content/index.js";
import { conversationOf, type Conversation } from "./conversation.js";
import type { MessageNames } from "./message-names.js";
import type { PeopleParts } from "./parts.js";
import { ReactionSets } from "./reaction-sets.js";
import { Receivers } from "./receivers.js";

/** What is journaled of a message: the stanza as it came. */
const wireSchema = z.object({ stanza: z.string() });

/** In UTF-16 code units of its XML; the core keeps twice as much, and JSON escapes some of it. */
const longestStanza = 400_000;

export interface InwardOptions {
  readonly parts: PeopleParts;
  readonly names: MessageNames;
  /** Who a person is; asked of their server at most once in a while. */
  readonly personOf: (talk: Conversation, told: string | undefined, signal: AbortSignal) => Promise<RemoteUser>;
  readonly isLinked: (channel: ChannelId) => boolean;
}

/** Makes events of what people on XMPP say to Matrix users alone. */
export class PeopleInward {
  readonly #options: InwardOptions;
  readonly #reactions: ReactionSets;
  readonly #receivers: Receivers;

  constructor(options: InwardOptions) {
    this.#options = options;
    this.#receivers = new Receivers(options.parts);
    this.#reactions = new ReactionSets(options.parts.network.storage, "theirs");
  }

  /** Whether it can be kept. */
  fits(stanza: XmlElement): boolean {
    return stanza.toString().length <= longestStanza;
  }

  /** Resolves when the message is on disk; one that came before is known by its id and what it says. */
  take(channel: ChannelId, stanza: XmlElement, { ids, what }: MessageStanza): Promise<void> {
    const given = ids.id ?? ids.originId ?? randomUUID();
    const id = createHash("sha256")
      .update(`${channel}\n${given}\n${JSON.stringify(what)}`)
      .digest("base64url");
    return this.#options.parts.network.receive({
      kind: "raw",
      id: `direct ${id}`,
      channel,
      wire: { stanza: stanza.toString() },
    });
  }

  async interpret(raw: Interpretation): Promise<readonly NetworkEvent[] | Interpreted | Failure> {
    const talk = conversationOf(raw.channel);
    const wire = wireSchema.safeParse(raw.wire);
    const stanza = wire.success ? parseXml(wire.data.stanza) : undefined;
    if (!talk || !stanza) return refused("What was kept of a message cannot be read any more");
    const message = readMessage(stanza);
    if (!this.#options.isLinked(raw.channel)) {
      const unheard = await this.#receivers.refuse(talk.user, stanza);
      if (unheard !== "heard") return unheard === "told" ? [] : unheard;
    }
    const sender = await this.#options.personOf(talk, message.nick, raw.signal);
    const said: Incoming = {
      channel: raw.channel,
      talk,
      sender,
      message,
      id: RemoteMessageId(message.ids.id ?? message.ids.originId ?? raw.id),
      at: message.delay?.at ?? raw.receivedAt,
    };
    return this.#eventsOf(said, message.what);
  }

  async #eventsOf(incoming: Incoming, what: MessageWhat): Promise<readonly NetworkEvent[] | Interpreted> {
    const { names, isLinked } = this.#options;
    const { channel, message } = incoming;
    switch (what.kind) {
      case "text":
        return this.#said(incoming, what);
      case "correction": {
        const target = names.find(channel, what.target);
        // Where nothing of the conversation is on Matrix yet there is nothing to correct there.
        if (!isLinked(channel)) return this.#said(incoming, what);
        names.alias(channel, message.ids, target);
        return what.contents.slice(0, 1).map((content) => ({ kind: "edit", ...about(incoming), target, content }));
      }
      case "retraction": {
        const target = names.find(channel, what.target);
        // Whoever did not say it cannot take it back.
        if (this.#isOwn(channel, target)) return [];
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
    const { channel, message, talk } = incoming;
    const id = names.name(channel, message.ids, JSON.stringify(said.contents));
    return said.contents.map((content, index) => ({
      kind: "message",
      ...about(incoming),
      id: index === 0 ? id : RemoteMessageId(`${id}#${index}`),
      content: index === 0 ? withSubject(content, said.subject) : content,
      directTo: talk.user,
      ...(index === 0 && said.replyTo && { replyTo: names.find(channel, said.replyTo.id) }),
      ...(said.thread && { thread: names.find(channel, said.thread.id) }),
    }));
  }

  #notice(incoming: Incoming, text: string): readonly NetworkEvent[] {
    const content = textContent(text, "notice");
    return [{ kind: "message", ...about(incoming), content, directTo: incoming.talk.user }];
  }

  async #reacted(incoming: Incoming, target: RemoteMessageId, keys: readonly string[]): Promise<Interpreted> {
    const { channel } = incoming;
    const before = await this.#reactions.of(channel, target);
    const event = (kind: "reaction" | "reactionRemoved", key: string): NetworkEvent => {
      const base = about(incoming);
      return { kind, ...base, id: RemoteMessageId(`${base.id.slice(0, 500)} ${key}`), target, key };
    };
    const given = keys.filter((key) => !before.includes(key)).map((key) => event("reaction", key));
    const taken = before.filter((key) => !keys.includes(key)).map((key) => event("reactionRemoved", key));
    return { events: [...taken, ...given], remember: () => this.#reactions.remembered(channel, target, keys) };
  }

  #isOwn(channel: ChannelId, id: RemoteMessageId): boolean {
    return this.#options.parts.ids.isOwn(channel, id);
  }
}

interface Incoming {
  readonly channel: ChannelId;
  readonly talk: Conversation;
  readonly sender: RemoteUser;
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
