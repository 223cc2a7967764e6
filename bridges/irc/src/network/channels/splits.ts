import {
  type ChannelId,
  type Logger,
  type NetworkEvent,
  RemoteMessageId,
  RemoteUserId,
  type RemoteUser,
} from "@trestle/core";
import { z } from "zod";
import type { StateChange } from "../../holder/frames.js";
import type { Isupport } from "../../wire/isupport.js";
import { ranksOf, roleOf } from "../../wire/ranks.js";
import { channelIdOf } from "../ids.js";

const SPLIT_KEY = "split:";
/** Of more people than that it is told at once that they left. */
const MOST_WAITING = 20_000;
const AGAIN_MS = 5_000;
/** Who is not back for so much of the wait, when the servers have found each other again, went meanwhile. */
const MENDED_PART = 0.05;

const storedSchema = z.object({
  /** The line by which they were lost. */
  line: z.string(),
  channel: z.string(),
  id: z.string(),
  name: z.string(),
  reason: z.string(),
  /** Which servers lost each other. */
  servers: z.string().default(""),
  /** The letters of the ranks they had. */
  ranks: z.string(),
  until: z.number(),
  back: z.boolean(),
});
type Lost = z.infer<typeof storedSchema>;

export interface SplitsOptions {
  readonly network: string;
  readonly log: Logger;
  /** How long people who were lost in a split are expected back, in milliseconds. */
  readonly splitWaitMs: number;
  readonly isLinked: (channel: string) => boolean;
  readonly isupport: () => Isupport;
  /** The letters of the ranks somebody has in a channel now, under all their nicks. */
  readonly ranksNow: (user: RemoteUser, channel: string) => string;
  readonly receive: (event: NetworkEvent) => Promise<void>;
  /** Keeps changes with the bot's connection. */
  readonly store: (changes: readonly StateChange[]) => void;
}

/** Whether a QUIT says that two servers lost each other: their names and nothing else. */
export function isSplit(reason: string): boolean {
  return (
    reason.length <= 130 && /^[A-Za-z0-9*_-]+(\.[A-Za-z0-9*_-]+)+ [A-Za-z0-9*_-]+(\.[A-Za-z0-9*_-]+)+$/.test(reason)
  );
}

/**
 * People who were lost because servers lost each other: they stay in the rooms for a while, as most are back soon. Who is
 * not back by then leaves, whatever else happens: what is waited for is kept with the bot's connection, also over a restart.
 */
export class Splits {
  readonly #lost = new Map<string, Lost>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #ending = false;

  constructor(private readonly options: SplitsOptions) {}

  /** Somebody was lost; `false`: it is to be told at once. */
  lost(
    line: string,
    channel: string,
    user: RemoteUser,
    { reason, servers, ranks }: { readonly reason: string; readonly servers: string; readonly ranks: string },
    changes: StateChange[],
  ): boolean {
    const key = `${channel} ${user.id}`;
    const { splitWaitMs } = this.options;
    if (splitWaitMs === 0 || this.#lost.size >= MOST_WAITING || !this.options.isLinked(channel)) return false;
    const until = Date.now() + splitWaitMs;
    const name = user.name ?? user.id;
    const before = this.#lost.get(key);
    // Lost again while it was seen who is back: what they had before the first time counts.
    const had = before?.ranks ?? ranks;
    this.#keep(key, { line, channel, id: user.id, name, reason, servers, ranks: had, until, back: false }, changes);
    this.#wake();
    return true;
  }

  /** Somebody comes into a channel; `true`: their ghost never left. */
  back(user: RemoteUser, channel: string, changes: StateChange[]): boolean {
    const key = `${channel} ${user.id}`;
    const lost = this.#lost.get(key);
    if (!lost || lost.back) return false;
    // Servers give ranks back after the joins: whether they did is seen at the end.
    if (lost.ranks !== "") this.#keep(key, { ...lost, back: true }, changes);
    else this.#drop(key, changes);
    return true;
  }

  /** Two servers have found each other again, and said who is there: the others are hardly waited for any longer. */
  mended(servers: string, changes: StateChange[]): void {
    const until = Date.now() + this.options.splitWaitMs * MENDED_PART;
    for (const [key, lost] of [...this.#lost])
      if (lost.servers === servers && until < lost.until) this.#keep(key, { ...lost, until }, changes);
    this.#wake();
  }

  restore(state: readonly StateChange[]): void {
    for (const [key, value] of state) {
      if (!key.startsWith(SPLIT_KEY) || value === undefined) continue;
      const stored = storedSchema.safeParse(JSON.parse(value));
      // Never later than the wait that is configured now.
      if (stored.success)
        this.#lost.set(key.slice(SPLIT_KEY.length), {
          ...stored.data,
          until: Math.min(stored.data.until, Date.now() + this.options.splitWaitMs),
        });
    }
    this.#wake();
  }

  snapshot(): StateChange[] {
    return [...this.#lost].map(([key, lost]) => [SPLIT_KEY + key, JSON.stringify(lost)]);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #keep(key: string, lost: Lost, changes: StateChange[]): void {
    this.#lost.set(key, lost);
    changes.push([SPLIT_KEY + key, JSON.stringify(lost)]);
  }

  #drop(key: string, changes: StateChange[]): void {
    this.#lost.delete(key);
    changes.push([SPLIT_KEY + key, undefined]);
  }

  #wake(again = 0): void {
    if (this.#closed || this.#ending) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lost.size === 0) return;
    const next = Math.min(...[...this.#lost.values()].map(({ until }) => until));
    this.#timer = setTimeout(() => void this.#end(), Math.max(again, next - Date.now(), 0));
  }

  /** Tells of everybody whose time is over. */
  async #end(): Promise<void> {
    this.#ending = true;
    let failed = false;
    const now = Date.now();
    for (const [key, lost] of [...this.#lost]) {
      if (lost.until > now || this.#closed) continue;
      try {
        for (const event of this.#eventsOf(lost)) await this.options.receive(event);
      } catch (error) {
        this.options.log.error({ err: error }, "it was not stored that somebody left; trying again");
        failed = true;
        break;
      }
      // Lost again, or back, meanwhile.
      if (this.#lost.get(key) !== lost) continue;
      const changes: StateChange[] = [];
      this.#drop(key, changes);
      this.options.store(changes);
    }
    this.#ending = false;
    this.#wake(failed ? AGAIN_MS : 0);
  }

  #eventsOf(lost: Lost): readonly NetworkEvent[] {
    const { network, isLinked, isupport, ranksNow } = this.options;
    if (!isLinked(lost.channel)) return [];
    const channel: ChannelId = channelIdOf(network, lost.channel);
    const user: RemoteUser = { id: RemoteUserId(lost.id), name: lost.name };
    const events: NetworkEvent[] = [];
    if (lost.ranks !== "") {
      const role = roleOf(ranksNow(user, lost.channel), ranksOf(isupport()));
      const id = RemoteMessageId(`${lost.line}:split-rank:${lost.id}`);
      events.push({ kind: "roles", id, channel, changes: [{ who: { remote: user }, role }] });
    }
    if (lost.back) return events;
    const id = RemoteMessageId(`${lost.line}:split:${lost.id}`);
    const reason = lost.reason === "" ? {} : { reason: lost.reason };
    events.push({ kind: "membership", id, channel, user, change: "leave", ...reason });
    return events;
  }
}
