import { randomUUID } from "node:crypto";
import {
  fitContent,
  RemoteMessageId,
  type Author,
  type Content,
  type EditEffect,
  type MembershipEffect,
  type MessageEffect,
  type NameEffect,
  type Outcome,
  type ReactEffect,
  type RedactEffect,
  type ReceiptSignal,
  type ReplyTarget,
  type Sent,
  type TopicEffect,
  type TypingSignal,
} from "@trestle/core";
import type { MentionTarget } from "@trestle/rich-text";
import { localOfUser } from "../address/index.js";
import {
  occupantId,
  partsOf,
  stanzaId,
  writeChatState,
  writeMarker,
  writeModeration,
  writeReactions,
  writeRetraction,
  writeSaid,
  type Envelope,
  type SaidOptions,
  type XmlElement,
} from "../content/index.js";
import type { Kind } from "./archive.js";
import type { Entrance } from "./entrance.js";
import { tombstone } from "./hear.js";
import { occupantIdOf } from "./parts.js";
import type { RoomState } from "./room-state.js";
import type { Member } from "./roster.js";

/**
 * What happens in Matrix, shown in the room. It is delivered when it is in the archive: whoever is not in the room at that
 * moment finds it there.
 */
export class Told {
  #typing = new Map<string, Author>();
  /** Up to where it was told that somebody has read. */
  readonly #read = new WeakMap<Member, string>();

  constructor(
    private readonly room: RoomState,
    private readonly entrance: Entrance,
  ) {}

