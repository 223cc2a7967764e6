import { ThreadLoad } from "./thread-load.js";

/** How long what has come waits for company at most, in milliseconds. */
const spacing = 8;

/**
 * When work begins on what has come: at once while there is time for it. Where the thread has none left, all that comes
 * within a few milliseconds begins together, which takes a third less for each, and what waits is taken sooner.
 */
export class Gathering {
  #begunAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly begin: () => void,
    private readonly load: { readonly isHigh: boolean } = new ThreadLoad(),
  ) {}

  /** Something has come. */
  came(): void {
    if (this.#timer) return;
    const wait = this.load.isHigh ? this.#begunAt + spacing - performance.now() : 0;
    if (wait > 0) this.#timer = setTimeout(() => this.#go(), Math.ceil(wait));
    else this.#go();
  }

  /** Begins nothing more by itself. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #go(): void {
    this.#timer = undefined;
    this.#begunAt = performance.now();
    this.begin();
  }
}
