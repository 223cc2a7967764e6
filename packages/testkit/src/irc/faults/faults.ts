import type { LoggedMessage } from "../records.js";

/**
 * What becomes of a message: delivered, swallowed, refused with 404, or delivered with another text, as servers do that
 * strip colours or censor.
 */
export type Verdict = "deliver" | "drop" | "refuse" | { readonly rewrite: string };

/** Why nobody may take a nick: erroneous, in use, while banned, collision, unavailable, too fast. */
export const NICK_REFUSALS = ["432", "433", "435", "436", "437", "438"] as const;
export type NickRefusal = (typeof NICK_REFUSALS)[number];

/** Why nobody may join a channel. */
export const JOIN_REFUSALS = [
  "403",
  "405",
  "407",
  "437",
  "471",
  "473",
  "474",
  "475",
  "476",
  "477",
  "480",
  "489",
  "520",
] as const;
export type JoinRefusal = (typeof JOIN_REFUSALS)[number];

/** How the server misbehaves now. */
export interface Faults {
  lagMs: number;
  /** Lines leave in pieces of so many bytes; 0 for whole. */
  pieceBytes: number;
  /** New connections are accepted and never answered. */
  mute: boolean;
  /** Text of the ERROR that everyone gets who registers. */
  refusal: string | undefined;
  /** The server's signature in SCRAM is false, as that of a server that does not know the password. */
  forgedScram: boolean;
  /** SASL is offered but its backend does not answer. */
  saslStalls: boolean;
  /** Folded nicks that nobody may take, with the numeric that says so. */
  readonly heldNicks: Map<string, NickRefusal>;
  /** Folded channels that nobody may join, with the numeric that says so. */
  readonly closedChannels: Map<string, JoinRefusal>;
  /** Folded channels that forward (470), with where to. */
  readonly forwards: Map<string, string>;
  verdict: (message: LoggedMessage) => Verdict;
}

export const noFaults = (): Faults => ({
  lagMs: 0,
  pieceBytes: 0,
  mute: false,
  refusal: undefined,
  forgedScram: false,
  saslStalls: false,
  heldNicks: new Map(),
  closedChannels: new Map(),
  forwards: new Map(),
  verdict: () => "deliver",
});

/** What the refusals say behind the colon. */
export const REFUSALS: Readonly<Record<NickRefusal | JoinRefusal, string>> = {
  "403": "No such channel",
  "405": "You have joined too many channels",
  "407": "Too many targets",
  "432": "Erroneous Nickname",
  "433": "Nickname is already in use.",
  "435": "Cannot change nickname while banned on channel",
  "436": "Nickname collision",
  "437": "Nick/channel is temporarily unavailable",
  "438": "Nick change too fast. Please wait a while.",
  "471": "Cannot join channel (channel is full)",
  "473": "Cannot join channel (invite only)",
  "474": "Cannot join channel (you're banned)",
  "475": "Cannot join channel (incorrect channel key)",
  "476": "Invalid channel name",
  "477": "You need to be identified with a registered account to join",
  "480": "Cannot join channel (throttled)",
  "489": "Cannot join channel (secure connections only)",
  "520": "Cannot join channel (operators only)",
};
