/** Something took longer than it may. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The caller gave something up. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** One deadline and one outer signal for work of several steps; to be ended when the work is. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Why the work was stopped; `undefined` while it was not. */
  reason: Error | undefined;

  constructor(
    what: string,
    timeoutMs: number,
    private readonly outer?: AbortSignal,
  ) {
    const late = new DeadlineError(`${what} took longer than ${timeoutMs} ms`);
    this.#timer = setTimeout(() => this.#stop(late), timeoutMs);
    if (outer?.aborted === true) this.#cancel();
    else outer?.addEventListener("abort", this.#cancel, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.outer?.removeEventListener("abort", this.#cancel);
  }

  readonly #cancel = (): void => this.#stop(new CancelledError("given up"));

  #stop(reason: Error): void {
    this.reason = reason;
    this.end();
    this.#controller.abort(reason);
  }
}
