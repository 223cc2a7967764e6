import type { Logger, NetworkEvent } from "@trestle/core";
import type { NetworkConfig } from "../config.js";
import type { OpenOptions, StateChange } from "../holder/frames.js";
import type { HolderClient } from "../holder-client/holder-client.js";
import type { StsPolicy } from "./sts.js";
import type { LineDecoder } from "../wire/encoding.js";
import type { IrcMessage } from "../wire/message.js";
import type { Connection } from "./connection.js";
import type { FloodLimits } from "./flood-control.js";
import type { Intake } from "./intake.js";
import type { Credentials, SignInResult } from "./sasl/credentials.js";
import type { Origin } from "./state.js";

export interface ConnectionContext {
  readonly holder: HolderClient;
  readonly config: NetworkConfig;
  /** The user name it gives (ident). */
  readonly username: string;
  /** How fast it may write. */
  readonly flood: FloodLimits;
  readonly open: OpenOptions;
  readonly decoder: LineDecoder;
  readonly intake: Intake;
  readonly log: Logger;
  /** The account to sign in to; without success the connection is closed. */
  readonly credentials: Credentials | undefined;
  /** The key of a channel, by its folded name. */
  readonly keyOf: (channel: string) => string | undefined;
  /** The line that says for whom a gateway connects (WEBIRC). */
  readonly webirc?: string | undefined;
  /** What a connection is opened with. */
  readonly origin?: Origin;
  /** Whether one that was opened so has to be opened anew. */
  readonly isOutdated?: (origin: Origin | undefined) => boolean;
  /** What the server says about TLS; `true`: this connection is of no use. */
  readonly onSts?: (policy: StsPolicy) => boolean;
}

/** What whoever owns a connection is told. */
export interface ConnectionOwner {
  /** `nick` is about to be asked for: from now on it may be ours. */
  claiming(connection: string, nick: string): void;
  /** The server does not give `nick`. */
  refused?(connection: string, nick: string): void;
  /** The next nick to try after `refused`; `undefined` gives up. */
  nextNick(refused: string, numeric: string): string | undefined;
  /** The server has said its first word, and it is no refusal: it is there. */
  answered?(): void;
  /** What came of signing in; `enough` keeps a connection that is signed in from going on. */
  signedIn?(connection: Connection, result: SignInResult): "enough" | undefined;
  ready(connection: Connection): void;
  /** A line after the way in, before the connection itself takes note of it. */
  line(connection: Connection, message: IrcMessage, line: LineScope): void;
  /** Deliveries that are still open are the owner's now: to settle, or to end. */
  ended(connection: Connection, ending: Ending): void;
}

export interface Ending {
  /** For a person. */
  readonly reason: string;
  /** Whether the server had let us in. */
  readonly wasReady: boolean;
  /** Whether anybody took the connection. */
  readonly reached: boolean;
  /** Whether the server had a word for us. */
  readonly answered: boolean;
  /** The server says that another try is of no use. */
  readonly barred: boolean;
  /** The network does not take the account's credentials. */
  readonly rejected: boolean;
}

/** Where a line's consequences are collected. */
export interface LineScope {
  /** Stable over redelivery, unique among all lines ever. */
  readonly id: string;
  /** Whether we sent it ourselves, on this connection. */
  readonly own: boolean;
  readonly events: NetworkEvent[];
  readonly changes: StateChange[];
}
