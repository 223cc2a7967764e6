import type { Socket } from "node:net";
import {
  Agent,
  buildConnector,
  FormData as UndiciFormData,
  ProxyAgent,
  fetch as undiciFetch,
  type Dispatcher,
} from "undici";
import type { FetchFunction } from "@slack/web-api";

export interface TransportOptions {
  readonly proxy?: string;
  readonly connectTimeoutMs?: number;
}

/** The connections to Slack: one pool for everything, through a proxy where there is one. */
export class Transport {
  readonly dispatcher: Dispatcher;
  readonly #proxied: boolean;
  readonly #connectTimeoutMs: number;

  constructor({ proxy, connectTimeoutMs = 10_000 }: TransportOptions = {}) {
    this.#proxied = proxy !== undefined;
    this.#connectTimeoutMs = connectTimeoutMs;
    const connect = { timeout: connectTimeoutMs };
    // A WebSocket needs HTTP/1.1.
    this.dispatcher =
      proxy === undefined
        ? new Agent({ connect, allowH2: false })
        : new ProxyAgent({ uri: proxy, requestTls: connect, proxyTls: connect });
  }

  /** `fetch` as the Web API's client wants it; aborted by `signal` as well. */
  fetch(signal?: AbortSignal): FetchFunction {
    return async (url, init = {}) => {
      const signals = [init.signal, signal].filter((each) => each !== undefined);
      const { body, signal: _own, ...rest } = init;
      const response = await undiciFetch(url, {
        ...rest,
        dispatcher: this.dispatcher,
        ...(body !== undefined && { body: typeof body === "string" ? body : copied(body) }),
        ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      });
      return withRetryAfter(response);
    };
  }

  /** For one WebSocket, of which a peer that is gone would never let go: `destroy` does. */
  forWebSocket(): { readonly dispatcher: Dispatcher; readonly destroy: () => void } {
    if (this.#proxied) return { dispatcher: this.dispatcher, destroy: () => undefined };
    const connect = buildConnector({ allowH2: false, timeout: this.#connectTimeoutMs });
    let opened: Socket | undefined;
    const dispatcher = new Agent({
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (socket === null) callback(error, null);
          else callback(null, (opened = socket));
        }),
    });
    const destroy = (): void => {
      opened?.destroy();
      void dispatcher.destroy();
    };
    return { dispatcher, destroy };
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }
}

/** undici takes no `FormData` but its own. */
function copied(form: FormData): UndiciFormData {
  const copy = new UndiciFormData();
  form.forEach((value, name) => {
    if (typeof value === "string") copy.append(name, value);
    else copy.append(name, value, value.name);
  });
  return copy;
}

type Answer = Awaited<ReturnType<typeof undiciFetch>>;
type ClientAnswer = Awaited<ReturnType<FetchFunction>>;

const usualPauseSeconds = 30;

/** The client knows a 429 only by whole seconds in Retry-After; a gateway on the way may leave it out or give a date. */
function withRetryAfter(response: Answer): ClientAnswer {
  if (response.status !== 429 || /^\d+$/.test(response.headers.get("retry-after") ?? "")) return response;
  const date = Date.parse(response.headers.get("retry-after") ?? "");
  const seconds = Number.isNaN(date) ? usualPauseSeconds : Math.max(1, Math.ceil((date - Date.now()) / 1_000));
  const { status, statusText, url } = response;
  return {
    ok: false,
    status,
    statusText,
    url,
    headers: {
      get: (name) => (name.toLowerCase() === "retry-after" ? String(seconds) : response.headers.get(name)),
      entries: () => response.headers.entries(),
    },
    arrayBuffer: () => response.arrayBuffer(),
    json: () => response.json(),
    text: () => response.text(),
  };
}
