import type { ChannelId, MembershipReceived, RemoteUser, RemoteUserId } from "@trestle/core";
import type { Element } from "../stream/index.js";
import { nickOf, remoteUserOf, statusesOf, type RoomFeatures } from "./muc.js";

export interface MembersOptions {
  readonly room: string;
  readonly channel: ChannelId;
  readonly features: () => RoomFeatures;
  /** Whether somebody of ours has, or had, this nick. */
  readonly isOwnNick: (nick: string) => boolean;
  /** The account of a Matrix user's own that somebody in the room is, with another client or this one. */
  readonly accountOf: (id: RemoteUserId, nick: string) => RemoteUserId | undefined;
}

/** Who is in a room, by nick, as the room has shown them; none of ours. Who that is depends on what the room can do. */
export class Members {
  readonly #shown = new Map<string, Element>();

  constructor(private readonly options: MembersOptions) {}

  /** Whom the room shows, by their ids. */
  get present(): ReadonlyMap<RemoteUserId, RemoteUser> {
    return new Map(
      [...this.#shown].map(([nick, shown]) => [this.#idOf(nick, shown), { id: this.#idOf(nick, shown), name: nick }]),
    );
  }

  /** The nick of somebody in the room. */
  nickOf(user: RemoteUserId): string | undefined {
    for (const [nick, shown] of this.#shown) if (this.#idOf(nick, shown) === user) return nick;
    return undefined;
  }

  /** Who has a nick now. */
  withNick(nick: string): RemoteUserId | undefined {
    const shown = this.#shown.get(nick);
    return shown && this.#idOf(nick, shown);
  }

  /** Everybody is to be shown anew. */
  clear(): void {
    this.#shown.clear();
  }

  /** Who says something under a nick. */
  senderOf(nick: string, stanza: Element): RemoteUser {
    const id = this.#idOf(nick, stanza);
    // A message has no item, except in an archive; who has the nick now was shown with one.
    const shown = id.startsWith("nick:") ? this.#shown.get(nick) : undefined;
    return { id: shown ? this.#idOf(nick, shown) : id, name: nick };
  }

  /** Notes who came and went; the event is `undefined` where Matrix need not know. */
  presence(stanza: Element): Omit<MembershipReceived, "id"> | undefined {
    const { channel, isOwnNick } = this.options;
    const nick = nickOf(stanza);
    const { type } = stanza.attrs;
    if (nick === undefined || (type !== undefined && type !== "unavailable") || isOwnNick(nick)) return undefined;
    // With another client they are in the room no more than before.
    if (this.options.accountOf(this.#idOf(nick, stanza), nick) !== undefined) return undefined;
    const event = { kind: "membership", channel } as const;
    if (type === undefined) {
      const isKnown = this.#shown.has(nick);
      this.#shown.set(nick, stanza);
      return isKnown ? undefined : { ...event, user: { id: this.#idOf(nick, stanza), name: nick }, change: "join" };
    }
    const shown = this.#shown.get(nick);
    const user = shown && { id: this.#idOf(nick, shown), name: nick };
    this.#shown.delete(nick);
    const statuses = statusesOf(stanza);
    // With 303 the same person comes back under another nick at once.
    if (!user || (statuses.has("303") && !user.id.startsWith("nick:"))) return undefined;
    const change = statuses.has("301") ? "ban" : statuses.has("307") ? "kick" : "leave";
    const reason = stanza.getChild("x")?.getChild("item")?.getChildText("reason");
    return { ...event, user, change, ...(typeof reason === "string" && reason !== "" && { reason }) };
  }

  #idOf(nick: string, stanza: Element): RemoteUserId {
    const id = remoteUserOf(this.options.room, nick, stanza, this.options.features());
    return this.options.accountOf(id, nick) ?? id;
  }
}
