import { noNames, type SlackNames } from "../names.js";

/** Slack's three mentions of everyone: the active members of the channel, all of them, the whole workspace. */
export type Broadcast = "here" | "channel" | "everyone";

/** How messages from Slack are read. */
export interface ReadOptions {
  readonly names?: Partial<SlackNames>;
  /** IANA name of the zone in which dates are written; UTC where absent or unknown. */
  readonly timeZone?: string;
  /** Which broadcasts notify the whole Matrix room; all three where absent. The others are plain text. */
  readonly notifyFor?: ReadonlySet<Broadcast>;
  /** Whether previews that Slack made of links are shown; Matrix clients make their own, so false where absent. */
  readonly previews?: boolean;
}

/** What the parts of the reader share. */
export interface Reader {
  readonly names: SlackNames;
  readonly timeZone: string;
  readonly notifyFor: ReadonlySet<Broadcast>;
  readonly previews: boolean;
  /** How many levels of blocks within blocks may still follow. */
  readonly levels: number;
}

/** Deeper than Slack nests anything (a card in a carousel in an attachment of a shared message). */
const maxLevels = 8;

const everyBroadcast: ReadonlySet<Broadcast> = new Set(["here", "channel", "everyone"]);

export function readerFor(options: ReadOptions): Reader {
  return {
    names: { ...noNames, ...options.names },
    timeZone: options.timeZone !== undefined && isTimeZone(options.timeZone) ? options.timeZone : "UTC",
    notifyFor: options.notifyFor ?? everyBroadcast,
    previews: options.previews ?? false,
    levels: maxLevels,
  };
}

/** The reader for what stands within; `undefined` where that is too deep to be meant. */
export function inner(reader: Reader): Reader | undefined {
  return reader.levels > 0 ? { ...reader, levels: reader.levels - 1 } : undefined;
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    // That is how Intl says that it does not know a zone.
    return false;
  }
}
