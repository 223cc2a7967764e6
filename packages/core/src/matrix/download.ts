import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import Agent from "undici/lib/dispatcher/agent.js";
import type { RawAnswer } from "./answer.js";
import { Watch } from "./watch.js";

/** An answer whose body is still to be read; it must be read to its end or destroyed. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: RawAnswer["headers"];
  readonly stream: Readable;
}

/** How a download began: with a stream, with an answer that is none, or not at all. */
export type DownloadStart = StreamedAnswer | { readonly answer: RawAnswer } | { readonly error: Error };

export interface DownloadLimits {
  /** For the whole download, the reading included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const maxRedirects = 3;
const errorPageBytes = 64 * 1024;

/**
 * Downloads from the homeserver, and from where it redirects to: since specification v1.11 media may be answered by a
 * redirect to a content delivery network. The token goes to the homeserver alone.
 */
export class Downloader {
  readonly #elsewhere: Agent;

  constructor(
    private readonly pool: Dispatcher,
    private readonly origin: string,
    headersTimeout: number,
  ) {
    this.#elsewhere = new Agent({ connections: 8, headersTimeout, bodyTimeout: headersTimeout });
  }

  /** Never rejects. The stream fails where the connection breaks, the time is over or the signal is aborted. */
  async start(
    path: string,
    headers: readonly string[],
    plainHeaders: readonly string[],
    limits: DownloadLimits,
  ): Promise<DownloadStart> {
    const watch = new Watch("the download", limits.timeoutMs, limits.signal);
    try {
      return await this.#follow(path, headers, plainHeaders, watch);
    } catch (error) {
      watch.end();
      return { error: watch.reason ?? (error instanceof Error ? error : new Error(String(error))) };
    }
  }

  close(): Promise<void> {
    return this.#elsewhere.destroy();
  }

  async #follow(
    path: string,
    headers: readonly string[],
    plainHeaders: readonly string[],
    watch: Watch,
  ): Promise<DownloadStart> {
    const { default: request } = await import("undici/lib/api/api-request.js");
    let url = new URL(path, this.origin);
    for (let redirects = 0; ; redirects += 1) {
      const home = url.origin === this.origin;
      const response = await request.call(home ? this.pool : this.#elsewhere, {
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: [...(home ? headers : plainHeaders)],
        signal: watch.signal,
      });
      const { statusCode: status, headers: received, body } = response;
      // Whoever reads the stream sees its errors; one that comes before must not end the process.
      body.on("error", () => undefined);
      if (status === 200 || status === 206) {
        body.once("close", () => watch.end());
        return { status, headers: received, stream: body };
      }
      const next = redirects < maxRedirects ? redirectTarget(status, received.location, url) : undefined;
      if (next === undefined) {
        const answer = { status, headers: received, body: await readPage(body) };
        watch.end();
        return { answer };
      }
      await body.dump({ limit: errorPageBytes });
      url = next;
    }
  }
}

function redirectTarget(status: number, location: string | string[] | undefined, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== "string") return undefined;
  if (!URL.canParse(location, from.href)) return undefined;
  const target = new URL(location, from);
  return target.protocol === "https:" || target.protocol === "http:" ? target : undefined;
}

async function readPage(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > errorPageBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
