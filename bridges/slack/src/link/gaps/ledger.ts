import type { ConnectorStorage, Logger } from "@trestle/core";
import { z } from "zod";
import { messageSchema, tsAt } from "../sending/messages.js";
import { ChannelMemory } from "./memory.js";

const changedSchema = z.looseObject({ subtype: z.literal("message_changed"), message: messageSchema });
const deletedSchema = z.looseObject({ subtype: z.literal("message_deleted"), deleted_ts: z.string() });
const reactionSchema = z.looseObject({
  type: z.enum(["reaction_added", "reaction_removed"]),
  user: z.string(),
  reaction: z.string(),
  item: z.looseObject({ ts: z.string() }),
});
/** They are about another message and no messages of their own. */
export const shadows: ReadonlySet<string> = new Set(["message_replied", "message_changed", "message_deleted"]);

export interface LedgerOptions {
  readonly storage: ConnectorStorage;
  readonly log: Logger;
  /** How long after a change a channel's memory is written, in milliseconds: what a crash forgets is looked for again. */
  readonly writeAfterMs?: number;
}

const mostInMemory = 2_000;

/** What is remembered of every linked channel. */
export class Ledger {
  readonly #channels = new Map<string, Promise<ChannelMemory | undefined>>();
  readonly #dirty = new Set<string>();
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
    await this.options.storage.delete(keyOf(channel));
  }

  /** Remembers an event that reached Matrix, or is on its way. `whole`: nothing before it was missed. */
  async note(channel: string, event: unknown, whole: boolean): Promise<void> {
    const memory = await this.find(channel);
    if (!memory) return;
    noteIn(memory, event);
    if (whole) memory.watermark = memory.newest;
    this.touched(channel);
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
        if (memory) await this.options.storage.set(keyOf(channel), memory.write());
      } catch (error) {
        this.#dirty.add(channel);
        this.options.log.error({ err: error, channel }, "What was seen of a channel could not be written");
        return;
      }
    }
  }

  async #read(channel: string): Promise<ChannelMemory | undefined> {
    const text = await this.options.storage.get(keyOf(channel));
    if (text === undefined) return undefined;
    try {
      return ChannelMemory.read(text);
    } catch (error) {
      this.options.log.error({ err: error, channel }, "What is stored of a channel cannot be read; it begins anew");
      return undefined;
    }
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

function noteIn(memory: ChannelMemory, event: unknown): void {
  const changed = changedSchema.safeParse(event);
  if (changed.success) {
    const { ts, edited } = changed.data.message;
    if (edited) memory.edited(ts, edited.ts);
    return;
  }
  const deleted = deletedSchema.safeParse(event);
  if (deleted.success) {
    memory.deleted(deleted.data.deleted_ts);
    return;
  }
  const reaction = reactionSchema.safeParse(event);
  if (reaction.success) {
    const { type, user, reaction: name, item } = reaction.data;
    memory.reaction(item.ts, name, user, type === "reaction_added");
    return;
  }
  const message = messageSchema.safeParse(event);
  if (!message.success || message.data.type !== "message" || shadows.has(message.data.subtype ?? "")) return;
  const { ts, thread_ts, edited } = message.data;
  memory.message(ts, thread_ts === ts ? undefined : thread_ts, edited?.ts);
}
