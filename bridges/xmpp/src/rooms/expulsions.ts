import { randomUUID } from "node:crypto";
import {
  RemoteMessageId,
  type ChannelId,
  type ExpulsionReceived,
  type Network,
  type RemoteUser,
  UserId,
} from "@trestle/core";
import { bareOf, parseJid, userOfLocal } from "../address/index.js";
import { readMucUser, readPresence, type MucItem } from "../content/index.js";
import type { Element } from "../stream/index.js";
import type { Members } from "./members.js";

export interface ExpulsionsOptions {
  readonly network: Network;
  readonly room: string;
  readonly channel: ChannelId;
  /** The component's own. */
  readonly domain: string;
  readonly members: Members;
  /** Whose account of their own an address is, of those who are banned and those who are in the room. */
  readonly userOf: (jid: string, banned: Iterable<UserId>) => UserId | undefined;
  /** Has a Matrix user's occupant stay out, also after a restart. */
  readonly remove: (user: UserId) => void;
  /** For how long somebody who was kicked is kept out, in milliseconds. */
  readonly kickedMs: number;
  readonly now?: () => number;
}

const MOST_KICKED = 1_000;
const MOST_BANNED = 2_000;

/** What moderators of the room do to Matrix users. Nobody whom they put out comes back because they speak. */
export class Expulsions {
  /** Until when somebody is kept out, and why. */
  readonly #kicked = new Map<UserId, { readonly until: number; readonly why: string }>();
  readonly #banned = new Set<UserId>();

  constructor(private readonly options: ExpulsionsOptions) {}

  async load(): Promise<void> {
    const prefix = this.#keyOf("");
    for (const key of await this.options.network.storage.keys(prefix))
      this.#banned.add(UserId(key.slice(prefix.length)));
  }

  async forget(): Promise<void> {
    const { storage } = this.options.network;
    for (const key of await storage.keys(this.#keyOf(""))) await storage.delete(key);
  }

  /** Why a Matrix user is kept out of the room; `undefined` where they are not. */
  whyBarred(user: UserId): string | undefined {
    const kicked = this.#kicked.get(user);
    if (!kicked) return undefined;
    if (kicked.until > this.#now) return kicked.why;
    this.#kicked.delete(user);
    return undefined;
  }

  /** They came into the Matrix room again: they may try. */
  readmit(user: UserId): void {
    this.#kicked.delete(user);
  }

  /** The room shows one of ours that they are not in it any more. */
  async removed(user: UserId, stanza: Element): Promise<void> {
    const { what } = readPresence(stanza);
    if (what.kind !== "occupantLeft") return;
    const { room, members, kickedMs, remove } = this.options;
    const { how, item } = what;
    if (how === "banned") {
      remove(user);
      await this.#ban(user, item);
      return;
    }
    // Without membership: they were taken off the list of a room for members, which is meant for them alone.
    if (how !== "kicked" && how !== "affiliation") return;
    const by = members.actorOf(item);
    const whom = by?.name === undefined ? "" : ` by ${by.name}`;
    const reason = item.reason === undefined ? "" : ` (${item.reason})`;
    const wait = `Wait ${Math.ceil(kickedMs / 60_000)} minutes, or leave the Matrix room and come back.`;
    this.#kicked.set(user, {
      until: this.#now + kickedMs,
      why: `You were kicked out of ${room}${whom}${reason}. ${wait}`,
    });
    const oldest = this.#kicked.size > MOST_KICKED ? this.#kicked.keys().next().value : undefined;
    if (oldest !== undefined) this.#kicked.delete(oldest);
    remove(user);
    await this.#tell(user, "kick", item, by);
  }

  /** The room says what somebody is to it who is not in it (XEP-0045 §9.1, §9.2): of interest are bans. */
  async affiliated(stanza: Element): Promise<void> {
    for (const item of readMucUser(stanza)?.items ?? []) {
      const user = this.#userOf(item);
      if (user === undefined || item.affiliation === undefined) continue;
      if (item.affiliation !== "outcast") await this.#pardon(user, item);
      else if (!this.#banned.has(user)) await this.#ban(user, item);
    }
  }

  /** One of ours is in the room: then they are not banned any more. */
  async entered(user: UserId): Promise<void> {
    await this.#pardon(user, {});
  }

  async #ban(user: UserId, item: MucItem): Promise<void> {
    this.#banned.add(user);
    const told = this.#tell(user, "ban", item, this.options.members.actorOf(item));
    if (this.#banned.size <= MOST_BANNED) await this.options.network.storage.set(this.#keyOf(user), "outcast");
    await told;
  }

  async #pardon(user: UserId, item: MucItem): Promise<void> {
    if (!this.#banned.delete(user)) return;
    const told = this.#tell(user, "unban", item, this.options.members.actorOf(item));
    await this.options.network.storage.delete(this.#keyOf(user));
    await told;
  }

  async #tell(
    userId: UserId,
    change: ExpulsionReceived["change"],
    { reason }: MucItem,
    by: RemoteUser | undefined,
  ): Promise<void> {
    const { network, channel } = this.options;
    await network.receive({
      kind: "expulsion",
      id: RemoteMessageId(`${change}:${randomUUID()}`),
      channel,
      userId,
      change,
      ...(by && { by }),
      ...(reason !== undefined && { reason }),
    });
  }

  #userOf({ jid = "" }: MucItem): UserId | undefined {
    const read = parseJid(jid);
    if (read?.local === undefined) return undefined;
    if (read.domain === this.options.domain) return userOfLocal(read.local);
    return this.options.userOf(bareOf(read), this.#banned);
  }

  get #now(): number {
    return (this.options.now ?? Date.now)();
  }

  #keyOf(user: string): string {
    return `outcast ${this.options.room} ${user}`;
  }
}
