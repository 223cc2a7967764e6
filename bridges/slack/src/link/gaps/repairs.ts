import { randomUUID } from "node:crypto";
import { ChannelId, retry, type Failure, type Logger } from "@trestle/core";
import { channelIdOf } from "../../ids.js";
import type { HistoryProfile } from "../api/methods.js";
import type { Installations } from "../installations/installations.js";
import type { Workspace } from "../installations/workspace.js";
import type { SlackWire } from "../intake/intake.js";
import { compareTs, tsAt } from "../sending/messages.js";
import { compare, type Missed } from "./compare.js";
import { fetchHistory } from "./fetch.js";
import type { Ledger } from "./ledger.js";
import type { ChannelMemory } from "./memory.js";

export interface RepairOptions {
  readonly ledger: Ledger;
  readonly installations: Installations;
  /** Who reads a channel that the app is not in. */
  readonly reader?: (team: string, channel: string) => Workspace | undefined;
  /** Puts a raw event into the journal. */
  readonly commit: (id: string, lane: ChannelId, wire: SlackWire) => Promise<void>;
  readonly log: Logger;
  readonly profile: HistoryProfile;
  /** How far back messages are fetched, in milliseconds. */
  readonly messagesMs: number;
  /** How far back edits, deletions and reactions are looked for, in milliseconds. */
  readonly changesMs: number;
  /** How long what comes now waits for what was missed before it, in milliseconds. */
  readonly holdMs?: number;
  /** How many channels are looked through at once. */
  readonly atOnce?: number;
  /** How many messages of one channel or thread are fetched at most. */
  readonly mostMessages?: number;
  readonly mostThreads?: number;
  readonly now?: () => number;
  /** Told when a channel was looked through: how much was missed. */
  readonly observe?: (repair: { readonly channel: string; readonly missed: number }) => void;
}

interface Watched {
  readonly team: string;
  readonly channel: string;
  /** Which outages have been made up for. */
  repaired: number;
  /** Up to which one what was missed is being looked for, or already in the journal. */
  underWay: number;
  /** What came since then was held at most until this moment. */
  heldUntil: number;
  /** When it was last looked through, in milliseconds since 1970. */
  lookedAt: number;
}

interface Found {
  readonly missed: readonly Missed[];
  /** Up to here (Slack's `ts`) they are all. */
  readonly upTo: string;
}

/** Where what was missed in a channel has its turn. */
const missedSuffix = "/missed";
const atOnceToDisk = 500;
const none = { repaired: 0, underWay: 0 };
/** Threads of which it is known that answers were missed are all read, up to this. */
const mostThreadsWithNews = 500;
const holdPauseMs = 250;

/**
 * Makes up for what happened while nobody listened. A channel that is watched is looked through after the start and after
 * every outage: what was written since its watermark, in the channel and in its active threads, and what was edited,
 * deleted or reacted to lately. What differs from what is remembered goes into the journal as the events that Slack
 * would have sent, and what comes meanwhile waits until they have had their turn.
 */
export class Repairs {
  readonly #watched = new Map<string, Watched>();
  readonly #wanted = new Set<string>();
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<void>>();
  readonly #now: () => number;
  readonly #process = randomUUID();
  /** Counts outages; the start is one. */
  #outages = 1;

