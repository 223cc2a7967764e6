/// <reference lib="es2024.string" />
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import Pool from "undici/lib/dispatcher/pool.js";
import type { UserId } from "../connector/ids.js";
import { readAnswer } from "./answer.js";
import { Downloader, type StreamedAnswer } from "./download.js";
import { exchange, type ExchangeLimits } from "./exchange.js";
import { encodeJson } from "./json.js";
import { isSendable, pathPart, unsendable } from "./path.js";
import type { MatrixResult, TransportError } from "./result.js";

export interface MatrixHttpOptions {
  /** Where the client API is, e.g. `http://localhost:8008`; a path in it is put before every path. */
  readonly url: string;
  readonly asToken: string;
  /** How many connections are kept to the homeserver; 64 where absent. Media uses others, at most 16. */
  readonly connections?: number;
  /** How long a request may take in all, in milliseconds; 60 s where absent. */
  readonly requestTimeoutMs?: number;
  /** How long an upload or a download may take, in milliseconds; 10 min where absent. */
  readonly mediaTimeoutMs?: number;
  /** The largest JSON answer that is read, in bytes; 64 MiB where absent, enough for the state of a very large room. */
  readonly maxResponseBytes?: number;
  /** The longest wait that a server's Retry-After is believed, in milliseconds; 60 s where absent. */
  readonly maxRetryAfterMs?: number;
  /** Called once for every request that ends, for metrics. Must not throw. */
  readonly onExchange?: (exchange: MatrixExchange) => void;
}

/** One finished request, as metrics see it. */
export interface MatrixExchange {
  readonly method: string;
  /** The path without what varies, e.g. `/rooms/{roomId}/send/{eventType}/{txnId}`: a bounded set. */
  readonly route: string;
  /** 0 where nobody answered. */
  readonly status: number;
  readonly ms: number;
}

/** Query parameters by name; a list is repeated, `undefined` is left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface MatrixRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** From `/_matrix` on, its parts already percent-encoded. */
  readonly path: string;
  /** For metrics; `other` where absent. */
  readonly route?: string | undefined;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly upload?: MatrixUpload | undefined;
  /** The ghost that acts; the bridge bot where absent. */
  readonly asUser?: UserId | undefined;
  readonly deviceId?: string | undefined;
  /** The time the event gets, in milliseconds since 1970 (`/send` and `/state` only, specification v1.3). */
  readonly ts?: number | undefined;
  /**
   * Never sent once more by itself, also where a kept connection turns out dead: the homeserver may have acted on it, and
   * one that was restarted does not know it again.
   */
  readonly once?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface MatrixUpload {
  readonly data: Readable | Uint8Array;
  readonly contentType: string;
  /** The length of a stream, where it is known. */
  readonly bytes?: number | undefined;
}

/** A download: a GET whose answer is not JSON. */
export interface MatrixDownload {
  readonly path: string;
  readonly route?: string | undefined;
  readonly query?: Query | undefined;
  /** A `Range` header's value, e.g. `bytes=0-99`; the server may ignore it. */
  readonly range?: string | undefined;
  readonly asUser?: UserId | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

const mediaConnections = 16;

/**
 * HTTP toward one homeserver as an application service. Nothing is thrown for what a server or a network does: every
 * request ends in a `MatrixResult`, within its timeout.
 */
export class MatrixHttp {
  readonly #pool: Pool;
  readonly #mediaPool: Pool;
  readonly #downloader: Downloader;
  readonly #prefix: string;
  readonly #origin: string;
  readonly #headers: string[];
  readonly #jsonHeaders: string[];
  readonly #timeoutMs: number;
  readonly #mediaTimeoutMs: number;
  readonly #maxResponseBytes: number;
  readonly #maxRetryAfterMs: number;
  readonly #onExchange: ((exchange: MatrixExchange) => void) | undefined;

  constructor(options: MatrixHttpOptions) {
    const url = new URL(options.url);
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, "");
    this.#headers = ["authorization", `Bearer ${options.asToken}`, "accept", "application/json"];
    this.#jsonHeaders = [...this.#headers, "content-type", "application/json"];
    this.#timeoutMs = options.requestTimeoutMs ?? 60_000;
    this.#mediaTimeoutMs = options.mediaTimeoutMs ?? 600_000;
    this.#maxResponseBytes = options.maxResponseBytes ?? 64 * 1024 * 1024;
    this.#maxRetryAfterMs = options.maxRetryAfterMs ?? 60_000;
    this.#onExchange = options.onExchange;
    this.#pool = new Pool(url.origin, poolOptions(options.connections ?? 64, this.#timeoutMs));
    this.#mediaPool = new Pool(url.origin, poolOptions(mediaConnections, this.#timeoutMs));
    this.#downloader = new Downloader(this.#mediaPool, url.origin, this.#timeoutMs);
  }

