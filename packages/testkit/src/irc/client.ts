import type { Capability } from "./capabilities/catalogue.js";
import type { OpenBatch } from "./capabilities/multiline.js";
import type { Channel } from "./channel.js";
import type { Exchange } from "./sasl/exchange.js";
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
  /** Whether the line goes on from the one before it without a line feed (`draft/multiline`). */
  readonly concat?: boolean;
  /** The nick of who said it in another's name (`draft/relaymsg`). */
  readonly relayedBy?: string;
}

/** An answer to a labelled command while it is being given. */
export interface Response {
  readonly label: string;
  readonly lines: { readonly body: string; readonly stamp: Stamp }[];
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
  sasl: Exchange | undefined;
  response: Response | undefined;
  /** The multiline message that it is sending. */
  batch: OpenBatch | undefined;
  lastHeardAt: number;
  lastSpokeAt: number;
  pinged = false;
  /** Whether it has said anything that forbids a WEBIRC behind it. */
  begun = false;
  /** Its address, or what a WEBIRC gateway says it is. */
  address: string;
  readonly caps = new Set<Capability>();
  readonly modes = new Set<string>();
  readonly channels = new Set<Channel>();
  readonly invitedTo = new Set<string>();
  /** Folded nicks that it monitors, with how it wrote them. */
  readonly monitored = new Map<string, string>();

  constructor(
    readonly wire: Wire,
    public host: string,
    readonly secure: boolean,
    /** SHA-256 of the certificate it showed, in hexadecimal. */
    readonly fingerprint: string | undefined,
    readonly connectedAt: number,
  ) {
    this.lastHeardAt = connectedAt;
    this.lastSpokeAt = connectedAt;
    this.address = host;
  }

  /** What stands for it in replies: `*` before it has a nick. */
  get shownNick(): string {
    return this.nick ?? "*";
  }

  get mask(): string {
    return `${this.shownNick}!${this.user}@${this.host}`;
  }

  get isOperator(): boolean {
    return this.modes.has("o");
  }

  has(capability: Capability): boolean {
    return this.caps.has(capability);
  }
}
