import type { Logger } from "@trestle/core";
import type { HistoryProfile } from "../api/methods.js";
import type { Workspace } from "../installations/workspace.js";
import { compareTs, tsAt } from "../sending/messages.js";
import { compare, type Missed } from "./compare.js";
import { fetchHistory } from "./fetch.js";
import type { ChannelMemory } from "./memory.js";

export interface SearchOptions {
  readonly log: Logger;
  readonly profile: HistoryProfile;
  /** How far back messages are fetched, in milliseconds. */
  readonly messagesMs: number;
  /** How far back edits, deletions and reactions are looked for, in milliseconds. */
  readonly changesMs: number;
  /** How many messages of one channel or thread are fetched at most. */
  readonly mostMessages?: number;
  /** In how many threads without news changes are looked for. */
  readonly mostThreads: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

export interface Found {
  /** In the order in which it happened. */
  readonly missed: readonly Missed[];
  /** Up to here (Slack's `ts`) they are all. */
  readonly upTo: string;
}

/** Threads of which it is known that answers were missed are all read, up to this. */
const mostThreadsWithNews = 500;

/** What a channel has that is not remembered; `undefined` where Slack does not say. Waits for as long as Slack is away. */
export async function search(
  workspace: Workspace,
  channel: string,
  memory: ChannelMemory,
  now: number,
  options: SearchOptions,
): Promise<Found | undefined> {
  const at = tsAt(now);
  const { watermark } = memory;
  const changesFrom = later(tsAt(now - options.changesMs), "0.0");
  const newFrom = later(watermark, tsAt(now - options.messagesMs));
  const from = earlier(changesFrom, newFrom);
  const history = await fetch(workspace, channel, from, options);
  if (!history) return undefined;
  const missed = [...compare(memory, { channel, ...history, changesFrom, at })];
  let upTo = history.messages.at(-1)?.ts ?? from;
  const livelyFrom = tsAt(now - Math.max(options.messagesMs, options.changesMs));
  const { mostThreads } = options;
  for (const root of threadsToRead(memory, history.messages, { newFrom, from, livelyFrom, mostThreads })) {
    const thread = await fetch(workspace, channel, from, options, root);
    if (thread) missed.push(...compare(memory, { channel, thread: root, ...thread, changesFrom, at }));
    else upTo = watermark;
  }
  // Deletions and reactions do not say when they happened: they come last, when what they are about is there.
  return { missed: missed.sort((a, b) => compareTs(a.when, b.when)), upTo };
}

async function fetch(
  workspace: Workspace,
  channel: string,
  from: string,
  { profile, log, signal, mostMessages = 10_000 }: SearchOptions,
  thread?: string,
) {
  const history = await fetchHistory({
    workspace,
    channel,
    from,
    profile,
    mostMessages,
    signal,
    ...(thread !== undefined && { thread }),
  });
  if (history.ok) {
    if (history.completeFrom !== from)
      log.error(
        { channel, thread, messages: history.messages.length },
        "More was missed in a channel than is fetched: the oldest of it is left out",
      );
    return history;
  }
  if (!signal.aborted)
    log.warn({ channel, thread, reason: history.reason }, "Slack does not say what was missed in a channel");
  return undefined;
}

interface ThreadsAsked {
  /** Answers since then are news. */
  readonly newFrom: string;
  /** Threads that began before are not in the history: only they themselves tell whether they have news. */
  readonly from: string;
  /** Threads without an answer since then are left alone. */
  readonly livelyFrom: string;
  readonly mostThreads: number;
}

/** Threads that have news, or may have, and of the others those that were active last. */
function threadsToRead(
  memory: ChannelMemory,
  messages: readonly { readonly ts: string; readonly latest_reply?: string | undefined }[],
  { newFrom, from, livelyFrom, mostThreads }: ThreadsAsked,
): readonly string[] {
  const withNews = messages
    .filter(({ latest_reply }) => latest_reply !== undefined && compareTs(latest_reply, newFrom) > 0)
    .map(({ ts }) => ts)
    .slice(-mostThreadsWithNews);
  const lively = [...memory.threads]
    .filter(([, latest]) => compareTs(latest, livelyFrom) >= 0)
    .sort(([, a], [, b]) => compareTs(b, a))
    .map(([root]) => root);
  const old = lively.filter((root) => compareTs(root, from) < 0);
  return [...new Set([...withNews, ...old, ...lively.slice(0, mostThreads)])];
}

function later(a: string, b: string): string {
  return compareTs(a, b) > 0 ? a : b;
}

function earlier(a: string, b: string): string {
  return compareTs(a, b) < 0 ? a : b;
}