  message(effect: MessageEffect): Outcome {
    const { content, replyTo, thread } = effect;
    const id: string = effect.effect;
    const speaker = this.room.member(effect.author);
    // Nobody here knows the message that it answers: it is quoted.
    const said = replyTo && replyTo.id === undefined ? (fitContent(content, all, replyTo)[0] ?? content) : content;
    const [first = said, ...others] = partsOf(said).flatMap(piecesOf);
    this.#say(speaker, id, first, {
      ...this.#replyOf(replyTo),
      ...(thread && { thread: { id: thread.id ?? thread.event } }),
    });
    for (const [index, other] of others.entries()) this.#say(speaker, captionOf(id, index), other, {}, id);
    return { id: RemoteMessageId(id) };
  }

  findSent({ effect }: MessageEffect): Sent | null {
    const { archive } = this.room.parts;
    return archive.find(this.room.jid, effect) ? { id: RemoteMessageId(effect) } : null;
  }

  edit({ effect, author, target, content }: EditEffect): Outcome {
    const [first] = target;
    if (first === undefined) return undefined;
    const replaced = this.room.parts.archive.find(this.room.jid, first);
    const speaker = this.room.member(author);
    const [said = content, ...others] = piecesOf(partsOf(content).at(-1) ?? content);
    this.#say(speaker, effect, said, { replaces: replaced?.ownId ?? first }, first);
    for (const [index, other] of others.entries()) this.#say(speaker, captionOf(effect, index), other, {}, first);
    return undefined;
  }

  redact({ effect, author, target, reason }: RedactEffect): Outcome {
    const { room } = this;
    const { archive } = room.parts;
    const ids = target.flatMap((id) => [id, ...mostPieces.map((index) => captionOf(id, index))]);
    const by = room.member(author);
    for (const [index, id] of ids.entries()) {
      const found = archive.find(room.jid, id);
      if (!found) continue;
      const isOwn = found.author === author.userId;
      const why = reason === undefined ? {} : { reason };
      const own = index === 0 ? effect : `${effect}.${index}`;
      const moderator = { by: `${room.jid}/${by.nick}`, occupantId: this.#occupantId(by), ...why };
      const shown = isOwn
        ? writeRetraction(this.#envelope(by, own), id, { ...why, old: true })
        : writeModeration({ ...this.#envelope(by, own), from: room.jid }, id, moderator);
      archive.together(() => {
        this.#show(by, own, shown, "other", id);
        archive.retract(room.jid, id, (of) => tombstone(of.xml, of.id, isOwn ? undefined : by.nick));
      });
    }
    return undefined;
  }

  react(effect: ReactEffect): Outcome {
    return this.#reactions(effect, (before) => [...new Set([...before, effect.key])]);
  }

  unreact(effect: ReactEffect): Outcome {
    return this.#reactions(effect, (before) => before.filter((key) => key !== effect.key));
  }

  topic({ author, topic }: TopicEffect): Outcome {
    this.room.member(author);
    this.room.setSubject(topic);
    return undefined;
  }

  /** XEP-0045 §10.2.1: who wants to know what changed asks. */
  name(_effect: NameEffect): Outcome {
    const { room } = this;
    room.view.outdate();
    room.tellChange();
    return undefined;
  }

  /** Who may do what, how the room is set, or its picture, is another: it is read again. */
  changed(): Outcome {
    const { view } = this.room;
    view.outdate();
    if (view.known) void view.read().catch(() => undefined);
    return undefined;
  }

  membership({ who, change, reason, author }: MembershipEffect): Promise<Outcome> | Outcome {
    const { room } = this;
    if ("remote" in who) {
      room.view.outdate();
      if (change === "unban") room.parts.archive.unban(room.jid, who.remote);
      const person = room.roster.people.get(who.remote);
      if (!person || (change !== "kick" && change !== "ban")) return undefined;
      return this.entrance
        .remove(person, {
          change,
          statuses: [change === "ban" ? 301 : 307],
          affiliation: change === "ban" ? "outcast" : "none",
          actor: room.member(author).nick,
          isKnown: true,
          ...(reason !== undefined && { reason }),
        })
        .then(() => undefined);
    }
    if (change === "join" || change === "rename") {
      const isShown = room.roster.members.has(who.userId);
      const hasPlace = room.roster.members.size < room.parts.config.gateway.maxMembers;
      if (isShown || (change === "join" && hasPlace && room.view.known)) room.member(who);
      return undefined;
    }
    const statuses = change === "ban" ? [301] : change === "kick" ? [307] : [];
    const affiliation = change === "ban" ? ("outcast" as const) : ("none" as const);
    room.dismiss(who.userId, { statuses, gone: { affiliation, item: { ...(reason !== undefined && { reason }) } } });
    return undefined;
  }

  typing({ authors }: TypingSignal): void {
    const now = new Map(authors.map((author) => [author.userId as string, author]));
    for (const [user, author] of now) if (!this.#typing.has(user)) this.#chatState(author, "composing");
    for (const [user, author] of this.#typing) if (!now.has(user)) this.#chatState(author, "paused");
    this.#typing = now;
  }

  /** Somebody on Matrix has read up to a message (XEP-0333). Who is not shown here has not been seen reading either. */
  read({ author, upTo }: ReceiptSignal): void {
    const { room } = this;
    const { roster, parts } = room;
    const reader = roster.members.get(author.userId);
    if (!reader || roster.people.size === 0 || this.#read.get(reader) === upTo || !parts.archive.find(room.jid, upTo))
      return;
    this.#read.set(reader, upTo);
    const extra = [occupantId(this.#occupantId(reader))];
    const envelope = { from: `${room.jid}/${reader.nick}`, type: "groupchat" as const, id: randomUUID(), extra };
    void room.broadcast(writeMarker(envelope, upTo));
  }

  #chatState(author: Author, state: "composing" | "paused"): void {
    const { room } = this;
    if (room.roster.people.size === 0) return;
    const from = `${room.jid}/${room.member(author).nick}`;
    void room.broadcast(writeChatState({ from, type: "groupchat", id: randomUUID() }, state));
  }

  #reactions({ author, effect, target }: ReactEffect, change: (before: readonly string[]) => string[]): Outcome {
    const { room } = this;
    const { archive } = room.parts;
    if (!archive.find(room.jid, target) || archive.find(room.jid, effect)) return undefined;
    const by = room.member(author);
    const keys = change(archive.reactions(room.jid, target, author.userId));
    archive.together(() => {
      archive.setReactions(room.jid, target, author.userId, keys);
      this.#show(by, effect, writeReactions(this.#envelope(by, effect), target, keys), "other", target);
    });
    return undefined;
  }

  #say(speaker: Member, id: string, content: Content, options: SaidOptions, about?: string): void {
    const url = content.type === "media" && content.source.from !== "remote" ? content.source.url : undefined;
    const written = writeSaid(this.#envelope(speaker, id), content, {
      ...options,
      markable: true,
      mention: (target) => this.#mention(target),
      ...(url !== undefined && { url }),
    });
    this.#show(speaker, id, written, "text", about);
  }

  /** Into the archive, and to everybody; nothing where it is there already. */
  #show(speaker: Member, id: string, shown: XmlElement, kind: Kind, about?: string): void {
    const { room } = this;
    const kept = { id, author: speaker.key, nick: speaker.nick, ownId: id, kind, xml: shown.toString() };
    if (room.parts.archive.add(room.jid, { ...kept, ...(about !== undefined && { about }) }))
      void room.broadcast(shown);
  }

  #envelope(speaker: Member, id: string): Envelope {
    const { jid } = this.room;
    const extra = [stanzaId(jid, id), occupantId(this.#occupantId(speaker))];
    return { from: `${jid}/${speaker.nick}`, type: "groupchat", id, extra };
  }

  #occupantId({ key }: Member): string {
    return occupantIdOf(this.room.parts, this.room.jid, key);
  }

  #replyOf(reply: ReplyTarget | undefined): Pick<SaidOptions, "reply"> {
    if (reply?.id === undefined) return {};
    const { archive } = this.room.parts;
    const nick = archive.find(this.room.jid, reply.id)?.nick;
    const name = nick ?? reply.authorName;
    return {
      reply: {
        id: reply.id,
        ...(nick !== undefined && { author: `${this.room.jid}/${nick}` }),
        ...(name !== undefined && { name }),
        ...(reply.excerpt !== undefined && { excerpt: reply.excerpt }),
      },
    };
  }

  #mention(target: MentionTarget): { readonly jid: string; readonly name?: string } | undefined {
    const { roster, parts } = this.room;
    if (target.kind === "remoteUser") {
      const person = roster.people.get(target.id);
      return { jid: target.id, ...(person && { name: person.nick }) };
    }
    if (target.kind !== "matrixUser") return undefined;
    const member = roster.members.get(target.userId);
    return member && { jid: `${localOfUser(member.userId)}@${parts.config.domain}`, name: member.nick };
  }
}

const all = { media: true, location: true } as const;

/** With every character escaped it is still less than the stream sends, and servers take. */
const longestText = 40_000;
/** The longest text of an event is no more than so many. */
const mostPieces = [0, 1, 2] as const;

function piecesOf(content: Content): readonly Content[] {
  return fitContent(content, { ...all, replies: true, textBytes: longestText });
}

/** The id of what belongs to a message: the caption of a file, the rest of a long text. */
function captionOf(id: string, index: number): string {
  return `${id}.c${index}`;
}
