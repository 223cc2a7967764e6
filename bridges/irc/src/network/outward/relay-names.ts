import { createHash } from "node:crypto";
import type { Author } from "@trestle/core";
import { printable } from "../../format/runs.js";
import { cutToBytes } from "../../wire/sanitise.js";
import type { IrcNetwork } from "../irc-network.js";

/** A name that the relay shows is not longer than this, in bytes. */
const LONGEST_BYTES = 64;
/** Of so many people it is remembered how they are called in which channel; who was met longest ago is forgotten. */
const REMEMBERED = 10_000;
/** Where a coloured name was refused, the next is not coloured for so long. */
const REFUSED_FOR_MS = 600_000;
const MOST_REFUSED = 1_000;
/** Those of mIRC's sixteen that can be read on black and on white. */
const COLOURS = [3, 4, 5, 6, 7, 10, 12, 13] as const;
/** Changes nothing, and keeps what follows from being read as a background. */
const SEPARATOR = "\x02\x02";
/** What a client may take for the nick of its user, which it points out. */
const MAYBE_NICK = /[A-Za-z0-9[\]\\`_^{|}\u0080-\uffff-]+/g;
const UNSEEN = "\u200b";

type Person = Pick<Author, "userId" | "name">;

/** How those are called for whom the bot speaks: told apart where two in a channel are called alike. */
export class RelayNames {
  /** By channel and user. */
  readonly #names = new Map<string, string>();
  /** By channel and name, as names are compared. */
  readonly #users = new Map<string, Set<string>>();
  /** Channels in which colours were refused, and until when they are not tried again, by the monotonic clock. */
  readonly #colourless = new Map<string, number>();

  constructor(private readonly network: Pick<IrcNetwork, "config" | "members" | "fold">) {}

  /** Somebody is in a folded channel under this name. */
  note(channel: string, { userId, name }: Person): void {
    const key = `${channel}\n${userId}`;
    const compared = comparedIn(channel, shown(name));
    const before = this.#names.get(key);
    this.#names.delete(key);
    this.#names.set(key, compared);
    if (before === compared) return;
    if (before !== undefined) this.#release(before, userId);
    const users = this.#users.get(compared) ?? new Set();
    this.#users.set(compared, users.add(userId));
    const oldest = this.#names.size > REMEMBERED ? this.#names.keys().next().value : undefined;
    if (oldest !== undefined) this.#drop(oldest);
  }

  /** Somebody is not in the channel any more. */
  forget(channel: string, userId: string): void {
    this.#drop(`${channel}\n${userId}`);
  }

  /** Their display name, with what tells them from others of the same name behind it. */
  of(channel: string, person: Person): string {
    this.note(channel, person);
    const name = shown(person.name);
    const users = this.#users.get(comparedIn(channel, name));
    if (!users || users.size === 1) return name;
    const mark = ` (${printable(markOf(person.userId, [...users]))})`;
    return `${cutToBytes(name, Math.max(LONGEST_BYTES - Buffer.byteLength(mark), LONGEST_BYTES / 4))}${cutToBytes(mark, LONGEST_BYTES)}`;
  }

  /**
   * The same as it is put before a line, in the colour of its person where that is wanted. Who is called so on IRC is not
   * called each time that somebody of the same name speaks.
   */
  before(channel: string, person: Person): string {
    const { network } = this;
    const name = this.of(channel, person).replace(MAYBE_NICK, (word) => {
      const [first = ""] = word;
      return network.members.nickOf(network.fold(word)) !== undefined
        ? first + UNSEEN + word.slice(first.length)
        : word;
    });
    if (!this.#isColoured(channel)) return name;
    const code = `\x03${String(colourOf(person.userId)).padStart(2, "0")}`;
    return `${code}${/^,\d/.test(name) ? SEPARATOR : ""}${name}\x03`;
  }

  /** A line with a name was refused; returns whether it was coloured, and is worth another try without. */
  refused(channel: string): boolean {
    if (!this.#isColoured(channel)) return false;
    this.#colourless.set(channel, performance.now() + REFUSED_FOR_MS);
    const oldest = this.#colourless.size > MOST_REFUSED ? this.#colourless.keys().next().value : undefined;
    if (oldest !== undefined) this.#colourless.delete(oldest);
    return true;
  }

  #isColoured(channel: string): boolean {
    const until = this.#colourless.get(channel);
    if (until !== undefined && performance.now() >= until) this.#colourless.delete(channel);
    return this.network.config.relayColours && !this.#colourless.has(channel);
  }

  #drop(key: string): void {
    const name = this.#names.get(key);
    this.#names.delete(key);
    if (name !== undefined) this.#release(name, key.slice(key.indexOf("\n") + 1));
  }

  #release(compared: string, user: string): void {
    const users = this.#users.get(compared);
    users?.delete(user);
    if (users?.size === 0) this.#users.delete(compared);
  }
}

/** One word less is better than a line less. */
function shown(name: string): string {
  return cutToBytes(printable(name).replace(/\s+/g, " ").trim(), LONGEST_BYTES);
}

function comparedIn(channel: string, name: string): string {
  return `${channel}\n${name.normalize("NFKC").toLowerCase()}`;
}

/** The localpart, where nobody else of the name has it; else the server, else both. */
function markOf(user: string, namesakes: readonly string[]): string {
  const others = namesakes.filter((each) => each !== user).map(partsOf);
  const [localpart, server] = partsOf(user);
  if (others.every((other) => other[0] !== localpart)) return localpart;
  return others.every((other) => other[1] !== server) ? server : `${localpart}:${server}`;
}

function partsOf(user: string): readonly [localpart: string, server: string] {
  const colon = user.indexOf(":");
  return [user.slice(1, colon), user.slice(colon + 1)];
}

/** The same for ever. */
function colourOf(user: string): number {
  const [byte = 0] = createHash("sha256").update(user).digest();
  return COLOURS[byte % COLOURS.length] ?? COLOURS[0];
}
