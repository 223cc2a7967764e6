import type { ConnectorStorage, Interpreted, Logger } from "@trestle/core";
import { z } from "zod";
import { tsAt } from "../sending/messages.js";
import { ChannelMemory } from "./memory.js";
import { applyNote, noteSchema, type Note } from "./notes.js";

export interface LedgerOptions {
  readonly storage: ConnectorStorage;
  readonly log: Logger;
}

/** How what is remembered goes to the disk, in one commit with the events it is about. */
export type Remembering = Required<Pick<Interpreted, "remember" | "kept">>;

interface Page {
  readonly memory: ChannelMemory;
  /** What was noted since the whole memory was last written: small, so that it can be written with every event. */
  readonly tail: Note[];
  isForgotten: boolean;
}

const tailSchema = z.array(noteSchema);
const mostInMemory = 2_000;
/** With more notes in its tail a channel's whole memory is written. */
const longestTail = 60;

/** What is remembered of every linked channel. */
export class Ledger {
  readonly #pages = new Map<string, Promise<Page | undefined>>();

  constructor(readonly options: LedgerOptions) {}

  /** `undefined`: nothing was ever seen of it. */
  async find(channel: string): Promise<ChannelMemory | undefined> {
    return (await this.#page(channel))?.memory;
  }

  /** Begins to remember a channel: from now on, and on disk, or a crash would make the next start believe that nothing was missed. */
  async begin(channel: string, now: number): Promise<ChannelMemory> {
    const known = await this.find(channel);
    if (known) return known;
    const memory = ChannelMemory.since(tsAt(now));
    await this.options.storage.set(keyOf(channel), memory.write());
    this.#pages.set(channel, Promise.resolve({ memory, tail: [], isForgotten: false }));
    return memory;
  }

  async forget(channel: string): Promise<void> {
    const page = await this.#page(channel);
    if (page) page.isForgotten = true;
    this.#pages.delete(channel);
    const { storage } = this.options;
    // A tail without its memory is nothing; the other way round it would be added to the next one.
    await storage.delete(tailKeyOf(channel));
    await storage.delete(keyOf(channel));
  }

  /**
   * How events that are about to be told are remembered. After a crash what was told must be known, or it would not be
   * missed when it is deleted; and what was not must not be, or it would be told too late.
   *
   * @param change what else changes in the channel's memory, which is then written as a whole
   */
  async noting(
    channel: string,
    notes: readonly Note[],
    change?: (memory: ChannelMemory) => void,
  ): Promise<Remembering> {
    const page = await this.#page(channel);
    if (!page || (notes.length === 0 && change === undefined)) return nothing;
    const { memory, tail } = page;
    let folded = 0;
    return {
      remember: () => {
        if (page.isForgotten) return {};
        for (const note of notes) applyNote(memory, note);
        tail.push(...notes);
        change?.(memory);
        if (change === undefined && tail.length <= longestTail) return { [tailKeyOf(channel)]: JSON.stringify(tail) };
        folded = tail.length;
        return { [keyOf(channel)]: memory.write(), [tailKeyOf(channel)]: null };
      },
      kept: () => void tail.splice(0, folded),
    };
  }

  #page(channel: string): Promise<Page | undefined> {
    let page = this.#pages.get(channel);
    if (!page) {
      page = this.#read(channel);
      this.#pages.set(channel, page);
      page.catch(() => this.#pages.delete(channel));
      const [oldest] = this.#pages.keys();
      if (this.#pages.size > mostInMemory && oldest !== undefined) this.#pages.delete(oldest);
    }
    return page;
  }

  async #read(channel: string): Promise<Page | undefined> {
    const { storage, log } = this.options;
    const text = await storage.get(keyOf(channel));
    if (text === undefined) return undefined;
    const rest = await storage.get(tailKeyOf(channel));
    try {
      const memory = ChannelMemory.read(text);
      const tail = rest === undefined ? [] : tailSchema.parse(JSON.parse(rest));
      for (const note of tail) applyNote(memory, note);
      return { memory, tail, isForgotten: false };
    } catch (error) {
      log.error({ err: error, channel }, "What is stored of a channel cannot be read; it begins anew");
      return undefined;
    }
  }
}

/** There is nothing to remember. */
export const nothing: Remembering = { remember: () => ({}), kept: () => undefined };

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