  /** Sends a request and reads its JSON answer. A GET or PUT on a kept connection that turns out dead is sent once more. */
  async request(request: MatrixRequest): Promise<MatrixResult<unknown>> {
    const startedAt = performance.now();
    const prepared = this.#prepare(request);
    if (!prepared.ok) return { ok: false, failure: { kind: "invalid", message: prepared.problem } };
    const pool = request.upload === undefined ? this.#pool : this.#mediaPool;
    const limits = this.#limits(request);
    let end = await exchange(pool, prepared.options, limits);
    let maybeApplied = "error" in end && end.sent;
    if ("error" in end && end.deadSocket && isRepeatable(request)) {
      end = await exchange(pool, prepared.options, limits);
      maybeApplied ||= "error" in end && end.sent;
    }
    this.#observe(request.method, request.route, "answer" in end ? end.answer.status : 0, startedAt);
    if ("answer" in end) return readAnswer(end.answer, this.#maxRetryAfterMs);
    return { ok: false, failure: this.#unanswered(end.error, maybeApplied && request.method !== "GET") };
  }

  /** Begins a download. The stream of the answer fails where the connection breaks or the time is over. */
  async download(download: MatrixDownload): Promise<MatrixResult<StreamedAnswer>> {
    const startedAt = performance.now();
    const path = this.#prefix + download.path + queryOf(download);
    if (!isSendable(path)) return { ok: false, failure: { kind: "invalid", message: unsendable } };
    const extra = download.range === undefined ? [] : ["range", download.range];
    const start = await this.#downloader.start(path, [...this.#headers, ...extra], extra, {
      timeoutMs: download.timeoutMs ?? this.#mediaTimeoutMs,
      signal: download.signal,
    });
    const status = "error" in start ? 0 : "answer" in start ? start.answer.status : start.status;
    this.#observe("GET", download.route, status, startedAt);
    if ("error" in start) return { ok: false, failure: this.#unanswered(start.error, false) };
    if (!("answer" in start)) return { ok: true, body: start };
    const read = readAnswer(start.answer, this.#maxRetryAfterMs);
    if (!read.ok) return read;
    const { status: odd } = start.answer;
    return {
      ok: false,
      failure: { kind: "answered", status: odd, errcode: "M_UNKNOWN", message: `${odd} instead of a file` },
    };
  }

  /** Closes every connection; requests under way end as unanswered. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#mediaPool.destroy(), this.#downloader.close()]);
  }

  #prepare(request: MatrixRequest): Prepared {
    const path = this.#prefix + request.path + queryOf(request);
    if (!isSendable(path)) return { ok: false, problem: unsendable };
    const { method, upload } = request;
    if (upload !== undefined) {
      const headers = [...this.#headers, "content-type", upload.contentType];
      if (upload.bytes !== undefined) headers.push("content-length", String(upload.bytes));
      const body =
        upload.data instanceof Uint8Array
          ? Buffer.from(upload.data.buffer, upload.data.byteOffset, upload.data.byteLength)
          : upload.data;
      return { ok: true, options: { method, path, headers, body, headersTimeout: this.#mediaTimeoutMs } };
    }
    const timeouts = { headersTimeout: request.timeoutMs ?? null, bodyTimeout: request.timeoutMs ?? null };
    if (request.body === undefined) return { ok: true, options: { method, path, headers: this.#headers, ...timeouts } };
    const json = encodeJson(request.body);
    if (!json.ok) return json;
    return { ok: true, options: { method, path, headers: this.#jsonHeaders, body: json.text, ...timeouts } };
  }

  #limits(request: MatrixRequest): ExchangeLimits {
    const timeoutMs = request.timeoutMs ?? (request.upload === undefined ? this.#timeoutMs : this.#mediaTimeoutMs);
    return { timeoutMs, maxBytes: this.#maxResponseBytes, signal: request.signal };
  }

  #unanswered(error: Error, maybeApplied: boolean): TransportError {
    return {
      kind: "unanswered",
      applied: maybeApplied ? "maybe" : "no",
      message: `${this.#origin} did not answer: ${reasonOf(error)}`,
    };
  }

  #observe(method: string, route: string | undefined, status: number, startedAt: number): void {
    this.#onExchange?.({ method, route: route ?? "other", status, ms: performance.now() - startedAt });
  }
}

type Prepared =
  | { readonly ok: true; readonly options: Dispatcher.DispatchOptions }
  | { readonly ok: false; readonly problem: string };

function poolOptions(connections: number, timeoutMs: number): Pool.Options {
  return {
    connections,
    // More than one was measured to be slower, and one dead connection would take several requests with it.
    pipelining: 1,
    // Below the 60 s and more after which common servers and proxies close an idle connection.
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 55_000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: Math.min(timeoutMs, 10_000) },
  };
}

function isRepeatable(request: MatrixRequest): boolean {
  if (request.once === true) return false;
  if (request.upload !== undefined && !(request.upload.data instanceof Uint8Array)) return false;
  return request.method === "GET" || request.method === "PUT";
}

function queryOf({ asUser, deviceId, ts, query }: Pick<MatrixRequest, "asUser" | "deviceId" | "ts" | "query">): string {
  let text = "";
  if (asUser !== undefined) text = `?user_id=${pathPart(asUser)}`;
  if (deviceId !== undefined) text += `${text === "" ? "?" : "&"}device_id=${pathPart(deviceId)}`;
  if (ts !== undefined && ts >= 0) text += `${text === "" ? "?" : "&"}ts=${Math.round(ts)}`;
  if (query === undefined) return text;
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const single of typeof value === "object" ? value : [String(value)]) {
      text += `${text === "" ? "?" : "&"}${name}=${encodeURIComponent(single.toWellFormed())}`;
    }
  }
  return text;
}

/** A refused connection to a name with several addresses is an AggregateError without a message of its own. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) {
    const first: unknown = error.errors[0];
    if (first instanceof Error) return reasonOf(first);
  }
  if (error.message !== "") return error.message;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
