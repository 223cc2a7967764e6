import type { ConnectorStorage } from "@trestle/core";
import { z } from "zod";
import { noteSchema, type Note } from "./notes.js";

const notesSchema = z.array(noteSchema);

/**
 * What was noted of a channel since its whole memory was last written: small, so that it can be on disk before an event
 * counts as told. One write at a time; what is noted meanwhile goes with the next.
 */
export class Tail {
  readonly #notes: Note[] = [];
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    readonly storage: ConnectorStorage,
    readonly key: string,
  ) {}

  /** @throws ZodError or SyntaxError where it is no tail */
  static async read(storage: ConnectorStorage, key: string): Promise<readonly Note[]> {
    const text = await storage.get(key);
    return text === undefined ? [] : notesSchema.parse(JSON.parse(text));
  }

  get length(): number {
    return this.#notes.length;
  }

  add(note: Note): void {
    this.#notes.push(note);
  }

  /** Resolves when everything that was added is on disk. */
  save(): Promise<void> {
    this.#next ??= this.#inTurn(() => {
      this.#next = undefined;
      return this.storage.set(this.key, JSON.stringify(this.#notes));
    });
    return this.#next;
  }

  /** Has the whole memory written by `write`, and begins anew with what is noted meanwhile. */
  fold(write: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const { length } = this.#notes;
      await write();
      this.#notes.splice(0, length);
      if (this.#notes.length === 0) await this.storage.delete(this.key);
      else await this.storage.set(this.key, JSON.stringify(this.#notes));
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
