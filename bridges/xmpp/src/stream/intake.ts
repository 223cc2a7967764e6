import type { Element } from "./element.js";

/** Takes a stanza. What it returns says when the stanza is dealt with (e.g. on disk), and rejects where it could not be. */
export type StanzaHandler = (stanza: Element) => Promise<void> | undefined;

export interface IntakeOptions {
  readonly handle: StanzaHandler;
  /** How many stanzas may be in hand before the socket is no longer read. */
  readonly most: number;
  readonly pause: () => void;
  readonly resume: () => void;
  /** A stanza could not be dealt with: whoever sent it must send it again. */
  readonly failed: (error: unknown) => void;
}

/**
 * Hands stanzas on in the order in which they came, without waiting for one before the next. While too many are in hand
 * the connection is not read, so that the server keeps what the disk cannot take yet.
 */
export class Intake {
  #inHand = 0;
  #paused = false;
  #idle: (() => void)[] = [];

  constructor(private readonly options: IntakeOptions) {}

  get paused(): boolean {
    return this.#paused;
  }

  take(stanza: Element): void {
    const { handle, most, pause, failed } = this.options;
    let dealtWith: Promise<void> | undefined;
    try {
      dealtWith = handle(stanza);
    } catch (error) {
      failed(error);
      return;
    }
    if (dealtWith === undefined) return;
    this.#inHand += 1;
    if (this.#inHand >= most && !this.#paused) {
      this.#paused = true;
      pause();
    }
    void dealtWith.catch(failed).finally(() => this.#done());
  }

  /** Resolves when nothing is in hand. */
  idle(): Promise<void> {
    return this.#inHand === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** A new connection reads from the start. */
  restarted(): void {
    if (this.#paused) this.options.pause();
  }

  #done(): void {
    this.#inHand -= 1;
    if (this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
    if (!this.#paused || this.#inHand > this.options.most / 2) return;
    this.#paused = false;
    this.options.resume();
  }
}
