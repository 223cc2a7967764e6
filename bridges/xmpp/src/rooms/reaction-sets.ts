import { parseJson, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";

const setSchema = z.object({ keys: z.array(z.string()), seen: z.array(z.string()) });
const storedSchema = z.record(z.string(), setSchema);

/** What somebody reacted to a message with, and the ids of the stanzas that said so last. */
export type ReactionSet = z.output<typeof setSchema>;

/** Messages of which it is kept what people reacted with; who reacts to others is taken for one who has not before. */
const MOST_MESSAGES = 2_000;
/** Of what is kept of one message, in bytes: the storage takes 64 KiB. */
const MOST_BYTES = 60_000;
/** What is read once more from an archive after a crash is at most so much of one person about one message. */
const MOST_SEEN = 20;

/**
 * What each person reacted to each message with: a stanza holds the whole set and takes the place of the one before
 * (XEP-0444), so that what has changed is known only to who has kept it.
 */
export class ReactionSets {
  /** The keys on disk; who was written last stands last. */
  #keys: Set<string> | undefined;

  constructor(
    private readonly storage: ConnectorStorage,
    private readonly prefix: string,
  ) {}

  async of(message: string): Promise<ReadonlyMap<string, ReactionSet>> {
    const stored = await this.storage.get(this.prefix + message);
    return new Map(Object.entries(parseJson(stored ?? "", storedSchema) ?? {}));
  }

  /** Resolves when it is on disk. */
  async put(message: string, who: string, keys: readonly string[], seen?: string): Promise<void> {
    const people = new Map(await this.of(message));
    const before = people.get(who)?.seen ?? [];
    people.delete(who);
    const all = seen === undefined ? before : [...before, seen].slice(-MOST_SEEN);
    if (keys.length > 0 || all.length > 0) people.set(who, { keys: [...keys], seen: all });
    const kept = fitting([...people]);
    const key = this.prefix + message;
    const known = await this.#known();
    known.delete(key);
    if (kept === undefined) return this.storage.delete(key);
    await this.storage.set(key, kept);
    known.add(key);
    const oldest = known.size > MOST_MESSAGES ? known.values().next().value : undefined;
    if (oldest === undefined) return;
    known.delete(oldest);
    await this.storage.delete(oldest);
  }

  async forget(): Promise<void> {
    for (const key of await this.storage.keys(this.prefix)) await this.storage.delete(key);
    this.#keys = undefined;
  }

  async #known(): Promise<Set<string>> {
    this.#keys ??= new Set(await this.storage.keys(this.prefix));
    return this.#keys;
  }
}

/** Who reacted longest ago makes room; `undefined` where nobody is left. */
function fitting(people: readonly (readonly [string, ReactionSet])[]): string | undefined {
  for (let from = 0; from < people.length; from++) {
    const text = JSON.stringify(Object.fromEntries(people.slice(from)));
    if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  }
  return undefined;
}
