import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ConnectorStorage, Logger } from "@trestle/core";
import { z } from "zod";

/** So far marks may lag behind on disk, so that a busy channel is not written with every line: what is asked for twice because of that is told once. */
const WRITE_EVERY_MS = 2_000;

const markSchema = z.object({ id: z.string().optional(), at: z.number().optional() });

/** The message of a channel that was heard last. */
export interface Mark {
  /** Its `msgid`, where the server gives any. */
  readonly id?: string | undefined;
  /** When it was said, in milliseconds since 1970, where the server tells. */
  readonly at?: number | undefined;
}

type Changed = readonly (readonly [channel: string, mark: Mark | undefined])[];

export interface HistoryMarksOptions {
  readonly network: string;
  readonly storage: ConnectorStorage;
  readonly log: Logger;
  /** Resolves to whether all that was told so far is on disk; to `false` where it will not be. */
  readonly told: () => Promise<boolean>;
}

/** Up to where each channel has been heard, by folded name; on disk, a moment later. */
export class HistoryMarks {
  readonly #marks = new Map<string, Mark>();
  readonly #unwritten = new Set<string>();
  /** How often each text was said in the latest moment of a channel. */
  readonly #moments = new Map<string, { readonly at: number; readonly counts: Map<string, number> }>();
  #timer: NodeJS.Timeout | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(private readonly options: HistoryMarksOptions) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.options;
    for (const key of await storage.keys(this.#prefix)) {
      const read = markSchema.safeParse(parsed(await storage.get(key)));
      if (read.success) this.#marks.set(key.slice(this.#prefix.length), read.data);
    }
  }

  of(channel: string): Mark | undefined {
    return this.#marks.get(channel);
  }

  set(channel: string, mark: Mark): void {
    if (mark.id === undefined && mark.at === undefined) return;
    this.#marks.set(channel, mark);
    this.#writeLater(channel);
  }

  forget(channel: string): void {
    this.#moments.delete(channel);
    if (this.#marks.delete(channel)) this.#writeLater(channel);
  }

  /**
   * What a message without `msgid` is called: when it was said, by whom, what it says, and the how manyth it is that is so
   * alike. It is called the same when it comes again out of the history.
   */
  nameOf(channel: string, at: number, said: string): string {
    const before = this.#moments.get(channel);
    const moment = before?.at === at ? before : { at, counts: new Map<string, number>() };
    const digest = hash("sha256", said, "base64url").slice(0, 22);
    const count = moment.counts.get(digest) ?? 0;
    moment.counts.set(digest, count + 1);
    this.#moments.set(channel, moment);
    // No server's id begins like this: nothing on IRC can point to it.
    return `:${at}:${digest}:${count}`;
  }

  /** What follows in a channel may have been said before. */
  again(channel: string): void {
    this.#moments.delete(channel);
  }

  /** What is heard from now on is not noted. Resolves when it is on disk up to where everything that was told is. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const all = this.#changed();
    const told = this.options.told();
    await this.#writing;
    if (await told) await this.#store(all).catch((error: unknown) => this.#failed(error));
  }

  #writeLater(channel: string): void {
    this.#unwritten.add(channel);
    if (this.#writing || this.#closed) return;
    const wait = this.#writtenAt + WRITE_EVERY_MS - performance.now();
    if (wait <= 0) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), wait);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writtenAt = performance.now();
    this.#writing = this.#storeTold(this.#changed())
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#writing = undefined;
        const [another] = this.#unwritten;
        if (another !== undefined) this.#writeLater(another);
      });
  }

  /** A mark that is on disk before what it marks would leave that out: nobody asks for it again. */
  async #storeTold(marks: Changed): Promise<void> {
    // What was heard this moment is told in the next.
    await nextTurn();
    if (await this.options.told()) await this.#store(marks);
  }

  async #store(marks: Changed): Promise<void> {
    const { storage } = this.options;
    for (const [channel, mark] of marks) {
      if (mark) await storage.set(this.#prefix + channel, JSON.stringify(mark));
      else await storage.delete(this.#prefix + channel);
      if (this.#marks.get(channel) === mark) this.#unwritten.delete(channel);
    }
  }

  #changed(): Changed {
    return [...this.#unwritten].map((channel) => [channel, this.#marks.get(channel)] as const);
  }

  #failed(error: unknown): void {
    this.options.log.warn({ err: error }, "it could not be stored up to where channels have been heard");
  }

  get #prefix(): string {
    return `heard:${this.options.network}/`;
  }
}

/** `undefined` where the text is no JSON. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
