import { randomUUID } from "node:crypto";
import {
  RemoteMessageId,
  textContent,
  type ChannelId,
  type MembershipReceived,
  type RemoteUser,
  type RemoteUserId,
} from "@trestle/core";
import type { Element } from "../stream/index.js";
import { delayOf, nickOf, remoteUserOf, stanzaIdOf, statusesOf, subjectOf, type RoomFeatures } from "./muc.js";
import type { RoomParts } from "./parts.js";
import type { Topic } from "./topic.js";

export interface InwardOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly channel: ChannelId;
  readonly topic: Topic;
  readonly features: () => RoomFeatures;
  /** Whether somebody of ours has, or had, this nick. */
  readonly isOwnNick: (nick: string) => boolean;
}

/** What is known of a message before anybody looks into it. */
export interface Origin {
  /** The room's id of it. */
  readonly id: string | undefined;
  readonly nick: string | undefined;
  /** The id under which the bridge has sent it, where it has. */
  readonly ownId: string | undefined;
}

/** Makes events of what a room shows to the bridge's own occupant. */
export class RoomInward {
  readonly #options: InwardOptions;
  /** Who is in the room, by nick, as the room has shown them; none of ours. Who that is depends on what the room can do. */
  readonly #members = new Map<string, Element>();

  constructor(options: InwardOptions) {
    this.#options = options;
  }

  /** Whom the room shows, by their ids. */
  get present(): ReadonlyMap<RemoteUserId, RemoteUser> {
    return new Map(
      [...this.#members].map(([nick, shown]) => [this.#idOf(nick, shown), { id: this.#idOf(nick, shown), name: nick }]),
    );
  }

  /** The nick of somebody in the room. */
  nickOf(user: RemoteUserId): string | undefined {
    for (const [nick, shown] of this.#members) if (this.#idOf(nick, shown) === user) return nick;
    return undefined;
  }

  /** Everybody is to be shown anew. */
  clear(): void {
    this.#members.clear();
  }

  originOf(stanza: Element, archivedId?: string): Origin {
    const { room, parts, features, isOwnNick } = this.#options;
    const nick = nickOf(stanza);
    const id = archivedId ?? stanzaIdOf(room, stanza, features());
    const given = stanza.attrs["id"] ?? "";
    // Whoever is not us cannot have our id, unless they have copied it from a message of ours.
    const isOwn = nick !== undefined && isOwnNick(nick) && parts.ids.isOwn(room, given);
    return { id, nick, ownId: isOwn ? given : undefined };
  }

  /** Resolves when what was said is on disk; `undefined` where nothing was said that concerns Matrix. */
  message(stanza: Element, origin: Origin, at = delayOf(stanza)): Promise<void> | undefined {
    const { channel, parts, topic, isOwnNick } = this.#options;
    const { nick } = origin;
    const body = stanza.getChildText("body");
    const subject = subjectOf(stanza);
    if (subject !== undefined) {
      // A room need not say under which id its subject was set.
      if (nick !== undefined && isOwnNick(nick)) return topic.changed(subject, undefined);
      const by = nick === undefined ? undefined : this.#senderOf(nick, stanza);
      return topic.changed(subject, (event) => ({ ...event, channel, ...(by && { by }) }));
    }
    if (nick === undefined || origin.ownId !== undefined || body === null || body === "") return undefined;
    const action = /^\/me\s/.test(body);
    return parts.network.receive({
      kind: "message",
      // Without an archive nothing is shown twice, and the sender's own ids may repeat.
      id: RemoteMessageId(origin.id ?? `x-${randomUUID()}`),
      channel,
      ...(at !== undefined && { at }),
      sender: this.#senderOf(nick, stanza),
      content: textContent(action ? body.slice(4) : body, action ? "emote" : "text"),
    });
  }

  /** Notes who came and went; the event is `undefined` where Matrix need not know. */
  presence(stanza: Element): Omit<MembershipReceived, "id"> | undefined {
    const { channel, isOwnNick } = this.#options;
    const nick = nickOf(stanza);
    const { type } = stanza.attrs;
    if (nick === undefined || (type !== undefined && type !== "unavailable") || isOwnNick(nick)) return undefined;
    const event = { kind: "membership", channel } as const;
    if (type === undefined) {
      const isKnown = this.#members.has(nick);
      this.#members.set(nick, stanza);
      return isKnown ? undefined : { ...event, user: { id: this.#idOf(nick, stanza), name: nick }, change: "join" };
    }
    const shown = this.#members.get(nick);
    const user = shown && { id: this.#idOf(nick, shown), name: nick };
    this.#members.delete(nick);
    const statuses = statusesOf(stanza);
    // With 303 the same person comes back under another nick at once.
    if (!user || (statuses.has("303") && !user.id.startsWith("nick:"))) return undefined;
    const change = statuses.has("301") ? "ban" : statuses.has("307") ? "kick" : "leave";
    const reason = stanza.getChild("x")?.getChild("item")?.getChildText("reason");
    return { ...event, user, change, ...(typeof reason === "string" && reason !== "" && { reason }) };
  }

  #senderOf(nick: string, stanza: Element): RemoteUser {
    const id = this.#idOf(nick, stanza);
    // A message has no item, except in an archive; who has the nick now was shown with one.
    const shown = id.startsWith("nick:") ? this.#members.get(nick) : undefined;
    return { id: shown ? this.#idOf(nick, shown) : id, name: nick };
  }

  #idOf(nick: string, stanza: Element): RemoteUserId {
    return remoteUserOf(this.#options.room, nick, stanza, this.#options.features());
  }
}
