import type { ConnectorStorage, Logger, Role } from "@trestle/core";
import { roles } from "@trestle/core";

/** How many ranks of Matrix users are remembered. */
const REMEMBERED = 2_000;

export interface RankWishesOptions {
  readonly network: string;
  readonly storage: ConnectorStorage;
  readonly log: Logger;
}

/** Which rank Matrix users are to have in a channel by their power level, for when their client comes into it. */
export class RankWishes {
  readonly #wishes = new Map<string, Role>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: RankWishesOptions) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.options;
    for (const key of await storage.keys(this.#prefix)) {
      const stored = await storage.get(key);
      const role = roles.find((each) => each === stored);
      if (role) this.#wishes.set(key.slice(this.#prefix.length), role);
    }
  }

  of(channel: string, user: string): Role | undefined {
    return this.#wishes.get(keyOf(channel, user));
  }

  set(channel: string, user: string, role: Role): void {
    const key = keyOf(channel, user);
    if (role === "none") this.#forget(key);
    else this.#remember(key, role);
  }

  /** The channel is no longer linked. */
  forget(channel: string): void {
    for (const key of [...this.#wishes.keys()]) if (key.startsWith(keyOf(channel, ""))) this.#forget(key);
  }

  #remember(key: string, role: Role): void {
    this.#wishes.set(key, role);
    this.#write(key, role);
    const oldest = this.#wishes.size > REMEMBERED ? this.#wishes.keys().next().value : undefined;
    if (oldest !== undefined) this.#forget(oldest);
  }

  #forget(key: string): void {
    if (this.#wishes.delete(key)) this.#write(key, undefined);
  }

  #write(key: string, role: Role | undefined): void {
    const { storage, log } = this.options;
    const name = this.#prefix + key;
    this.#writing = this.#writing
      .then(() => (role === undefined ? storage.delete(name) : storage.set(name, role)))
      .catch((error: unknown) => log.warn({ err: error }, "the rank of a Matrix user could not be stored"));
  }

  get #prefix(): string {
    return `rank:${this.options.network}/`;
  }
}

/** No channel's name has a space in it. */
function keyOf(channel: string, user: string): string {
  return `${channel} ${user}`;
}
