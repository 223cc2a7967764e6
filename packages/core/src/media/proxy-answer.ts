import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { MatrixClient } from "../matrix/client.js";
import type { DownloadedMedia } from "../matrix/media.js";
import type { MatrixFailure } from "../matrix/result.js";
import { servedType } from "./content-type.js";
import { contentDisposition } from "./file-name.js";
import { limitBytes, tooLarge } from "./limit.js";
import { type AskedRange, parseContentRange, parseRange, sliceStream, spanOf } from "./range.js";
import type { MediaGrant } from "./signer.js";

export interface MediaAnswer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly grant: MediaGrant;
  readonly fileName: string;
  /** Aborted when the client is gone or the file is revoked. */
  readonly signal: AbortSignal;
  readonly client: Pick<MatrixClient, "downloadMedia">;
  readonly maxBytes: number;
  readonly onBytes?: (bytes: number) => void;
}

/** The part of a file that is sent, as a stream that carries just it. */
interface Served {
  readonly stream: Readable;
  readonly size?: number;
  /** For a part: its `Content-Range`. */
  readonly range?: string;
}

/** What can run nothing, be framed nowhere, and tell nobody where the reader came from. */
const safety: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy":
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-robots-tag": "noindex, nofollow",
};

/** Answers without a file, in a sentence. */
export function refuse(response: ServerResponse, status: number, sentence: string): void {
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of Object.entries(safety)) response.setHeader(name, value);
  response.setHeader("cache-control", "no-store");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  const body = Buffer.from(`${sentence}\n`);
  response.writeHead(status, { "content-length": body.length });
  response.end(body);
}

/** Answers with an HTML document that can run nothing and loads nothing. */
export function servePage(response: ServerResponse, html: string): void {
  for (const [name, value] of Object.entries(safety)) response.setHeader(name, value);
  // It can be taken back: whoever keeps a copy must ask before showing it again.
  response.setHeader("cache-control", "private, no-cache");
  response.setHeader("content-type", "text/html; charset=utf-8");
  const body = Buffer.from(html, "utf8");
  response.writeHead(200, { "content-length": body.length });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** Serves the file of a grant that has been checked. */
export async function serveMedia(answer: MediaAnswer): Promise<void> {
  const { request, response, grant, client, signal } = answer;
  const etag = `"${createHash("sha256").update(grant.uri).digest("base64url").slice(0, 22)}"`;
  // Media never changes, but it can be revoked: whoever keeps a copy must ask before showing it again.
  response.setHeader("cache-control", "private, no-cache");
  response.setHeader("etag", etag);
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304).end();
    return;
  }
  const ifRange = request.headers["if-range"];
  const asked =
    request.method === "GET" && (ifRange === undefined || ifRange === etag)
      ? parseRange(request.headers.range)
      : undefined;
  const range = asked === undefined || "suffix" in asked ? undefined : asked;
  const result = await client.downloadMedia(grant.uri, { signal, range });
  if (signal.aborted) {
    // With the client still there: revoked while the homeserver was asked.
    if (result.ok) result.body.stream.destroy();
    refuse(response, 410, "This file was removed.");
    return;
  }
  if (!result.ok) {
    refuseFailure(response, result.failure);
    return;
  }
  const served = select(result.body, asked, answer.maxBytes);
  if (!("refusal" in served)) return send(answer, result.body.contentType, served);
  result.body.stream.destroy();
  if (served.contentRange !== undefined) response.setHeader("content-range", served.contentRange);
  refuse(response, served.refusal, served.sentence);
}

interface Refusal {
  readonly refusal: number;
  readonly sentence: string;
  readonly contentRange?: string;
}

/** What of the homeserver's answer is sent on: homeservers may answer a range with the whole. */
function select(media: DownloadedMedia, asked: AskedRange | undefined, maxBytes: number): Served | Refusal {
  const { stream, size, contentRange } = media;
  if (contentRange !== undefined) return selectPart(media, asked, contentRange, maxBytes);
  if (size !== undefined && size > maxBytes)
    return { refusal: 403, sentence: `This file is not passed on: ${tooLarge(maxBytes)}.` };
  const limited = (): Readable => limitBytes(stream, maxBytes);
  if (size === undefined) return { stream: limited() };
  if (asked === undefined) return { stream: limited(), size };
  const span = spanOf(asked, size);
  if (span === null)
    return { refusal: 416, sentence: "The file is shorter than that.", contentRange: `bytes */${size}` };
  return {
    stream: sliceStream(limited(), span),
    size: span.last - span.first + 1,
    range: `bytes ${span.first}-${span.last}/${size}`,
  };
}

function selectPart(
  { stream }: DownloadedMedia,
  asked: AskedRange | undefined,
  contentRange: string,
  maxBytes: number,
): Served | Refusal {
  const part = parseContentRange(contentRange);
  const wanted = asked === undefined || "suffix" in asked ? undefined : asked;
  if (part === undefined || wanted?.first !== part.first || part.last > (wanted.last ?? Infinity)) {
    return { refusal: 502, sentence: "The homeserver answered with another part of the file." };
  }
  if (part.last >= maxBytes || Number(part.size) > maxBytes)
    return { refusal: 403, sentence: `This file is not passed on: ${tooLarge(maxBytes)}.` };
  return { stream: limitBytes(stream, maxBytes), size: part.last - part.first + 1, range: contentRange };
}

async function send(
  { request, response, fileName, onBytes }: MediaAnswer,
  declaredType: string,
  served: Served,
): Promise<void> {
  const { contentType, disposition } = servedType(declaredType);
  for (const [name, value] of Object.entries(safety)) response.setHeader(name, value);
  response.setHeader("content-type", contentType);
  response.setHeader("content-disposition", contentDisposition(disposition, fileName));
  response.setHeader("cross-origin-resource-policy", "cross-origin");
  response.setHeader("accept-ranges", "bytes");
  if (served.size !== undefined) response.setHeader("content-length", served.size);
  if (served.range !== undefined) response.setHeader("content-range", served.range);
  response.writeHead(served.range === undefined ? 200 : 206);
  if (request.method === "HEAD") {
    served.stream.destroy();
    response.end();
    return;
  }
  const counter = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      onBytes?.(chunk.length);
      callback(null, chunk);
    },
  });
  try {
    await pipeline(served.stream, counter, response);
  } catch {
    // The client left, the file was revoked or the homeserver broke off. The status is sent; `pipeline` has cut the
    // connection, by which a client sees that the file is not complete.
  }
}

function refuseFailure(response: ServerResponse, failure: MatrixFailure): void {
  if (failure.kind === "unanswered") {
    refuse(response, 502, "The homeserver does not answer.");
    return;
  }
  if (failure.kind === "invalid") {
    refuse(response, 404, "There is no such file.");
    return;
  }
  const { status, retryAfterMs } = failure;
  if (status === 404 || status === 410 || status === 403) {
    refuse(response, 404, "There is no such file.");
    return;
  }
  if (status === 416) {
    refuse(response, 416, "The file is shorter than that.");
    return;
  }
  if (status === 429) {
    response.setHeader("retry-after", String(Math.ceil((retryAfterMs ?? 5_000) / 1_000)));
    refuse(response, 503, "Too many downloads at the moment. Try again later.");
    return;
  }
  if (failure.errcode === "M_NOT_YET_UPLOADED") {
    refuse(response, 504, "The file has not been uploaded yet.");
    return;
  }
  refuse(response, 502, "The homeserver could not give the file.");
}
