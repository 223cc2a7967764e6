import { randomUUID } from "node:crypto";
import {
  RemoteMessageId,
  RemoteUserId,
  roles,
  UserId,
  type ChannelId,
  type Network,
  type RemoteUser,
  type Role,
  type RoleChange,
} from "@trestle/core";
import type { MucItem } from "../content/index.js";
import type { Members } from "./members.js";
import { rankOf, type RankRules } from "./ranks.js";

export interface RoomRanksOptions {
  readonly network: Network;
  readonly room: string;
  readonly channel: ChannelId;
  readonly members: Members;
  readonly rules: () => RankRules;
  /** What a Matrix user is by themselves of what the room shows of them. */
  readonly personal: (user: UserId, item: MucItem, isEntry: boolean) => Promise<MucItem>;
  /** A Matrix user came into the room with less than they are to have. */
  readonly regrant: (user: UserId, wish: Role) => void;
}

/** So many wishes are remembered. */
const MOST_KEPT = 1_000;
/** In a room in which more have one, ranks that are new are not remembered over a restart. */
const MOST_RANKED = 10_000;

/**
 * Who has which rank in a room: told when it changes, and all of it on every entry. Owners and admins are that also while
 * they are away, moderators are not.
 */
export class RoomRanks {
  /** What Matrix was told last, by the ids of people and of Matrix users. */
  readonly #told = new Map<string, Role>();
  /** What Matrix users are to be whenever they come in. */
  readonly #wishes = new Map<UserId, Role>();
  /** What the room shows of Matrix users who are in it. */
  readonly #own = new Map<UserId, MucItem>();
  /** The same, before it is known what of it they are by themselves. */
  readonly #latest = new Map<UserId, MucItem>();
  /** Whose rank is being changed by the bridge: told when that is over. */
  readonly #held = new Set<string>();

  constructor(private readonly options: RoomRanksOptions) {}

