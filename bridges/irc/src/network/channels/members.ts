import { z } from "zod";
import type { StateChange } from "../../holder/frames.js";

const MEMBER_KEY = "member:";
/** How many accounts are remembered whose people are in none of our channels. */
const REMEMBERED = 2_000;
/** A server that has not listed everybody of a channel by then will not do it any more, in milliseconds. */
const LISTED_WITHIN_MS = 30_000;

interface Member {
  nick: string;
  /** The folded account that the network knows them by. */
  account: string | undefined;
  /** By channel the letters of all ranks the person has there. */
  readonly channels: Map<string, string>;
}

const storedSchema = z.object({
  nick: z.string(),
  account: z.string().optional(),
  channels: z.array(z.string()),
  ranks: z.record(z.string(), z.string()).optional(),
});

/** Who is in which channel, as the bot sees it. Every change is noted with the line it comes from. */
export class Members {
  readonly #members = new Map<string, Member>();
  /** The nicks under which accounts were met last, the longest ago first. */
  readonly #met = new Map<string, string>();
  /** Since when the server lists the people of a channel; by its folded name. */
  readonly #listing = new Map<string, number>();

  /** Returns whether the nick was not in the channel before. `account` is left as it was where absent. */
  join(folded: string, nick: string, channel: string, changes: StateChange[], account?: string): boolean {
    const member = this.#members.get(folded) ?? { nick, account: undefined, channels: new Map<string, string>() };
    const isNew = !member.channels.has(channel);
    member.nick = nick;
    member.account = account ?? member.account;
    if (isNew) member.channels.set(channel, "");
    this.#members.set(folded, member);
    changes.push(this.#change(folded));
    return isNew;
  }

  leave(folded: string, channel: string, changes: StateChange[]): void {
    const member = this.#members.get(folded);
    if (!member?.channels.delete(channel)) return;
    if (member.channels.size === 0) this.#members.delete(folded);
    changes.push(this.#change(folded));
  }

  /** Returns the channels the person was in. */
  quit(folded: string, changes: StateChange[]): readonly string[] {
    const member = this.#members.get(folded);
    if (!member) return [];
    this.#members.delete(folded);
    changes.push(this.#change(folded));
    return [...member.channels.keys()];
  }

  /** Returns the channels the person is in. */
  rename(from: string, to: string, nick: string, changes: StateChange[]): readonly string[] {
    const member = this.#members.get(from);
    if (!member) return [];
    this.#members.delete(from);
    this.#members.set(to, { ...member, nick });
    changes.push(this.#change(from), this.#change(to));
    return [...member.channels.keys()];
  }

  /** The person signed in to an account, or out of it. */
  signedIn(folded: string, account: string | undefined, changes: StateChange[]): void {
    const member = this.#members.get(folded);
    if (!member || member.account === account) return;
    member.account = account;
    changes.push(this.#change(folded));
  }

  /** The server begins to list the people of a channel. */
  listing(channel: string): void {
    this.#listing.set(channel, performance.now());
  }

  /** Everybody of the channel is known, with their accounts where the server tells them. */
  listed(channel: string): void {
    this.#listing.delete(channel);
  }

  /** Whether there may be people in the channel who are not known yet. */
  isListing(channel: string): boolean {
    const since = this.#listing.get(channel);
    return since !== undefined && performance.now() - since < LISTED_WITHIN_MS;
  }

  /** The people of a channel: folded nick and nick. */
  of(channel: string): (readonly [folded: string, nick: string])[] {
    return [...this.#members]
      .filter(([, { channels }]) => channels.has(channel))
      .map(([folded, { nick }]) => [folded, nick] as const);
  }

  channelsOf(folded: string): readonly string[] {
    return [...(this.#members.get(folded)?.channels.keys() ?? [])];
  }

  /** The letters of all ranks that somebody has in a channel. */
  ranksOf(folded: string, channel: string): string {
    return this.#members.get(folded)?.channels.get(channel) ?? "";
  }

  /** Somebody got a rank, or lost it; returns whether that is new. */
  rank(folded: string, channel: string, letter: string, on: boolean, changes: StateChange[]): boolean {
    const before = this.#members.get(folded)?.channels.get(channel);
    if (before === undefined || before.includes(letter) === on) return false;
    this.ranked(folded, channel, on ? before + letter : before.replace(letter, ""));
    changes.push(this.#change(folded));
    return true;
  }

  /** These are all ranks somebody has; `note` follows. */
  ranked(folded: string, channel: string, letters: string): void {
    const member = this.#members.get(folded);
    if (member?.channels.has(channel) === true) member.channels.set(channel, letters);
  }

  /** Notes what is known of somebody with the line it comes from. */
  note(folded: string, changes: StateChange[]): void {
    changes.push(this.#change(folded));
  }

  /** Nobody listens to a channel any more. */
  forget(channel: string): StateChange[] {
    const changes: StateChange[] = [];
    this.#listing.delete(channel);
    for (const [folded] of this.of(channel)) this.leave(folded, channel, changes);
    return changes;
  }

  nickOf(folded: string): string | undefined {
    return this.#members.get(folded)?.nick;
  }

  /** The folded account of a nick, as far as it is known. */
  accountOf(folded: string): string | undefined {
    return this.#members.get(folded)?.account;
  }

  /** Somebody spoke to one of us under a folded account: that is where answers go. */
  met(account: string, nick: string): void {
    this.#met.delete(account);
    this.#met.set(account, nick);
    if (this.#met.size <= REMEMBERED) return;
    const oldest = this.#met.keys().next();
    if (!oldest.done) this.#met.delete(oldest.value);
  }

  /** The nicks under which an account is in a channel, or in any. */
  nicksOf(account: string, channel?: string): readonly string[] {
    return [...this.#members.values()]
      .filter((member) => member.account === account && (channel === undefined || member.channels.has(channel)))
      .map(({ nick }) => nick);
  }

  /** The nick of an account, where somebody we see has it; otherwise the one under which it was met last. */
  nickOfAccount(account: string, fold: (nick: string) => string): string | undefined {
    const met = this.#met.get(account);
    const seen = this.nicksOf(account);
    if (met !== undefined && (seen.length === 0 || seen.some((nick) => fold(nick) === fold(met)))) {
      const owner = this.#members.get(fold(met));
      // Somebody else has taken the nick meanwhile.
      return owner === undefined || owner.account === account ? met : undefined;
    }
    return seen[0];
  }

  snapshot(): StateChange[] {
    return [...this.#members.keys()].map((folded) => this.#change(folded));
  }

  restore(state: readonly StateChange[]): void {
    for (const [key, value] of state) {
      if (!key.startsWith(MEMBER_KEY) || value === undefined) continue;
      const { nick, account, channels, ranks = {} } = storedSchema.parse(JSON.parse(value));
      const ranked = new Map(channels.map((channel) => [channel, ranks[channel] ?? ""]));
      this.#members.set(key.slice(MEMBER_KEY.length), { nick, account, channels: ranked });
    }
  }

  #change(folded: string): StateChange {
    const member = this.#members.get(folded);
    if (!member) return [MEMBER_KEY + folded, undefined];
    const { nick, account, channels } = member;
    const ranks = Object.fromEntries([...channels].filter(([, letters]) => letters !== ""));
    const stored = { nick, account, channels: [...channels.keys()] };
    return [MEMBER_KEY + folded, JSON.stringify(Object.keys(ranks).length > 0 ? { ...stored, ranks } : stored)];
  }
}
