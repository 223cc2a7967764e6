import type { ConnectorStorage, Logger } from "@trestle/core";

/** So many are remembered; who chose first is forgotten first. */
const REMEMBERED = 10_000;

/** Under which key of the connector's storage somebody's chosen nick is kept. */
export function chosenNickKey(network: string, user: string): string {
  return prefixOf(network) + user;
}

function prefixOf(network: string): string {
  return `nick:${network}/`;
}

/** The nicks that Matrix users have chosen for their puppets, on disk. */
export class ChosenNicks {
  readonly #chosen = new Map<string, string>();

  constructor(
    private readonly options: { readonly network: string; readonly storage: ConnectorStorage; readonly log: Logger },
  ) {}

  /** Reads what is on disk. */
  async load(): Promise<void> {
    const { storage } = this.options;
    for (const key of await storage.keys(this.#prefix)) {
      const nick = await storage.get(key);
      if (nick !== undefined) this.#chosen.set(key.slice(this.#prefix.length), nick);
    }
  }

  of(user: string): string | undefined {
    return this.#chosen.get(user);
  }

  /** Resolves when it is on disk. `undefined`: they want none of their own any more. */
  async set(user: string, nick: string | undefined): Promise<void> {
    const { storage, log } = this.options;
    if (nick === undefined) {
      await storage.delete(this.#prefix + user);
      this.#chosen.delete(user);
      return;
    }
    await storage.set(this.#prefix + user, nick);
    this.#chosen.delete(user);
    this.#chosen.set(user, nick);
    const oldest = this.#chosen.size > REMEMBERED ? this.#chosen.keys().next().value : undefined;
    if (oldest === undefined) return;
    this.#chosen.delete(oldest);
    log.info({ user: oldest }, "the nick that somebody had chosen is forgotten: too many have chosen one");
    await storage.delete(this.#prefix + oldest);
  }

  get #prefix(): string {
    return prefixOf(this.options.network);
  }
}
