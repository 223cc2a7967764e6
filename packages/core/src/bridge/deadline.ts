import type { Clock } from "../delivery/clock.js";

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** A call that is under way. */
export class Running {
  #controller: AbortController | undefined;
  #expired: TookTooLong | undefined;

  constructor(
    readonly until: number,
    readonly giveUp: (error: TookTooLong) => void,
  ) {}

  /** Aborted when the call took too long. Made when somebody asks for it: most never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#expired) this.#controller.abort(this.#expired);
    return this.#controller.signal;
  }

  expire(error: TookTooLong): void {
    this.#expired = error;
    this.#controller?.abort(error);
    this.giveUp(error);
  }
}

/** Calls with one and the same time limit, watched by one timer. */
export class Deadlines {
  /** In the order of their deadlines, because all have the same limit. */
  readonly #running = new Set<Running>();
  #cancel: (() => void) | undefined;
  #ended = false;

  constructor(
    readonly clock: Clock,
    readonly limitMs: number,
  ) {}

  /**
   * Runs work with the limit. When it is over the signal is aborted and the promise rejects with `TookTooLong`; what the
   * work does afterwards is not waited for, and its failure is not lost but reported to `late`.
   */
  run<T>(work: (running: Running) => Promise<T>, late: (error: unknown) => void): Promise<T> {
    if (this.#ended) return Promise.reject(stopping());
    return new Promise<T>((resolve, reject) => {
      const running = new Running(this.clock.now() + this.limitMs, reject);
      this.#running.add(running);
      this.#watch();
      work(running).then(
        (value) => {
          this.#running.delete(running);
          resolve(value);
        },
        (error: unknown) => {
          if (this.#running.delete(running)) reject(error instanceof Error ? error : new Error(String(error)));
          else late(error);
        },
      );
    });
  }

  /** A stop has no more time: ends every call that is under way as if it had taken too long, and lets none begin. */
  end(): void {
    this.#ended = true;
    for (const running of [...this.#running]) {
      this.#running.delete(running);
      running.expire(stopping());
    }
    this.close();
  }

  /** Watches no more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#running.clear();
  }

  #watch(): void {
    if (this.#cancel) return;
    for (const { until } of this.#running) {
      this.#cancel = this.clock.after(until - this.clock.now(), () => {
        this.#cancel = undefined;
        this.#expire();
        this.#watch();
      });
      return;
    }
  }

  #expire(): void {
    for (const running of this.#running) {
      if (running.until > this.clock.now()) return;
      this.#running.delete(running);
      running.expire(new TookTooLong(`no answer within ${this.limitMs} ms`));
    }
  }
}

function stopping(): TookTooLong {
  return new TookTooLong("no answer before Trestle had to stop");
}
