import type { AccountOptions } from "./accounts.js";
import type { Capability, StsPolicy } from "./capabilities/catalogue.js";
import { type IrcClock, systemClock } from "./clock.js";
import { FLOOD, type FloodRules, type IrcLimits, LIMITS } from "./limits.js";
import type { RankSet } from "./modes/ranks.js";
import type { CaseMapping } from "./names.js";
import { SASL_MECHANISMS, type SaslMechanism } from "./sasl/mechanisms.js";

export interface IrcServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** A loopback address; 127.0.0.1 where absent. */
  readonly host?: string;
  /** The server's name. */
  readonly name?: string;
  /** NETWORK in 005. */
  readonly network?: string;
  readonly motd?: readonly string[];
  /** Demanded by PASS. */
  readonly password?: string;
  /** By name: a password, or more. Without any, `sasl` is not offered. */
  readonly accounts?: Readonly<Record<string, string | AccountOptions>>;
  /** The SASL mechanisms that may be offered; each is offered where an account can use it. All where absent. */
  readonly saslMechanisms?: readonly SaslMechanism[];
  /** Whether NickServ answers, and accounts can be registered with it. */
  readonly services?: boolean;
  /** For OPER: passwords by name. */
  readonly operators?: Readonly<Record<string, string>>;
  /** The password of WEBIRC gateways; the command is unknown where absent. */
  readonly webirc?: string;
  readonly caseMapping?: CaseMapping;
  readonly limits?: Partial<IrcLimits>;
  /** The capabilities that are off. */
  readonly without?: readonly Capability[];
  /** The channel modes that are off, as letters. */
  readonly withoutModes?: string;
  /** The ranks of members: operators, half-operators and voice where absent. */
  readonly ranks?: RankSet;
  /** Whether messages carry a `msgid` tag. */
  readonly msgid?: boolean;
  /** Whether 005 is sent at all; some servers are silent. */
  readonly isupport?: boolean;
  /** Changes of 005 by token: another value, `true` for a bare token, `false` for none. What the server does stays. */
  readonly tokens?: Readonly<Record<string, string | boolean>>;
  /** CLIENTTAGDENY: client-only tags that are dropped, e.g. `*,-draft/reply`. None where absent. */
  readonly denyClientTags?: string;
  /** Whether what is not UTF-8 is refused, and UTF8ONLY announced. */
  readonly utf8Only?: boolean;
  /** For how long a message can be redacted, in milliseconds; always where absent. */
  readonly redactWithinMs?: number;
  /** The host shown of every client; its address where absent. */
  readonly cloak?: string;
  /** A line that is too long: answered with 417, or cut without a word. */
  readonly overlong?: "refuse" | "cut";
  /** No rules where absent. */
  readonly flood?: Partial<FloodRules>;
  /** Bytes of output that wait, above which a client is closed with "SendQ exceeded". */
  readonly sendQ?: number;
  /** PEM. The port speaks TLS, or `tlsPort` does where it is given. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** With `tls`: a second port that speaks TLS while `port` is plain; 0 takes a free one. */
  readonly tlsPort?: number;
  /** The `sts` capability; not offered where absent. */
  readonly sts?: StsPolicy;
  /** In milliseconds: after so much silence a client is pinged, after twice as much closed. */
  readonly pingAfterMs?: number;
  /** In milliseconds. */
  readonly registrationTimeoutMs?: number;
  /** The machine's time where absent. */
  readonly clock?: IrcClock;
  /** How many messages and lines are remembered for the test's eyes, each of a channel and of a connection. */
  readonly remember?: number;
}

/** The options with every default filled in. */
export interface Settings {
  readonly host: string;
  readonly name: string;
  readonly network: string;
  readonly motd: readonly string[];
  readonly password: string | undefined;
  readonly saslMechanisms: readonly SaslMechanism[];
  readonly operators: ReadonlyMap<string, string>;
  readonly webirc: string | undefined;
  readonly caseMapping: CaseMapping;
  readonly limits: IrcLimits;
  readonly withoutModes: string;
  readonly ranks: RankSet;
  readonly isupport: boolean;
  readonly tokens: Readonly<Record<string, string | boolean>>;
  readonly denyClientTags: string;
  readonly utf8Only: boolean;
  readonly redactWithinMs: number;
  readonly cloak: string | undefined;
  readonly overlong: "refuse" | "cut";
  readonly flood: FloodRules | undefined;
  readonly sendQ: number;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly pingAfterMs: number;
  readonly registrationTimeoutMs: number;
  readonly clock: IrcClock;
  readonly remember: number;
}

export function settingsFrom(options: IrcServerOptions): Settings {
  return {
    host: options.host ?? "127.0.0.1",
    name: options.name ?? "irc.testkit.example",
    network: options.network ?? "TestKit",
    motd: options.motd ?? ["This server stands in for an IRC network in tests."],
    password: options.password,
    saslMechanisms: options.saslMechanisms ?? SASL_MECHANISMS,
    operators: new Map(Object.entries(options.operators ?? {})),
    webirc: options.webirc,
    caseMapping: options.caseMapping ?? "rfc1459",
    limits: { ...LIMITS, ...options.limits },
    withoutModes: options.withoutModes ?? "",
    ranks: options.ranks ?? "ohv",
    isupport: options.isupport ?? true,
    tokens: options.tokens ?? {},
    denyClientTags: options.denyClientTags ?? "",
    utf8Only: options.utf8Only ?? false,
    redactWithinMs: options.redactWithinMs ?? Number.POSITIVE_INFINITY,
    cloak: options.cloak,
    overlong: options.overlong ?? "refuse",
    flood: options.flood === undefined ? undefined : { ...FLOOD, ...options.flood },
    sendQ: options.sendQ ?? 16 * 1024 * 1024,
    tls: options.tls,
    pingAfterMs: options.pingAfterMs ?? 120_000,
    registrationTimeoutMs: options.registrationTimeoutMs ?? 60_000,
    clock: options.clock ?? systemClock,
    remember: options.remember ?? 200_000,
  };
}
