import type { Dispatcher } from "undici";
import type { RawAnswer } from "./answer.js";
import { CancelledError, DeadlineError } from "./watch.js";

/** How one exchange over the wire ended. */
export type ExchangeEnd =
  | { readonly answer: RawAnswer }
  | {
      readonly error: Error;
      /** The request was given to a socket, so the other side may have seen it. */
      readonly sent: boolean;
      /** The socket broke before a byte of the answer came: it may have been a kept one that the other side had closed. */
      readonly deadSocket: boolean;
    };

const deadSocketCodes: ReadonlySet<unknown> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

export interface ExchangeLimits {
  /** For the whole exchange, the wait for a free connection included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends one request and collects its answer; `settle` is called once. Throws nothing. */
export function exchange(
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  settle: (end: ExchangeEnd) => void,
): void {
  if (limits.signal?.aborted === true) {
    settle({
      error: new CancelledError("the request was given up before it was sent"),
      sent: false,
      deadSocket: false,
    });
    return;
  }
  pool.dispatch(request, new Collector(limits, settle));
}

/**
 * Collects an answer in memory. This is `dispatch` and not `Pool.request`, because it costs a quarter less for small
 * answers, and because only here one learns whether a failed request had been given to a socket.
 */
class Collector implements Dispatcher.DispatchHandler {
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;
  #status = 0;
  #headers: RawAnswer["headers"] = {};
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;

  constructor(
    private readonly limits: ExchangeLimits,
    private readonly settle: (end: ExchangeEnd) => void,
  ) {
    this.#timer = setTimeout(this.#expire, limits.timeoutMs);
    limits.signal?.addEventListener("abort", this.#cancel, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled)
      controller.abort(new CancelledError("the request was given up while it waited for a connection"));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: RawAnswer["headers"]): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.limits.maxBytes) {
      const unread = `the answer is larger than ${this.limits.maxBytes} bytes`;
      this.#end({ answer: { status: this.#status, headers: this.#headers, body: Buffer.alloc(0), unread } });
      this.#controller?.abort(new Error(unread));
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const first = this.#chunks[0];
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#end({ answer: { status: this.#status, headers: this.#headers, body } });
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    const code = "code" in error ? error.code : undefined;
    const sent = this.#controller !== undefined;
    this.#end({ error, sent, deadSocket: sent && this.#status === 0 && deadSocketCodes.has(code) });
  }

  readonly #expire = (): void => {
    this.#fail(new DeadlineError(`no complete answer within ${this.limits.timeoutMs} ms`));
  };

  readonly #cancel = (): void => {
    this.#fail(new CancelledError("the request was given up"));
  };

  #fail(error: Error): void {
    this.#end({ error, sent: this.#controller !== undefined, deadSocket: false });
    this.#controller?.abort(error);
  }

  #end(end: ExchangeEnd): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.limits.signal?.removeEventListener("abort", this.#cancel);
    this.settle(end);
  }
}
