import type { Settings } from "../options.js";

/** A list: mode letter, numerics of an entry and of the end, what it is called. */
export interface ListMode {
  readonly entry: string;
  readonly end: string;
  readonly name: string;
  /** Whether the numerics name the letter too, as those of `q` do. */
  readonly lettered?: boolean;
}

const LISTS: Readonly<Record<string, ListMode>> = {
  b: { entry: "367", end: "368", name: "ban" },
  e: { entry: "348", end: "349", name: "exception" },
  I: { entry: "346", end: "347", name: "invite" },
  q: { entry: "728", end: "729", name: "quiet", lettered: true },
};

/** The client mode of those who are sent nothing of what is said in channels. */
export const DEAF = "D";
/** Client modes a user may set: bot, deaf, invisible. `o` is had by OPER and can only be given up. */
export const USER_MODES = `B${DEAF}io`;

/** The channel modes this server has, by the classes of CHANMODES. */
export interface ChannelModes {
  /** Class A. */
  readonly lists: ReadonlyMap<string, ListMode>;
  /** Class B: a parameter to set and to unset. */
  readonly keyed: string;
  /** Class C: a parameter to set. */
  readonly counted: string;
  /** Class D: colours refused `c`, CTCP refused `C`, invite only, moderated, no outsiders, private, registered, secret, topic. */
  readonly flags: string;
}

export function channelModes({ withoutModes, ranks }: Settings): ChannelModes {
  const has = (letter: string): boolean => !withoutModes.includes(letter) && !ranks.includes(letter);
  const only = (letters: string): string => Array.from(letters).filter(has).join("");
  return {
    lists: new Map(Object.entries(LISTS).filter(([letter]) => has(letter))),
    keyed: only("k"),
    counted: only("fl"),
    flags: only("Ccimnprst"),
  };
}

/** `b,k,l,imnst`. */
export function chanmodesToken(modes: ChannelModes): string {
  return [[...modes.lists.keys()].join(""), modes.keyed, modes.counted, modes.flags].join(",");
}
