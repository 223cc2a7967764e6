import { randomUUID } from "node:crypto";
import { ChannelId, retry, type Failure } from "@trestle/core";
import { channelIdOf } from "../../ids.js";
import type { Installations } from "../installations/installations.js";
import type { Workspace } from "../installations/workspace.js";
import type { SlackWire } from "../intake/intake.js";
import { compareTs } from "../sending/messages.js";
import type { Missed } from "./compare.js";
import { nothing, type Ledger, type Remembering } from "./ledger.js";
import { notesOf } from "./notes.js";
import { search, type Found, type SearchOptions } from "./search.js";

export interface RepairOptions extends Omit<SearchOptions, "signal"> {
  readonly ledger: Ledger;
  readonly installations: Installations;
  /** Who reads a channel that the app is not in. */
  readonly reader?: (team: string, channel: string) => Workspace | undefined;
  /** Puts a raw event into the journal, before whatever has not been put there yet. */
  readonly commit: (id: string, lane: ChannelId, wire: SlackWire) => Promise<void>;
  /** How long what comes now waits for Slack to say what was missed before it, in milliseconds. */
  readonly holdMs?: number;
  /** How many channels are looked through at once. */
  readonly atOnce?: number;
  readonly now?: () => number;
  /** Told when a channel was looked through: how much was missed. */
  readonly observe?: (repair: { readonly channel: string; readonly missed: number }) => void;
}

/** One look at what a channel has. */
interface Look {
  state: "waiting" | "asking" | "asked";
  /** The outages that it makes up for: those before Slack was asked. */
  round: number;
  /** `undefined` where Slack does not say. */
  found: Found | undefined;
  /** So much of it is on disk. */
  told: number;
  /** When Slack had answered, in milliseconds since 1970. */
  at: number;
}

interface Watched {
  readonly team: string;
  readonly channel: string;
  /** Which outages have been made up for. */
  repaired: number;
  /** Up to which one there is a look in the channel's order. */
  placed: number;
  look: Look | undefined;
  /** What comes waits until then for Slack to answer. */
  heldUntil: number | undefined;
  /** Slack took too long: what it will have said has its place behind what came meanwhile. */
  isGivenUp: boolean;
}

/** What was missed, piece by piece: `told` is how a piece goes to the disk. */
export interface Piece {
  readonly workspace: Workspace;
  readonly missed: readonly Missed[];
  readonly told: (count: number) => Promise<Remembering & { readonly more: boolean }>;
}

const holdPauseMs = 250;
const largestPiece = 50;

/**
 * Makes up for what happened while nobody listened. After the start and after every outage a look is put into the order
 * of each channel that is watched: behind what was received before, in front of what comes now. When its turn comes Slack
 * is asked for what was written since the channel's watermark, there and in its active threads, and for what was edited,
 * deleted or reacted to lately; what differs from what is remembered is told in the look's place.
 */
export class Repairs {
  readonly #watched = new Map<string, Watched>();
  readonly #queue = new Set<string>();
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  readonly #now: () => number;
  readonly #process = randomUUID();
  #looks = 0;
  /** Counts outages; the start is one. */
  #outages = 1;
  /** Since the last of them. */
  #hasAsked = false;

