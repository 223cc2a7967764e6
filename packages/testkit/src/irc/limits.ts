/** What the server takes, all in bytes or counts; announced in 005. */
export interface IrcLimits {
  /** One line with its CR LF and the source in front, as it is relayed. */
  readonly line: number;
  readonly nick: number;
  readonly user: number;
  readonly host: number;
  readonly realname: number;
  readonly channel: number;
  readonly topic: number;
  readonly kick: number;
  readonly away: number;
  readonly key: number;
  /** Mode changes with a parameter in one MODE. */
  readonly modes: number;
  /** Targets of one PRIVMSG, NOTICE, TAGMSG or KICK. */
  readonly targets: number;
  /** Channels one client may be in; 405 beyond it. */
  readonly channels: number;
  /** Entries of each list of a channel (bans, exceptions, invitations, quiets); 478 beyond it. */
  readonly bans: number;
  /** Nicks one client may MONITOR; 734 beyond it. */
  readonly monitor: number;
  /** Messages of one CHATHISTORY answer. */
  readonly chathistory: number;
  /** Messages that are kept of each channel and conversation, for CHATHISTORY and REDACT. */
  readonly history: number;
  /** Bytes of one `draft/multiline` message, line feeds included. */
  readonly multilineBytes: number;
  readonly multilineLines: number;
}

export const LIMITS: IrcLimits = {
  line: 512,
  nick: 30,
  user: 10,
  host: 64,
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
  monitor: 100,
  chathistory: 100,
  history: 2000,
  multilineBytes: 4096,
  multilineLines: 32,
};

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

export const FLOOD: FloodRules = { threshold: 10, rate: 1, fakelag: true, recvQ: 8192 };
