import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import type { buildConnector, Dispatcher } from "undici";
import connectWith from "undici/lib/core/connect.js";
import Client from "undici/lib/dispatcher/client.js";
import { Watch } from "../matrix/watch.js";
import { isPublicAddress } from "./address.js";
import { limitBytes, tooLarge } from "./limit.js";

export interface GuardOptions {
  /** The largest answer, in bytes. */
  readonly maxBytes: number;
  /** For one fetch in all, the reading included, in milliseconds; 2 min where absent. */
  readonly timeoutMs?: number;
  /** For the connection and for every pause within an answer, in milliseconds; 20 s where absent. */
  readonly idleTimeoutMs?: number;
  /** Also reach these private addresses, or with `true` all of them and every port: where the network itself is inside. */
  readonly allowPrivate?: boolean | readonly string[];
  /** Instead of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/**
 * Why a file cannot be had. `refused`: never, by our rules (a private address, another protocol, too large). `absent`:
 * the server says that there is none. `unavailable`: perhaps later.
 */
export interface FetchFailure {
  readonly kind: "refused" | "absent" | "unavailable";
  /** For a person; without the URL, which may be a secret. */
  readonly reason: string;
}

export interface FetchedFile {
  /** Fails where the file turns out larger than it may be, or the connection breaks. Must be read to its end or destroyed. */
  readonly stream: Readable;
  /** As the server says; never to be trusted. */
  readonly contentType?: string;
  /** In bytes, where the server says. */
  readonly size?: number;
}

export type FetchResult =
  { readonly ok: true; readonly file: FetchedFile } | { readonly ok: false; readonly failure: FetchFailure };

const maxRedirects = 5;

/**
 * Fetches from URLs that come from a network, which are hostile: only http and https, only addresses of the public
 * internet, checked at the very address that is connected to and again at every redirect, without credentials.
 */
export class GuardedFetcher {
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #allowAll: boolean;
  readonly #permits: (address: string) => boolean;
  readonly #connect: buildConnector.connector;

  constructor(options: GuardOptions) {
    this.#maxBytes = options.maxBytes;
    this.#timeoutMs = options.timeoutMs ?? 120_000;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 20_000;
    const { allowPrivate } = options;
    this.#allowAll = allowPrivate === true;
    const exceptions: ReadonlySet<string> = new Set(typeof allowPrivate === "object" ? allowPrivate : []);
    this.#permits = (address) => this.#allowAll || exceptions.has(address) || isPublicAddress(address);
    this.#connect = guardedConnector(options.lookup ?? systemLookup, this.#permits, this.#idleTimeoutMs);
  }

