import type { CaseMapping } from "./names.js";

/** Every IRCv3 capability the server knows. Each can be switched by options and while the server runs. */
export const CAPABILITIES = [
  "account-notify",
  "account-tag",
  "away-notify",
  "batch",
  "cap-notify",
  "chghost",
  "draft/message-redaction",
  "echo-message",
  "extended-join",
  "invite-notify",
  "labeled-response",
  "message-tags",
  "multi-prefix",
  "sasl",
  "server-time",
  "setname",
  "userhost-in-names",
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** What the server takes, all in bytes or counts; announced in 005. */
export interface IrcLimits {
  /** One line with its CR LF and the source in front, as it is relayed. */
  readonly line: number;
  readonly nick: number;
  readonly user: number;
  readonly realname: number;
  readonly channel: number;
  readonly topic: number;
  readonly kick: number;
  readonly away: number;
  readonly key: number;
  /** Mode changes with a parameter in one MODE. */
  readonly modes: number;
  /** Targets of one PRIVMSG or NOTICE. */
  readonly targets: number;
  /** Channels one client may be in; 405 beyond it. */
  readonly channels: number;
  /** Bans of one channel; 478 beyond it. */
  readonly bans: number;
}

/** Flood rules as InspIRCd has them. */
export interface FloodRules {
  /** Commands that may come at once. */
  readonly threshold: number;
  /** Commands a second that are forgiven. */
  readonly rate: number;
  /** `true`: further commands wait, at `rate`; `false`: the client is closed with "Excess Flood". */
  readonly fakelag: boolean;
  /** Bytes of waiting input above which the client is closed with "RecvQ exceeded". */
  readonly recvQ: number;
}

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
  /** Accounts for SASL PLAIN: passwords by name. Without any, `sasl` is not offered. */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly caseMapping?: CaseMapping;
  readonly limits?: Partial<IrcLimits>;
  /** The capabilities that are off. */
  readonly without?: readonly Capability[];
  /** Whether messages carry a `msgid` tag. */
  readonly msgid?: boolean;
  /** Whether 005 is sent at all; some servers are silent. */
  readonly isupport?: boolean;
  /** The host shown of every client; its address where absent. */
  readonly cloak?: string;
  /** A line that is too long: answered with 417, or cut without a word. */
  readonly overlong?: "refuse" | "cut";
  /** No rules where absent. */
  readonly flood?: Partial<FloodRules>;
  /** Bytes of output that wait, above which a client is closed with "SendQ exceeded". */
  readonly sendQ?: number;
  /** PEM. With both the port speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** In milliseconds: after so much silence a client is pinged, after twice as much closed. */
  readonly pingAfterMs?: number;
  /** In milliseconds. */
  readonly registrationTimeoutMs?: number;
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
  readonly accounts: ReadonlyMap<string, string>;
  readonly caseMapping: CaseMapping;
  readonly limits: IrcLimits;
  readonly isupport: boolean;
  readonly cloak: string | undefined;
  readonly overlong: "refuse" | "cut";
  readonly flood: FloodRules | undefined;
  readonly sendQ: number;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly pingAfterMs: number;
  readonly registrationTimeoutMs: number;
  readonly remember: number;
}

const LIMITS: IrcLimits = {
  line: 512,
  nick: 30,
  user: 10,
  realname: 128,
  channel: 64,
  topic: 307,
  kick: 255,
  away: 200,
  key: 32,
  modes: 20,
  targets: 20,
  channels: 1000,
  bans: 100,
};

const FLOOD: FloodRules = { threshold: 10, rate: 1, fakelag: true, recvQ: 8192 };

export function settingsFrom(options: IrcServerOptions): Settings {
  return {
    host: options.host ?? "127.0.0.1",
    name: options.name ?? "irc.testkit.example",
    network: options.network ?? "TestKit",
    motd: options.motd ?? ["This server stands in for an IRC network in tests."],
    password: options.password,
    accounts: new Map(Object.entries(options.accounts ?? {})),
    caseMapping: options.caseMapping ?? "rfc1459",
    limits: { ...LIMITS, ...options.limits },
    isupport: options.isupport ?? true,
    cloak: options.cloak,
    overlong: options.overlong ?? "refuse",
    flood: options.flood === undefined ? undefined : { ...FLOOD, ...options.flood },
    sendQ: options.sendQ ?? 16 * 1024 * 1024,
    tls: options.tls,
    pingAfterMs: options.pingAfterMs ?? 120_000,
    registrationTimeoutMs: options.registrationTimeoutMs ?? 60_000,
    remember: options.remember ?? 200_000,
  };
}