  constructor(readonly options: RepairOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** Follows a channel from now on; one that was never followed has missed nothing. */
  async watch(team: string, channel: string): Promise<void> {
    const key = channelIdOf({ team, channel });
    if (this.#watched.has(key)) return;
    const known = await this.options.ledger.find(key);
    if (!known) await this.options.ledger.begin(key, this.#now());
    const upTo = known ? 0 : this.#outages;
    this.#watched.set(key, {
      team,
      channel,
      repaired: upTo,
      placed: upTo,
      look: undefined,
      heldUntil: undefined,
      isGivenUp: false,
    });
    this.want(key);
  }

  /** Whether a channel is followed. */
  follows(channel: ChannelId): boolean {
    return this.#watched.has(channel);
  }

  async unwatch(team: string, channel: string): Promise<void> {
    const key = channelIdOf({ team, channel });
    this.#watched.delete(key);
    await this.options.ledger.forget(key);
  }

  /** Slack could not reach the bridge for a while, or left something out: what comes now is behind what was missed. */
  outage(): void {
    this.#outages += 1;
    this.#hasAsked = false;
    this.wantAll();
  }

  /** Slack reaches the bridge from now on: where it was asked before, it has not said what came since. */
  reached(): void {
    if (this.#hasAsked) this.outage();
    else this.wantAll();
  }

  /** The app came into a channel by itself: what was said there since it is followed, nobody has heard. */
  entered(key: string): void {
    const watched = this.#watched.get(key);
    if (!watched) return;
    // Slack tells nothing to those who are outside.
    if (watched.look?.found === undefined) watched.look = undefined;
    watched.repaired = Math.min(watched.repaired, this.#outages - 1);
    watched.placed = watched.repaired;
    this.want(key);
  }

  /** Something may come of a channel: a look stands before it, where one is due. */
  want(key: string): void {
    const watched = this.#watched.get(key);
    if (!watched || watched.placed >= this.#outages || watched.isGivenUp || this.#closing.signal.aborted) return;
    const { team, channel, placed } = watched;
    watched.placed = this.#outages;
    watched.heldUntil = undefined;
    const id = `look:${key}:${this.#process}:${(this.#looks += 1)}`;
    this.options.commit(id, ChannelId(key), { from: "look", team, channel }).catch((error: unknown) => {
      watched.placed = Math.min(watched.placed, placed);
      this.options.log.error({ err: error, channel: key }, "A look for what was missed in a channel could not be kept");
    });
  }

  /** Slack can be asked (again). */
  wantAll(): void {
    for (const [key, watched] of this.#watched) {
      if (watched.look === undefined) watched.isGivenUp = false;
      this.want(key);
    }
    this.#work();
  }

  /** A look's turn has come; what is only to be remembered where there is nothing (more) to tell. */
  async look(key: string): Promise<Piece | Failure | Remembering> {
    const watched = this.#watched.get(key);
    if (!watched || watched.repaired >= this.#outages) return nothing;
    watched.look ??= { state: "waiting", round: 0, found: undefined, told: 0, at: 0 };
    const { look } = watched;
    if (look.state === "asked") return this.#piece(key, watched, look);
    this.#queue.add(key);
    this.#work();
    watched.heldUntil ??= this.#now() + (this.options.holdMs ?? 60_000);
    if (this.#now() < watched.heldUntil)
      return retry("what was missed in the channel comes first", { afterMs: holdPauseMs });
    return this.#giveUp(key, watched);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#working);
  }

  async #giveUp(key: string, watched: Watched): Promise<Remembering> {
    const noting = await this.options.ledger.noting(key, [], (memory) => (memory.isWhole = false));
    return {
      ...noting,
      kept: () => {
        noting.kept();
        watched.placed = Math.min(watched.placed, watched.repaired);
        watched.isGivenUp = true;
        if (watched.look?.state === "asked") this.#answered(key, watched);
      },
    };
  }

  /** Slack has said what was missed: where nobody waits for it any more, it gets another place. */
  #answered(key: string, watched: Watched): void {
    if (!watched.isGivenUp) return;
    watched.isGivenUp = false;
    this.want(key);
  }

  #piece(key: string, watched: Watched, look: Look): Piece | Remembering {
    const { found, round, at } = look;
    const workspace = this.#workspace(watched);
    if (!found || !workspace) {
      // Nobody can say what was missed: what comes now waits no longer.
      this.#ended(watched, round);
      return nothing;
    }
    const missed = found.missed.slice(look.told, look.told + largestPiece);
    return {
      workspace,
      missed,
      told: async (count) => {
        const upTo = look.told + count;
        const more = upTo < found.missed.length;
        const events = missed.slice(0, count).map(({ event }) => event);
        const noting = await this.options.ledger.noting(
          key,
          notesOf(events, false),
          more
            ? undefined
            : (memory) => {
                memory.lookedAt = at;
                memory.isWhole = true;
                if (compareTs(found.upTo, memory.watermark) > 0) memory.watermark = found.upTo;
              },
        );
        return {
          ...noting,
          kept: () => {
            noting.kept();
            look.told = upTo;
            if (!more) this.#whole(key, watched, found, round);
          },
          more,
        };
      },
    };
  }

  #whole(key: string, watched: Watched, { missed }: Found, round: number): void {
    this.#ended(watched, round);
    const { observe, log } = this.options;
    observe?.({ channel: key, missed: missed.length });
    if (missed.length > 0)
      log.info({ channel: key, events: missed.length }, "What was missed in a channel is made up for");
  }

  #ended(watched: Watched, round: number): void {
    watched.repaired = Math.max(watched.repaired, round);
    watched.look = undefined;
    watched.heldUntil = undefined;
  }

  #workspace({ team, channel }: Watched): Workspace | undefined {
    return this.options.reader?.(team, channel) ?? this.options.installations.get(team);
  }

  #work(): void {
    const { atOnce = 2, log } = this.options;
    for (const key of this.#queue) {
      if (this.#working.size >= atOnce || this.#closing.signal.aborted) return;
      const watched = this.#watched.get(key);
      const workspace = watched && this.#workspace(watched);
      const look = watched?.look;
      if (look?.state !== "waiting") this.#queue.delete(key);
      // A workspace that is not known yet is waited for.
      if (!workspace || look?.state !== "waiting") continue;
      this.#queue.delete(key);
      const work: Promise<void> = this.#ask(key, watched, look, workspace)
        .catch((error: unknown) => {
          log.error({ err: error, channel: key }, "What was missed in a channel could not be asked; asked again");
          watched.look = undefined;
          watched.isGivenUp = false;
        })
        .finally(() => {
          this.#working.delete(work);
          this.#work();
        });
      this.#working.add(work);
    }
  }

  async #ask(key: string, watched: Watched, look: Look, workspace: Workspace): Promise<void> {
    look.state = "asking";
    const memory = await this.options.ledger.find(key);
    look.round = this.#outages;
    this.#hasAsked = true;
    if (memory)
      look.found = await search(workspace, watched.channel, memory, this.#now(), {
        ...this.options,
        signal: this.#closing.signal,
      });
    if (this.#closing.signal.aborted) return;
    look.at = this.#now();
    look.state = "asked";
    this.#answered(key, watched);
  }
}
