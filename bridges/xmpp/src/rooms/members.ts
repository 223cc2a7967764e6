import type { ChannelId, MembershipReceived, RemoteUser, RemoteUserId } from "@trestle/core";
import { readMucUser, readPresence, type MucItem } from "../content/index.js";
import type { Element } from "../stream/index.js";
import { nickOf, remoteUserOf, type RoomFeatures } from "./muc.js";
import { pictureOf } from "./occupant-pictures.js";

export interface MembersOptions {
  readonly room: string;
  readonly channel: ChannelId;
  readonly features: () => RoomFeatures;
  /** Whether somebody of ours has, or had, this nick. */
  readonly isOwnNick: (nick: string) => boolean;
  /** Whether somebody of ours asks for this nick: others see them in the room before they do so themselves. */
  readonly isAsked: (nick: string) => boolean;
  /** The account of a Matrix user's own that somebody in the room is, with another client or this one. */
  readonly accountOf: (id: RemoteUserId, nick: string) => RemoteUserId | undefined;
}

/** What a presence of somebody in the room says. */
export interface SeenMember {
  readonly user: RemoteUser;
  /** What they are; of who left, what they are without being there. */
  readonly item: MucItem;
  /** Where they came or went. */
  readonly change?: Omit<MembershipReceived, "id">;
}

/** Who is in a room, by nick, as the room has shown them; none of ours. Who that is depends on what the room can do. */
export class Members {
  readonly #shown = new Map<string, Element>();
  /** The hashes of pictures, by nick; empty where somebody has taken theirs away. */
  readonly #pictures = new Map<string, string>();

  constructor(private readonly options: MembersOptions) {}

  /** Whom the room shows, by their ids. */
  get present(): ReadonlyMap<RemoteUserId, RemoteUser> {
    return new Map(
      [...this.#shown].map(([nick, shown]) => [this.#idOf(nick, shown), { id: this.#idOf(nick, shown), name: nick }]),
    );
  }

  /** Whom the room shows, with what it shows of them; somebody with several nicks several times. */
  get items(): readonly (readonly [RemoteUser, MucItem])[] {
    return [...this.#shown].flatMap(([nick, shown]) =>
      firstItem(shown).map((item) => [{ id: this.#idOf(nick, shown), name: nick }, item] as const),
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

  /** What the room shows of somebody, under each of their nicks. */
  itemsOf(user: RemoteUserId): readonly MucItem[] {
    return [...this.#shown].flatMap(([nick, shown]) => (this.#idOf(nick, shown) === user ? firstItem(shown) : []));
  }

  /** Everybody is to be shown anew. */
  clear(): void {
    this.#shown.clear();
    this.#pictures.clear();
  }

  /** Who says something under a nick. */
  senderOf(nick: string, stanza: Element): RemoteUser {
    const id = this.#idOf(nick, stanza);
    // A message has no item, except in an archive; who has the nick now was shown with one.
    const shown = id.startsWith("nick:") ? this.#shown.get(nick) : undefined;
    const user = { id: shown ? this.#idOf(nick, shown) : id, name: nick };
    const hash = this.#pictures.get(nick);
    if (hash === undefined || this.withNick(nick) !== user.id) return user;
    return { ...user, avatar: hash === "" ? { id: "", url: "" } : pictureOf(this.options.room, user.id, hash) };
  }

  /** Notes who came, changed and went; `undefined` where it is one of ours, or somebody who only has another nick now. */
  presence(stanza: Element): SeenMember | undefined {
    const { channel, isOwnNick, isAsked } = this.options;
    const nick = nickOf(stanza);
    const { type } = stanza.attrs;
    if (nick === undefined || (type !== undefined && type !== "unavailable") || isOwnNick(nick)) return undefined;
    if (isAsked(nick) && !this.#shown.has(nick)) return undefined;
    // With another client they are in the room no more than before.
    if (this.options.accountOf(this.#idOf(nick, stanza), nick) !== undefined) return undefined;
    const event = { kind: "membership", channel } as const;
    const { items = [], statuses = [] } = readMucUser(stanza) ?? {};
    const [item = {}] = items;
    if (type === undefined) {
      const isKnown = this.#shown.has(nick);
      this.#shown.set(nick, stanza);
      const user = { id: this.#idOf(nick, stanza), name: nick };
      this.#pictureShown(nick, stanza);
      return { user, item, ...(!isKnown && { change: { ...event, user, change: "join" } }) };
    }
    const shown = this.#shown.get(nick);
    const user = shown && { id: this.#idOf(nick, shown), name: nick };
    this.#shown.delete(nick);
    this.#pictures.delete(nick);
    // With 303 the same person comes back under another nick at once.
    if (!user || (statuses.includes(303) && !user.id.startsWith("nick:"))) return undefined;
    const change = statuses.includes(301) ? "ban" : statuses.includes(307) ? "kick" : "leave";
    const by = change === "leave" ? undefined : this.actorOf(item);
    const { reason = "" } = item;
    return { user, item, change: { ...event, user, change, ...(by && { by }), ...(reason !== "" && { reason }) } };
  }

  /** XEP-0153; that somebody has none is news only of who had one. */
  #pictureShown(nick: string, stanza: Element): void {
    const { what } = readPresence(stanza);
    const hash = what.kind === "occupant" ? what.avatarHash : undefined;
    if (hash !== undefined && (hash !== "" || this.#pictures.has(nick))) this.#pictures.set(nick, hash);
  }

  /** Who of the network did something to somebody, where the room tells. */
  actorOf({ actor }: MucItem): RemoteUser | undefined {
    const { nick } = actor ?? {};
    const id = nick === undefined ? undefined : this.withNick(nick);
    return id === undefined || nick === undefined ? undefined : { id, name: nick };
  }

  #idOf(nick: string, stanza: Element): RemoteUserId {
    const id = remoteUserOf(this.options.room, nick, stanza, this.options.features());
    return this.options.accountOf(id, nick) ?? id;
  }
}

function firstItem(shown: Element): readonly MucItem[] {
  return readMucUser(shown)?.items.slice(0, 1) ?? [];
}
