import { RemoteUserId, type ChannelId, type MembershipReceived, type RemoteUser } from "@trestle/core";
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

const MOST_RENAMED = 10_000;

/** What a presence of somebody in the room says. */
export interface SeenMember {
  readonly user: RemoteUser;
  /** What they are; of who left, what they are without being there. */
  readonly item: MucItem;
  /** Where they came or went. */
  readonly change?: Omit<MembershipReceived, "id">;
}

/**
 * Who is in a room, by nick, as the room has shown them; none of ours. Who that is depends on what the room can do, and on
 * who is signed in: another client of a Matrix user's account says and does things as that user, and is nobody more who
 * is there.
 */
export class Members {
  readonly #shown = new Map<string, Element>();
  /** The hashes of pictures, by nick; empty where somebody has taken theirs away. */
  readonly #pictures = new Map<string, string>();
  /**
   * Of those who are known by their nick alone, and were seen to take another one: by that, who they are. Only for as long
   * as they are seen: nobody knows who had a nick meanwhile.
   */
  readonly #renamed = new Map<string, RemoteUserId>();

  constructor(private readonly options: MembersOptions) {}

  /** Whom the room shows, by their ids. */
  get present(): ReadonlyMap<RemoteUserId, RemoteUser> {
    return new Map(this.#people.map(([nick, shown]) => [shown.id, { id: shown.id, name: nick }]));
  }

  /** Whom the room shows, with what it shows of them; somebody with several nicks several times. */
  get items(): readonly (readonly [RemoteUser, MucItem])[] {
    return this.#people.flatMap(([nick, { id, shown }]) =>
      firstItem(shown).map((item) => [{ id, name: nick }, item] as const),
    );
  }

  /** The nick of somebody in the room. */
  nickOf(user: RemoteUserId): string | undefined {
    return this.#people.find(([, { id }]) => id === user)?.[0];
  }

  /** Who has a nick now, also where that is another client of a Matrix user's account. */
  withNick(nick: string): RemoteUserId | undefined {
    const shown = this.#shown.get(nick);
    return shown && this.#idOf(nick, shown);
  }

  /** Who of the network has a nick now. */
  personWithNick(nick: string): RemoteUserId | undefined {
    const shown = this.#shown.get(nick);
    return shown && this.#isClient(nick, shown) ? undefined : this.withNick(nick);
  }

  /** What the room shows of somebody, under each of their nicks. */
  itemsOf(user: RemoteUserId): readonly MucItem[] {
    return this.#people.flatMap(([, { id, shown }]) => (id === user ? firstItem(shown) : []));
  }

  /** Everybody is to be shown anew. */
  clear(): void {
    this.#shown.clear();
    this.#pictures.clear();
    this.#renamed.clear();
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
    if (this.#isClient(nick, (type === undefined ? undefined : this.#shown.get(nick)) ?? stanza)) {
      if (type === undefined) this.#shown.set(nick, stanza);
      else this.#shown.delete(nick);
      return undefined;
    }
    const event = { kind: "membership", channel } as const;
    const { items = [], statuses = [] } = readMucUser(stanza) ?? {};
    const [item = {}] = items;
    if (type === undefined) {
      const isKnown = this.#shown.has(nick);
      if (!isKnown && !this.#renamed.has(nick)) this.#taken(nick);
      this.#shown.set(nick, stanza);
      const user = { id: this.#idOf(nick, stanza), name: nick };
      this.#pictureShown(nick, stanza);
      return { user, item, ...(!isKnown && { change: { ...event, user, change: "join" } }) };
    }
    const shown = this.#shown.get(nick);
    const user = shown && { id: this.#idOf(nick, shown), name: nick };
    this.#shown.delete(nick);
    this.#pictures.delete(nick);
    this.#renamed.delete(nick);
    if (!user) return undefined;
    // With 303 the same person comes back under another nick at once.
    if (statuses.includes(303)) {
      const known = user.id.startsWith("nick:");
      if (known && item.nick !== undefined) this.#renames(item.nick, user.id);
      if (!known || item.nick !== undefined) return undefined;
    }
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

  /** Somebody known by the nick alone takes another one (303). */
  #renames(nick: string, id: RemoteUserId): void {
    this.#renamed.delete(nick);
    // Back to the first one, they are who they are by that.
    if (id === RemoteUserId(`nick:${this.options.room}/${nick}`)) return;
    if (this.#renamed.size < MOST_RENAMED) this.#renamed.set(nick, id);
  }

  /** Somebody comes under a nick by which somebody else was known, who has another one now: only one of them can be that. */
  #taken(nick: string): void {
    const id = RemoteUserId(`nick:${this.options.room}/${nick}`);
    for (const [other, who] of this.#renamed) if (who === id) this.#renamed.delete(other);
  }

  /** Whom the room shows, without other clients of Matrix users' accounts. */
  get #people(): readonly (readonly [string, { readonly id: RemoteUserId; readonly shown: Element }])[] {
    return [...this.#shown].flatMap(([nick, shown]) =>
      this.#isClient(nick, shown) ? [] : [[nick, { id: this.#idOf(nick, shown), shown }] as const],
    );
  }

  #idOf(nick: string, stanza: Element): RemoteUserId {
    const id = this.#ownIdOf(nick, stanza);
    return this.options.accountOf(id, nick) ?? id;
  }

  #isClient(nick: string, stanza: Element): boolean {
    return this.options.accountOf(this.#ownIdOf(nick, stanza), nick) !== undefined;
  }

  #ownIdOf(nick: string, stanza: Element): RemoteUserId {
    const id = remoteUserOf(this.options.room, nick, stanza, this.options.features());
    return id.startsWith("nick:") ? (this.#renamed.get(nick) ?? id) : id;
  }
}

function firstItem(shown: Element): readonly MucItem[] {
  return readMucUser(shown)?.items.slice(0, 1) ?? [];
}