  async load(): Promise<void> {
    for (const [id, role] of await this.#stored("rank")) this.#told.set(id, role);
    for (const [id, role] of await this.#stored("wish")) this.#wishes.set(UserId(id), role);
  }

  async forget(): Promise<void> {
    const { storage } = this.options.network;
    for (const kind of ["rank", "wish"] as const)
      for (const key of await storage.keys(this.#keyOf(kind, ""))) await storage.delete(key);
  }

  /** What the room shows of somebody; `undefined` where they are not in it. */
  itemOf(who: RemoteUserId | { readonly userId: UserId }): MucItem | undefined {
    return typeof who === "string" ? this.options.members.itemsOf(who)[0] : this.#own.get(who.userId);
  }

  /** The rank that somebody was last known to have. */
  known(id: string): Role {
    return this.#told.get(id) ?? "none";
  }

  /** A presence of somebody of the network was noted; of who left, `item` is what they are without being there. */
  async shown(user: RemoteUser, item: MucItem): Promise<void> {
    const known = this.known(user.id);
    const isHere = item.role !== undefined && item.role !== "none";
    // Who has only a voice, or had none, is nothing less for not being there.
    if (!isHere && (known === "none" || known === "speaker")) return;
    const role = rankOf(item, this.options.rules());
    // Less than before under one nick may be as much under another.
    const isLess = roles.indexOf(role) > roles.indexOf(known);
    await this.#tell(user.id, { remote: user }, isHere && !isLess ? role : this.#rankOf(user.id, item));
  }

  /** The room shows a Matrix user what they are; `isEntry`: they have just come in. */
  async shownOwn(userId: UserId, shown: MucItem, isEntry: boolean): Promise<void> {
    this.#latest.set(userId, shown);
    const item = await this.options.personal(userId, shown, isEntry);
    // Something newer was shown meanwhile, or they left.
    if (this.#latest.get(userId) !== shown) return;
    this.#own.set(userId, item);
    const role = rankOf(item, this.options.rules());
    const wish = this.#wishes.get(userId);
    const isLess = wish !== undefined && roles.indexOf(role) > roles.indexOf(wish);
    // Who is a moderator by role alone is none after leaving.
    if (isLess && isEntry) {
      this.options.regrant(userId, wish);
      return;
    }
    if (isLess) await this.wish(userId, "none");
    await this.#tell(userId, { userId }, role);
  }

  /** A Matrix user is not in the room any more. */
  leftOwn(userId: UserId): void {
    this.#own.delete(userId);
    this.#latest.delete(userId);
  }

  /** The connection is gone. */
  lost(): void {
    this.#own.clear();
    this.#latest.clear();
  }

  /** What a Matrix user is to be, also after they come back. */
  async wish(userId: UserId, role: Role): Promise<void> {
    if ((this.#wishes.get(userId) ?? "none") === role) return;
    await this.#put("wish", this.#wishes, userId, role);
  }

  /** Does something to somebody's rank; what they are at the end is told where that is not `wanted`. */
  async holding<Result>(
    who: RoleChange["who"],
    wanted: Role,
    work: () => Promise<{ readonly result: Result; readonly isDone: boolean }>,
  ): Promise<Result> {
    const id = idOf(who);
    this.#held.add(id);
    const { result, isDone } = await work().finally(() => this.#held.delete(id));
    if (isDone) await this.#note(id, wanted);
    else await this.#tell(id, who, this.#now(who));
    return result;
  }

  /** Says what somebody is, although Matrix was told that before: somebody there wants it otherwise. */
  async insist(who: RoleChange["who"]): Promise<void> {
    const role = this.#now(who);
    await this.#note(idOf(who), role);
    await this.#receive([{ who, role, overrules: true }]);
  }

  /** Says who has a rank: the room was entered, or another rule decides what one is. */
  async tellAll(): Promise<void> {
    const { members } = this.options;
    const changes = new Map<string, RoleChange>();
    for (const [id, role] of this.#told)
      if (!isOwn(id) && isLasting(role)) changes.set(id, { who: { remote: { id: RemoteUserId(id) } }, role });
    const shown = new Map<RemoteUserId, { readonly user: RemoteUser; readonly role: Role }>();
    for (const [user, item] of members.items) {
      const role = rankOf(item, this.options.rules());
      const other = shown.get(user.id);
      if (!other || roles.indexOf(role) < roles.indexOf(other.role)) shown.set(user.id, { user, role });
    }
    for (const [id, { user, role }] of shown) {
      if (role === "none") changes.delete(id);
      else changes.set(id, { who: { remote: user }, role });
    }
    const before = [...this.#told.keys()].filter((id) => !isOwn(id));
    for (const id of before) if (!changes.has(id)) await this.#note(id, "none");
    if (before.length > 0 || changes.size > 0) await this.#receive([...changes.values()], true);
    for (const [id, { role }] of changes) await this.#note(id, role);
    for (const [userId, item] of this.#own) await this.#tell(userId, { userId }, rankOf(item, this.options.rules()));
  }

  /** The highest rank under any nick; of who has none, the one that lasts. */
  #rankOf(id: RemoteUserId, away: MucItem): Role {
    const rules = this.options.rules();
    const items = this.options.members.itemsOf(id);
    const ranks = items.map((item) => rankOf(item, rules));
    // Behind a nick there may be somebody else next time.
    if (items.length === 0 && !id.startsWith("nick:") && away.affiliation !== undefined)
      ranks.push(rankOf({ affiliation: away.affiliation }, rules));
    return roles.find((role) => ranks.includes(role)) ?? "none";
  }

  #now(who: RoleChange["who"]): Role {
    const id = idOf(who);
    const item = this.itemOf("userId" in who ? { userId: UserId(who.userId) } : who.remote.id);
    return item ? rankOf(item, this.options.rules()) : this.known(id);
  }

  async #tell(id: string, who: RoleChange["who"], role: Role): Promise<void> {
    if (this.#held.has(id) || this.known(id) === role) return;
    const told = this.#receive([{ who, role }]);
    const noted = this.#note(id, role);
    await told;
    await noted;
  }

  async #receive(changes: readonly RoleChange[], complete = false): Promise<void> {
    const { network, channel } = this.options;
    const id = RemoteMessageId(`roles:${randomUUID()}`);
    await network.receive({ kind: "roles", id, channel, changes, ...(complete && { complete }) });
  }

  async #note(id: string, role: Role): Promise<void> {
    if (this.known(id) !== role) await this.#put("rank", this.#told, id, role);
  }

  async #put<Id extends string>(kind: "rank" | "wish", map: Map<Id, Role>, id: Id, role: Role): Promise<void> {
    const { storage } = this.options.network;
    // In a moderated room everybody may have a voice: who has one is seen on the next entry.
    const isKept = (each: Role) => each !== "none" && (isOwn(id) || each !== "speaker");
    const wasKept = isKept(map.get(id) ?? "none");
    map.delete(id);
    if (role !== "none") map.set(id, role);
    const oldest = map.size > MOST_KEPT && kind === "wish" ? map.keys().next().value : undefined;
    if (oldest !== undefined) {
      map.delete(oldest);
      await storage.delete(this.#keyOf(kind, oldest));
    }
    const key = this.#keyOf(kind, id);
    if (isKept(role) && (wasKept || kind === "wish" || map.size <= MOST_RANKED)) await storage.set(key, role);
    else if (wasKept) await storage.delete(key);
  }

  async #stored(kind: "rank" | "wish"): Promise<readonly (readonly [string, Role])[]> {
    const { storage } = this.options.network;
    const prefix = this.#keyOf(kind, "");
    const found: (readonly [string, Role])[] = [];
    for (const key of await storage.keys(prefix)) {
      const stored = await storage.get(key);
      const role = roles.find((each) => each === stored);
      if (role) found.push([key.slice(prefix.length), role]);
    }
    return found;
  }

  #keyOf(kind: "rank" | "wish", id: string): string {
    return `${kind} ${this.options.room} ${id}`;
  }
}

function idOf(who: RoleChange["who"]): string {
  return "userId" in who ? who.userId : who.remote.id;
}

/** Ids of people begin with what they are, or are addresses of XMPP. */
function isOwn(id: string): boolean {
  return id.startsWith("@");
}

/** Whether somebody has a rank also while they are away. */
function isLasting(role: Role): boolean {
  return role === "owner" || role === "admin";
}
