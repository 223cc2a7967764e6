export interface KeepAliveOptions {
  /** How long the other side may be silent before it is asked whether it is there. */
  readonly silenceMs: number;
  /** How long it may then take to say anything. */
  readonly answerMs: number;
  /** Asks it. */
  readonly ping: () => void;
  /** It said nothing. */
  readonly dead: () => void;
  /** Whether silence is our own doing. */
  readonly isPaused: () => boolean;
}

/** Watches a connection for silence: a cut line without a word from TCP looks just like nothing to say. */
export class KeepAlive {
  #timer: NodeJS.Timeout | undefined;
  #asked = false;
  #heard = false;

  constructor(private readonly options: KeepAliveOptions) {}

  start(): void {
    this.#asked = false;
    this.#wait(this.options.silenceMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Something was heard. Cheap: it is called for every read. */
  alive(): void {
    this.#heard = true;
  }

  #wait(milliseconds: number): void {
    this.#heard = false;
    this.#timer = setTimeout(() => this.#expired(), milliseconds);
    this.#timer.unref();
  }

  #expired(): void {
    const { silenceMs, answerMs, ping, dead, isPaused } = this.options;
    if (this.#heard || isPaused()) {
      this.#asked = false;
      this.#wait(silenceMs);
      return;
    }
    if (this.#asked) {
      dead();
      return;
    }
    this.#asked = true;
    this.#wait(answerMs);
    ping();
  }
}
