import type { Archive, ArchivePage } from "../rooms/archive.js";
import type { Place } from "../rooms/place.js";
import { messageOf } from "../stream/errors.js";
import type { Element } from "../stream/index.js";

export interface CatchUpOptions {
  readonly archive: Archive;
  /** Up to where the archive was taken. */
  readonly place: Place;
  /** Who asks. */
  readonly address: () => string;
  /** The last message of the archive when the user signed in, `null` where there was none; absent where nobody knows. */
  readonly lastBefore?: string | null;
  /** Takes a message; `at` is when it was said (milliseconds since 1970) where it comes from the archive. */
  readonly take: (stanza: Element, at?: number) => Promise<void> | undefined;
  /** It could not be read now: ask again, on another connection. */
  readonly failed: (reason: string) => void;
}

interface Held {
  readonly stanza: Element;
  readonly settle: (taken: Promise<void> | undefined) => void;
}

/** Messages that wait until the archive was read; what comes beyond is read from the archive once more. */
const MOST_HELD = 1_000;

/**
 * Takes what an account's archive (XEP-0313) has and the bridge has not, whenever the connection is there again; what comes
 * meanwhile waits until then, so that nothing is overtaken.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  #held: Held[] | undefined;
  #overflowed = false;
  /** Ends the reading that was begun before. */
  #round = 0;
  #hasArchive = true;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** Whether the server keeps an archive, as far as that is known. */
  get hasArchive(): boolean {
    return this.#hasArchive;
  }

  /** Everything before what comes now was taken. */
  get isUpToDate(): boolean {
    return this.#held === undefined && this.#hasArchive;
  }

  /** The connection is there. */
  begin(): void {
    const round = ++this.#round;
    this.#held ??= [];
    this.#read(round).then(
      () => this.#release(round),
      (error: unknown) => {
        if (round === this.#round) this.#options.failed(messageOf(error));
      },
    );
  }

  /** The connection is gone: what was held comes again, or stands in the archive. */
  lost(): void {
    this.#round++;
    this.#held = undefined;
  }

  /** Takes a message that came now, in its turn. */
  hear(stanza: Element): Promise<void> | undefined {
    const held = this.#held;
    if (!held) return this.#options.take(stanza);
    if (held.length >= MOST_HELD && this.#hasArchive) {
      this.#overflowed = true;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const settle = (taken: Promise<void> | undefined): void => {
        if (taken) taken.then(resolve, reject);
        else resolve();
      };
      held.push({ stanza, settle });
    });
  }

  async #read(round: number): Promise<void> {
    const { place } = this.#options;
    await place.load();
    for (let again = true; again && this.#isCurrent(round); again = this.#isBehind()) {
      this.#overflowed = false;
      if (place.isNew && !(await this.#start())) continue;
      await this.#pages(round);
    }
  }

  /** Of what was said before the user signed in nothing is taken. Whether there may be something since. */
  async #start(): Promise<boolean> {
    const { place, lastBefore } = this.#options;
    if (lastBefore !== undefined) {
      await place.start(lastBefore ?? undefined);
      return true;
    }
    const page = await this.#page({ before: "", most: 1 });
    if (page !== undefined) await place.start(page === "gone" ? undefined : page.items.at(-1)?.id);
    return false;
  }

  async #pages(round: number): Promise<void> {
    const { place, take } = this.#options;
    let from = place.after;
    while (this.#isCurrent(round)) {
      const page = await this.#page(from);
      if (page === undefined) return;
      if (page === "gone") {
        // The archive was emptied, or keeps less: what is taken again is known.
        from = place.byTime;
        continue;
      }
      for (const { id, at, message } of page.items) {
        if (!this.#isCurrent(round)) return;
        await place.advance(id, take(message, at ?? Date.now()));
      }
      const last = page.items.at(-1);
      if (page.complete || !last) return;
      from = { after: last.id };
    }
  }

  /** `undefined` where there is no archive. Rejects where it cannot be read now. */
  async #page(place: Parameters<Archive["page"]>[1]): Promise<ArchivePage | "gone" | undefined> {
    const page = await this.#options.archive.page(this.#options.address(), place);
    if (page === "gone" || !("failed" in page)) {
      this.#hasArchive = true;
      return page;
    }
    if (page.failed !== "permanent") throw new Error(page.reason);
    this.#hasArchive = false;
    return undefined;
  }

  /** Something came meanwhile for which there was no room. */
  #isBehind(): boolean {
    return this.#overflowed;
  }

  #isCurrent(round: number): boolean {
    return round === this.#round;
  }

  #release(round: number): void {
    if (!this.#isCurrent(round)) return;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { stanza, settle } of held) settle(this.#options.take(stanza));
  }
}