  constructor(readonly options: RepairOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** Follows a channel from now on; one that was never followed has missed nothing. */
  async watch(team: string, channel: string): Promise<void> {
    const key = channelIdOf({ team, channel });
    if (this.#watched.has(key)) return;
    const heldUntil = this.#now() + this.#holdMs;
    const known = await this.options.ledger.find(key);
    if (!known) await this.options.ledger.begin(key, this.#now());
    this.#watched.set(key, {
      team,
      channel,
      ...(known ? none : { repaired: this.#outages, underWay: this.#outages }),
      heldUntil,
      lookedAt: 0,
    });
  }

  async unwatch(team: string, channel: string): Promise<void> {
    const key = channelIdOf({ team, channel });
    this.#watched.delete(key);
    await this.options.ledger.forget(key);
  }

  /** Slack could not reach the bridge for a while, or left something out. */
  outage(): void {
    this.#outages += 1;
    const heldUntil = this.#now() + this.#holdMs;
    for (const watched of this.#watched.values()) watched.heldUntil = heldUntil;
  }

  /** Slack can be asked: looks through a channel that may have missed something, soon. */
  want(key: string): void {
    const watched = this.#watched.get(key);
    if (!watched || watched.underWay >= this.#outages || this.#closing.signal.aborted) return;
    this.#wanted.add(key);
    this.#work();
  }

  /** The same for every channel. */
  wantAll(): void {
    for (const key of this.#watched.keys()) this.want(key);
  }

  /** Whether everything that was missed in a channel has been made up for. */
  isWhole(key: string): boolean {
    const watched = this.#watched.get(key);
    return watched === undefined || watched.repaired >= this.#outages;
  }

  /** Whether what was received at a moment was there already when what was missed was looked for. */
  hasSeen(key: string, receivedAt: number): boolean {
    return receivedAt <= (this.#watched.get(key)?.lookedAt ?? 0);
  }

  /** What comes now must wait; asked before an event of a channel is interpreted. */
  hold(key: string): Failure | undefined {
    const watched = this.#watched.get(key);
    if (!watched || watched.repaired >= this.#outages || this.#now() >= watched.heldUntil) return undefined;
    this.want(key);
    return retry("what was missed in the channel comes first", { afterMs: holdPauseMs });
  }

  /** What was missed up to an outage has had its turn; one of another process says nothing of this one's. */
  async repaired(key: string, name: string): Promise<void> {
    const watched = this.#watched.get(key);
    const [process, number] = name.split(":");
    if (!watched || process !== this.#process) return;
    const round = Number(number);
    watched.repaired = Math.max(watched.repaired, Math.min(round, this.#outages));
    if (watched.repaired < this.#outages) return;
    const memory = await this.options.ledger.find(key);
    if (!memory) return;
    memory.watermark = memory.newest;
    this.options.ledger.touched(key);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#working);
  }

  get #holdMs(): number {
    return this.options.holdMs ?? 60_000;
  }

  #work(): void {
    const { atOnce = 2, log } = this.options;
    while (this.#working.size < atOnce && !this.#closing.signal.aborted) {
      const [key] = this.#wanted;
      if (key === undefined) return;
      this.#wanted.delete(key);
      const work: Promise<void> = this.#repair(key)
        .catch((error: unknown) => {
          log.error({ err: error, channel: key }, "What was missed in a channel could not be made up for; tried again");
          const watched = this.#watched.get(key);
          if (watched) watched.underWay = watched.repaired;
        })
        .finally(() => {
          this.#working.delete(work);
          this.#work();
        });
      this.#working.add(work);
    }
  }

  async #repair(key: string): Promise<void> {
    const watched = this.#watched.get(key);
    const memory = await this.options.ledger.find(key);
    const workspace =
      watched && (this.options.reader?.(watched.team, watched.channel) ?? this.options.installations.get(watched.team));
    const round = this.#outages;
    if (!watched || !memory || !workspace || watched.underWay >= round) return;
    watched.underWay = round;
    const found = await this.#missed(workspace, watched.channel, memory);
    if (this.#closing.signal.aborted) return;
    watched.lookedAt = this.#now();
    if (found === undefined) {
      // Nobody can say what was missed: what comes now waits no longer.
      watched.repaired = Math.max(watched.repaired, round);
      return;
    }
    const { missed, upTo } = found;
    const lane = ChannelId(`${key}${missedSuffix}`);
    const { team, channel } = watched;
    for (let start = 0; start < missed.length; start += atOnceToDisk) {
      const some = missed.slice(start, start + atOnceToDisk).map((each) => {
        const id = `missed:${key}:${each.id}`;
        return this.options.commit(id, lane, { from: "event", team, body: envelopeOf(workspace, id, each) });
      });
      await Promise.all(some);
    }
    // What is in the journal is known: a crash must not have it found again, when it has been edited or deleted since.
    const events = missed.map(({ event }) => event);
    await this.options.ledger.rememberMissed(key, events, upTo);
    const name = `${this.#process}:${round}`;
    await this.options.commit(`repaired:${key}:${name}`, lane, { from: "repaired", team, channel, round: name });
    this.options.observe?.({ channel: key, missed: missed.length });
    if (missed.length > 0)
      this.options.log.info({ channel: key, events: missed.length }, "What was missed in a channel is made up for");
  }

  /** `undefined` where Slack does not say. */
  async #missed(workspace: Workspace, channel: string, memory: ChannelMemory): Promise<Found | undefined> {
    const now = this.#now();
    const at = tsAt(now);
    const changesFrom = later(tsAt(now - this.options.changesMs), "0.0");
    const newFrom = later(memory.watermark, tsAt(now - this.options.messagesMs));
    const from = earlier(changesFrom, newFrom);
    const history = await this.#fetch(workspace, channel, from);
    if (!history) return undefined;
    const missed = [...compare(memory, { channel, ...history, changesFrom, at })];
    let upTo = history.messages.at(-1)?.ts ?? from;
    for (const root of threadsToRead(memory, history.messages, newFrom, this.options.mostThreads ?? 20)) {
      const thread = await this.#fetch(workspace, channel, from, root);
      if (thread) missed.push(...compare(memory, { channel, thread: root, ...thread, changesFrom, at }));
      else upTo = memory.watermark;
    }
    // Deletions and reactions do not say when they happened: they come last, when what they are about is there.
    return { missed: missed.sort((a, b) => compareTs(a.when, b.when)), upTo };
  }

  async #fetch(workspace: Workspace, channel: string, from: string, thread?: string) {
    const { profile, log, mostMessages = 10_000 } = this.options;
    const history = await fetchHistory({
      workspace,
      channel,
      from,
      profile,
      mostMessages,
      signal: this.#closing.signal,
      ...(thread !== undefined && { thread }),
    });
    if (history.ok) return history;
    if (!this.#closing.signal.aborted)
      log.warn({ channel, thread, reason: history.reason }, "Slack does not say what was missed in a channel");
    return undefined;
  }
}

/** Threads that had answers since then, and of those that had some lately the liveliest. */
function threadsToRead(
  memory: ChannelMemory,
  messages: readonly { readonly ts: string; readonly latest_reply?: string | undefined }[],
  since: string,
  most: number,
): readonly string[] {
  const withNews = messages
    .filter(({ latest_reply }) => latest_reply !== undefined && compareTs(latest_reply, since) > 0)
    .map(({ ts }) => ts)
    .slice(-mostThreadsWithNews);
  const lively = [...memory.threads].sort(([, a], [, b]) => compareTs(b, a)).slice(0, most);
  return [...new Set([...withNews, ...lively.map(([root]) => root)])];
}

function envelopeOf({ id: team, installation }: Workspace, id: string, { event }: Missed) {
  return {
    type: "event_callback" as const,
    event_id: id,
    api_app_id: installation.appId ?? "",
    team_id: team,
    event: { ...event },
  };
}

function later(a: string, b: string): string {
  return compareTs(a, b) > 0 ? a : b;
}

function earlier(a: string, b: string): string {
  return compareTs(a, b) < 0 ? a : b;
}

/** The channel to which a lane of raw events belongs: its own, or that of what was missed. */
export function channelOfLane(lane: string): string {
  return lane.endsWith(missedSuffix) ? lane.slice(0, -missedSuffix.length) : lane;
}
