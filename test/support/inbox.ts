import { within } from "./bounded.js";

const KEPT = 100_000;

/** What came to a person in a test, in order; one can wait for what has not come yet, for a bounded time. */
export class Inbox<Item extends object> {
  readonly #owner: string;
  readonly #show: (item: Item) => string;
  readonly #items: Item[] = [];
  readonly #consumed = new Set<Item>();
  readonly #waiting = new Set<() => void>();
  #closed: string | undefined;

  /** `owner` and `show` make the message of a wait that was in vain. */
  constructor(owner: string, show: (item: Item) => string) {
    this.#owner = owner;
    this.#show = show;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** Why nothing comes any more. */
  get closed(): string | undefined {
    return this.#closed;
  }

  push(item: Item): void {
    if (this.#items.length >= KEPT) throw new Error(`More than ${KEPT} things came to ${this.#owner} in one test.`);
    this.#items.push(item);
    this.#wake();
  }

  /** Nothing more will come: all waits end. The first reason stays. */
  close(reason: string): void {
    this.#closed ??= reason;
    this.#wake();
  }

  /** The first item, already there or to come, that `take` did not return before and for which `accepts` is true. */
  async take(what: string, milliseconds: number, accepts: (item: Item) => boolean): Promise<Item> {
    return this.wait(what, milliseconds, () => {
      const item = this.#items.find((candidate) => !this.#consumed.has(candidate) && accepts(candidate));
      if (item) this.#consumed.add(item);
      return item;
    });
  }

  /** Looks at once, and again whenever something came, until `look` returns something else than `undefined`. */
  async wait<Value>(what: string, milliseconds: number, look: () => Value | undefined): Promise<Value> {
    let wake = (): void => undefined;
    const come = new Promise<Value>((resolve, reject) => {
      wake = () => {
        const value = look();
        if (value !== undefined) resolve(value);
        else if (this.#closed !== undefined)
          reject(new Error(`${this.#owner} waited for ${what}, but ${this.#closed}.\n${this.#recent()}`));
      };
      this.#waiting.add(wake);
      wake();
    });
    try {
      return await within(milliseconds, `${what}, as ${this.#owner}`, come, () => this.#recent());
    } finally {
      this.#waiting.delete(wake);
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #recent(): string {
    const lines = this.#items.slice(-20).map((item) => `  ${this.#show(item).slice(0, 400)}`);
    return `The last that came:\n${lines.join("\n")}`;
  }
}
