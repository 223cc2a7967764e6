import { parseJson, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import type { ArchivePlace } from "./archive.js";
import { isUnnamed } from "./unnamed-id.js";

/** `id` is `null` where the archive was empty, and absent where the room was about to be entered for the first time. */
const storedSchema = z.object({ id: z.string().nullable().optional(), at: z.number() });

/** How far the clocks of the room's server and of this machine may differ. */
export const CLOCK_SKEW_MS = 10 * 60_000;

/** Up to where a room's archive was taken: it moves only behind what is on disk, in the order of the archive. */
export class Place {
  /** `undefined` where the room was never read. */
  #id: string | null | undefined;
  #at = 0;
  /** When the room was about to be entered for the first time, by a process or over a connection that then ended. */
  #since: number | undefined;
  #saved: string | undefined;
  #cursor: Promise<string | null>;
  #tellCursor: ((cursor: string | null) => void) | undefined;
  #tail: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #loaded = false;
  #markedAt: number | undefined;
  #closed = false;

  constructor(
    private readonly storage: ConnectorStorage,
    private readonly key: string,
    hasCursor: boolean,
    private readonly saveMs: number,
  ) {
    this.#cursor = hasCursor ? new Promise((resolve) => (this.#tellCursor = resolve)) : Promise.resolve(null);
  }

  get isNew(): boolean {
    return this.#id === undefined && this.#since === undefined;
  }

  get after(): ArchivePlace {
    if (this.#id === undefined && this.#since !== undefined) return { start: this.#since };
    return this.#id === undefined || this.#id === null ? {} : { after: this.#id };
  }

  get byTime(): ArchivePlace {
    return { start: Math.max(0, this.#at - CLOCK_SKEW_MS) };
  }

  /** What the core has received last; only the first time counts, later it is known better here. */
  begin(cursor: string | null): void {
    this.#tellCursor?.(cursor);
  }

  /** Waits until it is known. */
  async load(): Promise<void> {
    // What was refused before is asked for again.
    this.#tail = Promise.resolve();
    if (this.#loaded) return;
    const cursor = await this.#cursor;
    const stored = parseJson((await this.storage.get(this.key)) ?? "", storedSchema);
    // Ids of messages that had none from the room are no places in its archive.
    this.#id = cursor !== null && !isUnnamed(cursor) ? cursor : stored?.id;
    this.#at = stored?.at ?? Date.now();
    if (stored && stored.id === undefined) this.#since = stored.at;
    this.#loaded = true;
  }

  /** The room is to be entered: where an attempt before had begun, and its connection ended, from when that was. */
  entering(): void {
    if (this.isNew) this.#since = this.#markedAt;
  }

  /** The room did not let the bridge in: what is said there until it does concerns nobody. */
  refused(): void {
    this.#markedAt = undefined;
  }

  /** The room is about to be entered: where this ends before it is known where to begin, it is known from when. */
  async mark(): Promise<void> {
    if (!this.isNew || this.#markedAt !== undefined) return;
    const at = Date.now();
    await this.storage.set(this.key, JSON.stringify({ at }));
    this.#markedAt = at;
  }

  /** The room is new: all behind this message, or all there will be, is to be taken. */
  async start(id: string | undefined): Promise<void> {
    this.#id = id ?? null;
    this.#at = Date.now();
    await this.#save();
  }

  /** Moves when `taken` is on disk, and all before it; resolves or rejects with it. */
  async advance(id: string, taken: Promise<void> | undefined): Promise<void> {
    const before = this.#tail;
    const done = (async () => {
      // What was asked first may fail: then the place stays before it.
      await Promise.all([before, taken]);
      this.#id = id;
      this.#at = Date.now();
      this.#saveLater();
    })();
    this.#tail = done;
    await done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#tail.catch(() => undefined);
    if (this.#id !== undefined) await this.#save();
  }

  /** The room is no longer linked: what is said in it from now on concerns nobody. */
  async forget(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#tail.catch(() => undefined);
    await this.storage.delete(this.key);
  }

  #saveLater(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // It is kept again with the next message, and the core's own cursor is always there.
      this.#save().catch(() => undefined);
    }, this.saveMs);
    this.#timer.unref();
  }

  async #save(): Promise<void> {
    const value = JSON.stringify({ id: this.#id ?? null, at: this.#at });
    if (value === this.#saved) return;
    await this.storage.set(this.key, value);
    this.#saved = value;
  }
}
