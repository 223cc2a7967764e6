import { parseJson, type ConnectorStorage } from "@trestle/core";
import { z } from "zod";

const storedSchema = z.array(z.tuple([z.string(), z.string()]));

/** More conversations than go on in a room at once. */
const MOST = 200;
/** XEP-0201 wants ids that are unique, which none of this length is not. */
const LONGEST = 100;

/** The conversations of a room by their ids (XEP-0201), and the message with which each began. */
export class Threads {
  #roots = new Map<string, string>();

  constructor(
    private readonly storage: ConnectorStorage,
    private readonly key: string,
  ) {}

  async load(): Promise<void> {
    this.#roots = new Map(parseJson((await this.storage.get(this.key)) ?? "", storedSchema) ?? []);
  }

  async forget(): Promise<void> {
    this.#roots.clear();
    await this.storage.delete(this.key);
  }

  /** The message with which a conversation began. */
  rootOf(thread: string): string | undefined {
    return this.#roots.get(thread);
  }

  /** The conversation that began with a message; one of the same name where there was none. */
  withRoot(root: string): string {
    for (const [thread, first] of this.#roots) if (first === root) return thread;
    return root;
  }

  /** A conversation begins. Resolves when it is on disk. */
  async begin(thread: string, root: string): Promise<void> {
    if (thread.length > LONGEST || root.length > LONGEST || this.#roots.has(thread)) return;
    this.#roots.set(thread, root);
    const oldest = this.#roots.size > MOST ? this.#roots.keys().next().value : undefined;
    if (oldest !== undefined) this.#roots.delete(oldest);
    await this.storage.set(this.key, JSON.stringify([...this.#roots]));
  }
}
