import type { StateChange } from "../../holder/frames.js";
import type { IrcMessage } from "../../wire/message.js";

const BATCH_KEY = "split-batch:";
/** So many may be open; the lines of others are known by their text alone. */
const MOST_OPEN = 100;

/**
 * The batches in which a server tells that two servers lost each other, or found each other again (IRCv3 `netsplit` and
 * `netjoin`). Kept with the bot's connection while they are open: a batch may begin in one process and end in the next.
 */
export class SplitBatches {
  /** `netsplit` or `netjoin`, and the servers, by reference. */
  readonly #open = new Map<string, string>();

  /** Takes a BATCH; returns the servers that have found each other again when that is told to its end. */
  take({ verb, params }: IrcMessage, changes: StateChange[]): string | undefined {
    const [reference = "", type, ...servers] = params;
    const name = reference.slice(1);
    if (verb !== "BATCH" || name === "") return undefined;
    if (reference.startsWith("-")) {
      const ended = this.#open.get(name);
      if (ended === undefined) return undefined;
      this.#open.delete(name);
      changes.push([BATCH_KEY + name, undefined]);
      return ended.startsWith("netjoin ") ? ended.slice("netjoin ".length) : undefined;
    }
    if ((type !== "netsplit" && type !== "netjoin") || this.#open.size >= MOST_OPEN) return undefined;
    const value = `${type} ${pairOf(servers.slice(0, 2))}`;
    this.#open.set(name, value);
    changes.push([BATCH_KEY + name, value]);
    return undefined;
  }

  /** The servers that lost each other, where a line is told as part of that. */
  splitOf({ tags }: IrcMessage): string | undefined {
    const open = this.#open.get(tags.get("batch") ?? "");
    return open?.startsWith("netsplit ") === true ? open.slice("netsplit ".length) : undefined;
  }

  /** Another connection has other batches. */
  reset(): void {
    this.#open.clear();
  }

  /** Goes on where the process before ended. */
  restore(state: readonly StateChange[]): void {
    for (const [key, value] of state)
      if (key.startsWith(BATCH_KEY) && value !== undefined) this.#open.set(key.slice(BATCH_KEY.length), value);
  }
}

/** Two servers, whichever is named first. */
export function pairOf(servers: readonly string[]): string {
  return servers
    .map((name) => name.toLowerCase())
    .sort()
    .join(" ");
}
