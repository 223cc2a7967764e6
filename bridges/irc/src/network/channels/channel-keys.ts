import { randomInt } from "node:crypto";
import type { ConnectorStorage, Logger } from "@trestle/core";

export interface ChannelKeysOptions {
  readonly network: string;
  /** Encrypts what it keeps, where the operator has given it a key. */
  readonly storage: ConnectorStorage;
  readonly log: Logger;
}

/** The keys (`+k`) of the channels of one network, by folded name: typed with a link, or seen when they were set. */
export class ChannelKeys {
  readonly #keys = new Map<string, string>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ChannelKeysOptions) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.options;
    for (const stored of await storage.keys(this.#prefix)) {
      const key = await storage.get(stored);
      if (key !== undefined) this.#keys.set(stored.slice(this.#prefix.length), key);
    }
  }

  of(channel: string): string | undefined {
    return this.#keys.get(channel);
  }

  /** `undefined`: the channel needs none. Kept on disk in the background, in order. */
  set(channel: string, key: string | undefined): void {
    if (this.#keys.get(channel) === key) return;
    const { storage, log } = this.options;
    if (key === undefined) this.#keys.delete(channel);
    else this.#keys.set(channel, key);
    const name = this.#prefix + channel;
    this.#writing = this.#writing
      .then(() => (key === undefined ? storage.delete(name) : storage.set(name, key)))
      .catch((error: unknown) => log.warn({ err: error, channel }, "the key of a channel could not be stored"));
  }

  get #prefix(): string {
    return `key:${this.options.network}/`;
  }
}

/** Without what people confuse when they read it to one another. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

/** A key that nobody guesses, at most as long as the server takes. */
export function newKey(most: number): string {
  return Array.from({ length: Math.min(16, most) }, () => LETTERS.charAt(randomInt(LETTERS.length))).join("");
}

/** Whether `text` can be a channel's key: RFC 2812 §2.3.1, without what would end a parameter or a list. */
export function isKey(text: string): boolean {
  return text !== "" && Buffer.byteLength(text) <= 64 && !/[\0-\x20,\x7f]/.test(text) && !text.startsWith(":");
}
