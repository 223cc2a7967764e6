import { z } from "zod";
import type { StateChange } from "../../holder/frames.js";
import type { Source } from "../../wire/source.js";

/** How long a nick that was given up still counts as ours, where nobody was seen to leave. */
const LINGER_MS = 60_000;
const OWN_KEY = "own:";

interface OwnNick {
  readonly nick: string;
  /** Connections that have it, or have asked for it. */
  readonly holders: Set<string>;
  /** `user@host` of the last one. */
  address: string | undefined;
  expiry: NodeJS.Timeout | undefined;
  /** The bot has seen it leave, before the connection itself was seen to end. */
  hasLeft: boolean;
}

const storedSchema = z.object({ nick: z.string().optional(), address: z.string().optional() });

/**
 * The nicks of our own clients as the bot meets them in the channels. A nick is ours from before the server can give it
 * to us until the bot has seen it leave, so that no line of our own is ever taken for somebody else's. Kept with the
 * bot's connection as well, for lines that are read again after a restart.
 */
export class OwnNicks {
  #nicks = new Map<string, OwnNick>();
  #closed = false;

  /** `fold`: by the spelling rules that the network is known to have, or is assumed to have until it says so. */
  constructor(
    private readonly fold: (nick: string) => string,
    private readonly store: (changes: readonly StateChange[]) => void,
  ) {}

  claim(nick: string, connection: string): void {
    const folded = this.fold(nick);
    const own = this.#nicks.get(folded) ?? ownNick(nick);
    clearTimeout(own.expiry);
    own.expiry = undefined;
    own.hasLeft = false;
    own.holders.add(connection);
    this.#nicks.set(folded, own);
    this.store([this.#change(folded, own)]);
  }

  /** Whom the server shows behind the nick. */
  address(folded: string, address: string): void {
    const own = this.#nicks.get(folded);
    if (!own) return;
    own.hasLeft = false;
    if (own.address === address) return;
    own.address = address;
    this.store([this.#change(folded, own)]);
  }

  /** A connection has the nick no longer; lines under it may still be on their way to the bot. */
  release(nick: string, connection: string): void {
    const own = this.#nicks.get(this.fold(nick));
    if (!own?.holders.delete(connection) || own.holders.size > 0 || this.#closed) return;
    const forget = () => {
      const folded = this.fold(nick);
      this.#nicks.delete(folded);
      this.store([[OWN_KEY + folded, undefined]]);
    };
    if (own.hasLeft) forget();
    else own.expiry = setTimeout(forget, LINGER_MS);
  }

  /** The server does not give the nick: whoever has it is somebody else, unless we were seen under it before. */
  refused(nick: string, connection: string): void {
    const folded = this.fold(nick);
    const own = this.#nicks.get(folded);
    if (own?.address !== undefined) {
      this.release(nick, connection);
      return;
    }
    if (!own?.holders.delete(connection) || own.holders.size > 0) return;
    this.#nicks.delete(folded);
    this.store([[OWN_KEY + folded, undefined]]);
  }

  releaseAll(connection: string): void {
    for (const { nick } of this.#nicks.values()) this.release(nick, connection);
  }

  /** The spelling rules turned out to be others: what was claimed before is found under them from now on. */
  refold(): void {
    const before = this.#nicks;
    this.#nicks = new Map([...before.values()].map((own) => [this.fold(own.nick), own]));
    const gone = [...before.keys()].filter((folded) => !this.#nicks.has(folded));
    this.store([...gone.map((folded): StateChange => [OWN_KEY + folded, undefined]), ...this.snapshot()]);
  }

  isOwn(folded: string, source: Source): boolean {
    const own = this.#nicks.get(folded);
    if (!own) return false;
    return (
      own.holders.size > 0 || own.address === undefined || own.address === `${source.user ?? ""}@${source.host ?? ""}`
    );
  }

  /** The bot has seen the nick leave. */
  left(folded: string, changes: StateChange[]): void {
    const own = this.#nicks.get(folded);
    if (!own) return;
    own.hasLeft = true;
    if (own.holders.size > 0) return;
    clearTimeout(own.expiry);
    this.#nicks.delete(folded);
    changes.push([OWN_KEY + folded, undefined]);
  }

  /** Everything, for a connection of the bot that knows nothing yet. */
  snapshot(): StateChange[] {
    return [...this.#nicks].map(([folded, own]) => this.#change(folded, own));
  }

  /** Takes over what the process before has noted. */
  restore(state: readonly StateChange[]): void {
    for (const [key, value] of state) {
      if (!key.startsWith(OWN_KEY) || value === undefined) continue;
      const folded = key.slice(OWN_KEY.length);
      const { nick = folded, address } = storedSchema.parse(JSON.parse(value));
      const own = this.#nicks.get(folded) ?? ownNick(nick, "before");
      own.address ??= address;
      this.#nicks.set(folded, own);
      this.release(nick, "before");
    }
  }

  close(): void {
    this.#closed = true;
    for (const { expiry } of this.#nicks.values()) clearTimeout(expiry);
  }

  #change(folded: string, { nick, address }: OwnNick): StateChange {
    return [OWN_KEY + folded, JSON.stringify({ nick, ...(address !== undefined && { address }) })];
  }
}

function ownNick(nick: string, ...holders: readonly string[]): OwnNick {
  return { nick, holders: new Set(holders), address: undefined, expiry: undefined, hasLeft: false };
}
