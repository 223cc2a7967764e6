import { z } from "zod";
import { compareTs } from "../sending/messages.js";
import type { Edit } from "./edit.js";

const knownSchema = z.object({
  /** When it was last edited, as Slack's `ts`, in whole seconds. */
  e: z.string().optional(),
  /** What it says since then: the mark of its content. */
  h: z.string().optional(),
  /** The `event_ts` of the event that told so. */
  v: z.string().optional(),
  /** The thread it is in, where it is an answer. */
  t: z.string().optional(),
  /** Who reacted with what. */
  r: z.record(z.string(), z.array(z.string())).optional(),
});
type Known = z.output<typeof knownSchema>;

const stateSchema = z.object({
  watermark: z.string(),
  newest: z.string(),
  known: z.record(z.string(), knownSchema),
  threads: z.record(z.string(), z.string()),
  /** What was deleted lately, oldest first. */
  gone: z.array(z.string()).default([]),
  forgotten: z.string().default("0.0"),
  lookedAt: z.number().default(0),
  isWhole: z.boolean().default(true),
});

/** A channel's own memory in the connector's storage is at most so long (the core takes 64 KiB). */
const longestState = 60_000;
const mostKnown = 500;
const mostThreads = 50;
const mostGone = 200;

/** What is remembered of one channel, so that what changed while nobody listened can be told. */
export class ChannelMemory {
  /** Up to here nothing was missed. */
  watermark: string;
  /** The newest message that was seen, perhaps behind a gap. */
  newest: string;
  /** Whether nothing was missed before what comes now: false when Slack did not say in time what was. */
  isWhole: boolean;
  /** When what was missed was last looked for, in milliseconds since 1970. */
  lookedAt: number;
  readonly #known: Map<string, Known>;
  /** The newest answer of each thread, by its first message; the thread that was active last is last. */
  readonly #threads: Map<string, string>;
  readonly #gone: Set<string>;
  /** Up to here nothing is remembered of any message. */
  #forgotten: string;

  constructor(state: z.output<typeof stateSchema>) {
    this.watermark = state.watermark;
    this.newest = state.newest;
    this.lookedAt = state.lookedAt;
    this.isWhole = state.isWhole;
    this.#known = new Map(Object.entries(state.known));
    this.#threads = new Map(Object.entries(state.threads));
    this.#gone = new Set(state.gone);
    this.#forgotten = state.forgotten;
  }

  /** Nothing is known; what is older than `from` does not concern us. */
  static since(from: string): ChannelMemory {
    return new ChannelMemory({
      watermark: from,
      newest: from,
      known: {},
      threads: {},
      gone: [],
      forgotten: "0.0",
      lookedAt: 0,
      isWhole: true,
    });
  }

  /** @throws where the text is no memory */
  static read(text: string): ChannelMemory {
    return new ChannelMemory(stateSchema.parse(JSON.parse(text)));
  }

  write(): string {
    for (;;) {
      const text = JSON.stringify({
        watermark: this.watermark,
        newest: this.newest,
        lookedAt: this.lookedAt,
        isWhole: this.isWhole,
        known: Object.fromEntries(this.#known),
        threads: Object.fromEntries(this.#threads),
        gone: [...this.#gone],
        forgotten: this.#forgotten,
      });
      if (text.length <= longestState || this.#known.size === 0) return text;
      this.#forgetOldest(Math.ceil(this.#known.size / 4));
    }
  }

  has(ts: string): boolean {
    return this.#known.has(ts);
  }

  /** Everything known since a moment (Slack's `ts`): in the channel itself, or in one thread. */
  knownSince(from: string, thread?: string): readonly string[] {
    return [...this.#known].filter(([ts, { t }]) => t === thread && compareTs(ts, from) >= 0).map(([ts]) => ts);
  }

  /** Before this, messages may have been forgotten that were there. */
  get floor(): string {
    return [...this.#known.keys()].reduce((least, ts) => (compareTs(ts, least) < 0 ? ts : least), this.newest);
  }

  editOf(ts: string): Edit | undefined {
    const { e: at, h: mark, v: event } = this.#known.get(ts) ?? {};
    return at === undefined ? undefined : { at, mark, event };
  }

  /** Whether it was deleted lately. */
  isGone(ts: string): boolean {
    return this.#gone.has(ts);
  }

  reactionsOf(ts: string): ReadonlyMap<string, readonly string[]> {
    return new Map(Object.entries(this.#known.get(ts)?.r ?? {}));
  }

  /** Threads with answers, the one that was active last first. */
  get threads(): readonly (readonly [root: string, latest: string])[] {
    return [...this.#threads].reverse();
  }

  message(ts: string, thread: string | undefined, edited: Edit | undefined): void {
    this.#gone.delete(ts);
    // Of one that comes late its edits and reactions may have been forgotten: half of it must not pass for all of it.
    if (compareTs(ts, this.#forgotten) > 0)
      this.#known.set(ts, {
        ...this.#known.get(ts),
        ...(edited && fieldsOf(edited)),
        ...(thread !== undefined && { t: thread }),
      });
    if (compareTs(ts, this.newest) > 0) this.newest = ts;
    if (thread !== undefined) this.#answered(thread, ts);
    if (this.#known.size > mostKnown) this.#forgetOldest(1);
  }

  /** @param same the event that told of it told nothing new: what was missed before is missed still */
  edited(ts: string, edit: Edit, same = false): void {
    const before = this.#known.get(ts);
    if (!before || (before.e !== undefined && compareTs(before.e, edit.at) > 0)) return;
    if (!same || before.h === edit.mark) this.#known.set(ts, { ...before, ...fieldsOf(edit) });
  }

  deleted(ts: string): void {
    this.#known.delete(ts);
    this.#gone.add(ts);
    const [oldest] = this.#gone;
    if (this.#gone.size > mostGone && oldest !== undefined) this.#gone.delete(oldest);
  }

  reaction(ts: string, name: string, user: string, isThere: boolean): void {
    const known = this.#known.get(ts);
    if (!known) return;
    const others = (known.r?.[name] ?? []).filter((each) => each !== user);
    const users = isThere ? [...others, user] : others;
    const { [name]: _before, ...rest } = known.r ?? {};
    this.#known.set(ts, { ...known, r: users.length === 0 ? rest : { ...rest, [name]: users } });
  }

  #answered(root: string, ts: string): void {
    const before = this.#threads.get(root);
    this.#threads.delete(root);
    this.#threads.set(root, before !== undefined && compareTs(before, ts) > 0 ? before : ts);
    const [oldest] = this.#threads.keys();
    if (this.#threads.size > mostThreads && oldest !== undefined) this.#threads.delete(oldest);
  }

  #forgetOldest(count: number): void {
    const oldest = [...this.#known.keys()].sort(compareTs).slice(0, count);
    for (const ts of oldest) this.#known.delete(ts);
    this.#forgotten = oldest.at(-1) ?? this.#forgotten;
  }
}

function fieldsOf({ at, mark, event }: Edit): Pick<Known, "e" | "h" | "v"> {
  return { e: at, h: mark, v: event };
}
