import { z } from "zod";
import type { StateChange } from "../holder/frames.js";
import type { Source } from "../wire/source.js";

/** How long a nick that was given up still counts as ours, where nobody was seen to leave. */
const LINGER_MS = 60_000;
const OWN_KEY = "own:";

interface OwnNick {
  /** Connections that have it, or have asked for it. */
  readonly holders: Set<string>;
  /** `user@host` of the last one. */
  address: string | undefined;
  expiry: NodeJS.Timeout | undefined;
}

const storedSchema = z.object({ address: z.string().optional() });

/**
 * The nicks of our own clients as the bot meets them in the channels. A nick is ours from before the server can give it
 * to us until the bot has seen it leave, so that no line of our own is ever taken for somebody else's. Kept with the
 * bot's connection as well, for lines that are read again after a restart.
 */
export class OwnNicks {
  readonly #nicks = new Map<string, OwnNick>();
  #closed = false;

  constructor(private readonly store: (changes: readonly StateChange[]) => void) {}

  claim(folded: string, connection: string): void {
    const own = this.#nicks.get(folded) ?? { holders: new Set(), address: undefined, expiry: undefined };
    clearTimeout(own.expiry);
    own.expiry = undefined;
    own.holders.add(connection);
    this.#nicks.set(folded, own);
    this.store([this.#change(folded, own)]);
  }

  /** Whom the server shows behind the nick. */
  address(folded: string, address: string): void {
    const own = this.#nicks.get(folded);
    if (!own || own.address === address) return;
    own.address = address;
    this.store([this.#change(folded, own)]);
  }

  /** A connection has the nick no longer; lines under it may still be on their way to the bot. */
  release(folded: string, connection: string): void {
    const own = this.#nicks.get(folded);
    if (!own?.holders.delete(connection) || own.holders.size > 0 || this.#closed) return;
    own.expiry = setTimeout(() => {
      this.#nicks.delete(folded);
      this.store([[OWN_KEY + folded, undefined]]);
    }, LINGER_MS);
  }

  releaseAll(connection: string): void {
    for (const folded of this.#nicks.keys()) this.release(folded, connection);
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
    if (!own || own.holders.size > 0) return;
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
      const own = this.#nicks.get(folded) ?? {
        holders: new Set<string>(["before"]),
        address: undefined,
        expiry: undefined,
      };
      own.address ??= storedSchema.parse(JSON.parse(value)).address;
      this.#nicks.set(folded, own);
      this.release(folded, "before");
    }
  }

  close(): void {
    this.#closed = true;
    for (const { expiry } of this.#nicks.values()) clearTimeout(expiry);
  }

  #change(folded: string, own: OwnNick): StateChange {
    return [OWN_KEY + folded, JSON.stringify(own.address === undefined ? {} : { address: own.address })];
  }
}