  /** Begins a fetch. Never rejects. */
  async open(url: string, signal?: AbortSignal): Promise<FetchResult> {
    const watch = new Watch("fetching the file", this.#timeoutMs, signal);
    try {
      const result = await this.#follow(url, watch);
      if (result.ok) result.file.stream.once("close", () => watch.end());
      else watch.end();
      return result;
    } catch (error) {
      watch.end();
      return { ok: false, failure: failureOf(watch.reason ?? error) };
    }
  }

  async #follow(start: string, watch: Watch): Promise<FetchResult> {
    let url = start;
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const checked = this.#check(url);
      if (!("url" in checked)) return { ok: false, failure: checked };
      const client = this.#client(checked.url);
      const step = await this.#request(client, checked.url, watch).catch(async (error: unknown) => {
        await client.destroy();
        throw error;
      });
      if (!("redirect" in step)) return step;
      url = step.redirect;
    }
    return refused(`there are more than ${maxRedirects} redirects`);
  }

  async #request(client: Client, url: URL, watch: Watch): Promise<FetchResult | { readonly redirect: string }> {
    const { default: request } = await import("undici/lib/api/api-request.js");
    const response = await request.call(client, {
      method: "GET",
      path: url.pathname + url.search,
      headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "Trestle" },
      signal: watch.signal,
    });
    const { statusCode: status, headers, body } = response;
    // Whoever reads the stream sees its errors; one that comes before must not end the process.
    body.on("error", () => undefined);
    const refusal = status === 200 ? this.#refusal(headers) : undefined;
    if (status === 200 && refusal === undefined) return this.#accept(client, response);
    await client.destroy();
    if (refusal !== undefined) return refused(refusal);
    const location = single(headers.location);
    if ([301, 302, 303, 307, 308].includes(status) && location !== undefined && URL.canParse(location, url.href)) {
      return { redirect: new URL(location, url).href };
    }
    const gone = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
    return { ok: false, failure: { kind: gone ? "absent" : "unavailable", reason: `the server answered ${status}` } };
  }

  #accept(client: Client, { headers, body }: Dispatcher.ResponseData): FetchResult {
    const stream = limitBytes(body, this.#maxBytes);
    stream.once("close", () => void client.destroy());
    const contentType = single(headers["content-type"]);
    const size = contentLength(headers);
    return {
      ok: true,
      file: { stream, ...(contentType === undefined ? {} : { contentType }), ...(size === undefined ? {} : { size }) },
    };
  }

  #refusal(headers: Dispatcher.ResponseData["headers"]): string | undefined {
    const size = contentLength(headers);
    if (size !== undefined && size > this.#maxBytes) return tooLarge(this.#maxBytes);
    const encoding = single(headers["content-encoding"]);
    if (encoding !== undefined && encoding !== "identity") return "the server sends it compressed, unasked";
    return undefined;
  }

  #check(text: string): { readonly url: URL } | FetchFailure {
    const refuse = (reason: string): FetchFailure => ({ kind: "refused", reason });
    if (!URL.canParse(text)) return refuse("it is not a URL");
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") return refuse(`${url.protocol} URLs are not fetched`);
    if (url.username !== "" || url.password !== "") return refuse("the URL has a user name or password in it");
    if (this.#allowAll) return { url };
    const port = Number(url.port);
    if (url.port !== "" && port !== 80 && port !== 443 && port < 1024)
      return refuse(`port ${port} is not one of the web`);
    const host = hostAddress(url);
    if (isIP(host) !== 0 && !this.#permits(host)) return refuse(privateAddress);
    return { url };
  }

  /** One connection for one request: nothing is shared with a later URL of the same name. */
  #client(url: URL): Client {
    return new Client(url.origin, {
      connect: this.#connect,
      pipelining: 1,
      headersTimeout: this.#idleTimeoutMs,
      bodyTimeout: this.#idleTimeoutMs,
      maxHeaderSize: 32 * 1024,
    });
  }
}

type Permits = (address: string) => boolean;

const privateAddress = "it is at a private address";

class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
}

/**
 * Connects to addresses of the public internet alone. The name is resolved once, by the connection itself, and what is
 * private is taken out before it connects; so a name that resolves to another address the next time gains nothing. The
 * address of the socket is looked at as well, since a name that is an address is not resolved.
 */
function guardedConnector(lookup: LookupFunction, permits: Permits, timeout: number): buildConnector.connector {
  const connect = connectWith({
    timeout,
    lookup: permittedLookup(lookup, permits),
    autoSelectFamily: true,
  });
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      if (!permits(socket.remoteAddress ?? "")) {
        socket.destroy();
        callback(new PrivateAddressError(privateAddress), null);
        return;
      }
      callback(null, socket);
    });
  };
}

function permittedLookup(lookup: LookupFunction, permits: Permits): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error !== null) {
        callback(error, [], 0);
        return;
      }
      const all = typeof found === "string" ? [{ address: found, family: family ?? isIP(found) }] : found;
      const open = all.filter(({ address }) => permits(address));
      const first = open[0];
      if (first === undefined) {
        callback(new PrivateAddressError(privateAddress), [], 0);
        return;
      }
      if (options.all === true) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(reason: string): FetchResult {
  return { ok: false, failure: { kind: "refused", reason } };
}

function failureOf(error: unknown): FetchFailure {
  if (error instanceof PrivateAddressError) return { kind: "refused", reason: error.message };
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(cause instanceof Error)) return { kind: "unavailable", reason: String(cause) };
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return { kind: "unavailable", reason: cause.message === "" ? code : cause.message };
}

function hostAddress(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}

function contentLength(headers: Dispatcher.ResponseData["headers"]): number | undefined {
  const text = single(headers["content-length"]);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
