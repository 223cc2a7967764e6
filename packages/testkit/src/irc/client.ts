import type { Channel } from "./channel.js";
import type { Capability } from "./options.js";
import type { Wire } from "./wire.js";

/** What is true of a line besides its text; which tags a client sees of it depends on its capabilities. */
export interface Stamp {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly msgid?: string | undefined;
  readonly account?: string | undefined;
  /** Whether the sender is a bot. */
  readonly bot?: boolean;
  /** Client-only tags, those with a `+`. */
  readonly clientTags?: ReadonlyMap<string, string>;
  readonly batch?: string | undefined;
}

/** An answer to a labelled command while it is being given. */
export interface Response {
  readonly label: string;
  readonly lines: { readonly body: string; readonly stamp: Stamp }[];
}

export interface SaslExchange {
  readonly mechanism: string;
  readonly chunks: string[];
}

/** One connection, from the first byte to the last. All texts are byte strings. */
export class Client {
  nick: string | undefined;
  user = "";
  realname = "";
  account: string | undefined;
  away: string | undefined;
  passwordGiven: string | undefined;
  /** Between CAP LS or REQ and CAP END, before registration. */
  negotiating = false;
  capVersion = 301;
  registered = false;
  /** Which side of a netsplit it is on. */
  side = 0;
  sasl: SaslExchange | undefined;
  response: Response | undefined;
  lastHeardAt = Date.now();
  lastSpokeAt = Date.now();
  pinged = false;
  readonly connectedAt = Date.now();
  readonly caps = new Set<Capability>();
  readonly modes = new Set<string>();
  readonly channels = new Set<Channel>();
  readonly invitedTo = new Set<string>();

  constructor(
    readonly wire: Wire,
    public host: string,
    readonly secure: boolean,
  ) {}

  /** What stands for it in replies: `*` before it has a nick. */
  get shownNick(): string {
    return this.nick ?? "*";
  }

  get mask(): string {
    return `${this.shownNick}!${this.user}@${this.host}`;
  }

  has(capability: Capability): boolean {
    return this.caps.has(capability);
  }
}
