import type { ConnectorStorage, Logger } from "@trestle/core";
import { compareTs, tsAt } from "../sending/messages.js";
import { ChannelMemory } from "./memory.js";
import { applyNote, noteOf } from "./notes.js";
import { Tail } from "./tail.js";

export interface LedgerOptions {
  readonly storage: ConnectorStorage;
  readonly log: Logger;
  /** How long after a change a channel's whole memory is written, in milliseconds; until then its tail holds what is new. */
  readonly writeAfterMs?: number;
}

const mostInMemory = 2_000;
/** With so many notes in its tail a channel's whole memory is written at once. */
const longestTail = 200;

/** What is remembered of every linked channel. */
export class Ledger {
  readonly #channels = new Map<string, Promise<ChannelMemory | undefined>>();
  readonly #dirty = new Set<string>();
  readonly #tails = new Map<string, Tail>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(readonly options: LedgerOptions) {}

  /** `undefined`: nothing was ever seen of it. */
  async find(channel: string): Promise<ChannelMemory | undefined> {
    let memory = this.#channels.get(channel);
    if (!memory) {
      memory = this.#read(channel);
      this.#channels.set(channel, memory);
      memory.catch(() => this.#channels.delete(channel));
      this.#evict();
    }
    return memory;
  }

  /** Begins to remember a channel: from now on, and on disk, or a crash would make the next start believe that nothing was missed. */
  async begin(channel: string, now: number): Promise<ChannelMemory> {
    const known = await this.find(channel);
    if (known) return known;
    const memory = ChannelMemory.since(tsAt(now));
    this.#channels.set(channel, Promise.resolve(memory));
    await this.options.storage.set(keyOf(channel), memory.write());
    return memory;
  }

  async forget(channel: string): Promise<void> {
    this.#channels.delete(channel);
    this.#dirty.delete(channel);
    const { storage } = this.options;
    await this.#tail(channel).fold(() => storage.delete(keyOf(channel)));
    this.#tails.delete(channel);
  }

  /**
   * Remembers an event that is about to be told; on disk when it resolves. After a crash what was told must be known: a
   * message that is not would not be missed when it is deleted.
   *
   * @param whole nothing before it was missed
   */
  async note(channel: string, event: unknown, whole: boolean): Promise<void> {
    const memory = await this.find(channel);
    if (!memory) return;
    const note = noteOf(event, whole);
    applyNote(memory, note);
    const tail = this.#tail(channel);
    tail.add(note);
    this.touched(channel);
    await (tail.length > longestTail ? this.#fold(channel, memory) : tail.save());
  }

  /**
   * Remembers what was missed, when it is in the journal.
   *
   * @param upTo up to here (Slack's `ts`) nothing was missed any more
   */
  async rememberMissed(channel: string, events: readonly unknown[], upTo: string): Promise<void> {
    const memory = await this.find(channel);
    if (!memory) return;
    for (const event of events) applyNote(memory, noteOf(event, false));
    if (compareTs(upTo, memory.watermark) > 0) memory.watermark = upTo;
    this.#dirty.add(channel);
    await this.write();
  }

  touched(channel: string): void {
    this.#dirty.add(channel);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.write();
    }, this.options.writeAfterMs ?? 1_000);
  }

  /** Writes what changed. Never rejects: what cannot be written now is written with the next change. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.write();
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    for (const channel of [...this.#dirty]) {
      this.#dirty.delete(channel);
      try {
        const memory = await this.#channels.get(channel);
        if (memory) await this.#fold(channel, memory);
        if (this.#tails.get(channel)?.length === 0) this.#tails.delete(channel);
      } catch (error) {
        this.#dirty.add(channel);
        this.options.log.error({ err: error, channel }, "What was seen of a channel could not be written");
        return;
      }
    }
  }

  async #read(channel: string): Promise<ChannelMemory | undefined> {
    const { storage } = this.options;
    const text = await storage.get(keyOf(channel));
    if (text === undefined) return undefined;
    try {
      const memory = ChannelMemory.read(text);
      const notes = await Tail.read(storage, tailKeyOf(channel));
      for (const note of notes) applyNote(memory, note);
      // The next tail takes the place of this one.
      if (notes.length > 0) await storage.set(keyOf(channel), memory.write());
      return memory;
    } catch (error) {
      this.options.log.error({ err: error, channel }, "What is stored of a channel cannot be read; it begins anew");
      return undefined;
    }
  }

  #fold(channel: string, memory: ChannelMemory): Promise<void> {
    const { storage } = this.options;
    return this.#tail(channel).fold(() => storage.set(keyOf(channel), memory.write()));
  }

  #tail(channel: string): Tail {
    let tail = this.#tails.get(channel);
    if (!tail) {
      tail = new Tail(this.options.storage, tailKeyOf(channel));
      this.#tails.set(channel, tail);
    }
    return tail;
  }

  #evict(): void {
    if (this.#channels.size <= mostInMemory) return;
    for (const channel of this.#channels.keys()) {
      if (this.#dirty.has(channel)) continue;
      this.#channels.delete(channel);
      return;
    }
  }
}

/** What the storage has of a channel of which all is known up to a message (Slack's `ts`), and nothing more. */
export function beginningOf(channel: string, ts: string): { readonly key: string; readonly value: string } {
  return { key: keyOf(channel), value: ChannelMemory.since(ts).write() };
}

function keyOf(channel: string): string {
  return `seen:${channel}`;
}

function tailKeyOf(channel: string): string {
  return `tail:${channel}`;
}
