import { tmpdir } from "node:os";
import type { Readable } from "node:stream";
import type { ContentUri, UserId } from "../connector/ids.js";
import type { MatrixClient } from "../matrix/client.js";
import { classify } from "../matrix/failure.js";
import type { MatrixFailure } from "../matrix/result.js";
import { safeFileName } from "./file-name.js";
import type { FetchFailure, GuardedFetcher } from "./guard.js";
import { imageSize, mediaType } from "./image.js";
import { limitBytes, tooLarge, TooLargeError } from "./limit.js";
import { prepareUpload } from "./spool.js";

export interface MediaTransferOptions {
  readonly client: Pick<MatrixClient, "uploadMedia">;
  readonly fetcher: GuardedFetcher;
  /** The largest file, in bytes. */
  readonly maxBytes: number;
  /** Where large files of unknown size are kept during their upload; the system's directory where absent. */
  readonly spoolDirectory?: string;
  /** Transfers at once; 8 where absent. More wait. */
  readonly maxConcurrent?: number;
  readonly onBytes?: (bytes: number) => void;
}

/** A file as a connector opens it. */
export interface OpenedFile {
  readonly stream: Readable;
  readonly mimeType?: string;
  /** In bytes. */
  readonly size?: number;
}

export interface TransferRequest {
  /** A URL from the network, fetched with a guard; or the connector's own way to the bytes. */
  readonly source: { readonly url: string } | { readonly open: () => Promise<OpenedFile> };
  readonly fileName?: string;
  /** As the network declares it. */
  readonly mimeType?: string;
  readonly asUser?: UserId;
  readonly signal?: AbortSignal;
}

/** A file on the homeserver, with what an event's `info` says of it. */
export interface TransferredMedia {
  readonly uri: ContentUri;
  readonly mimeType: string;
  /** In bytes. */
  readonly size: number;
  /** In pixels; of images in PNG, JPEG, GIF and WebP. */
  readonly width?: number;
  /** In pixels. */
  readonly height?: number;
}

export interface TransferFailure {
  /** Whether the same may succeed later. */
  readonly action: "retry" | "permanent";
  /** For a person. */
  readonly reason: string;
  readonly afterMs?: number;
  /** The homeserver is away: not the fault of this file. */
  readonly transport: boolean;
}

export type TransferResult =
  { readonly ok: true; readonly media: TransferredMedia } | { readonly ok: false; readonly failure: TransferFailure };

/** Brings files from a network to the homeserver, without holding much more than 1 MiB of one in memory. */
export class MediaTransfer {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(private readonly options: MediaTransferOptions) {
    this.#free = options.maxConcurrent ?? 8;
  }

  /** Never rejects. */
  async upload(request: TransferRequest): Promise<TransferResult> {
    await this.#enter();
    try {
      const opened = await this.#open(request);
      return "failure" in opened ? { ok: false, failure: opened.failure } : await this.#pass(opened, request);
    } catch (error) {
      return { ok: false, failure: failureOf(error) };
    } finally {
      this.#leave();
    }
  }

  async #open({ source, signal }: TransferRequest): Promise<OpenedFile | { readonly failure: TransferFailure }> {
    if ("open" in source) return source.open();
    const result = await this.options.fetcher.open(source.url, signal);
    if (!result.ok) return { failure: fetchFailure(result.failure) };
    const { stream, contentType, size } = result.file;
    return {
      stream,
      ...(contentType === undefined ? {} : { mimeType: contentType }),
      ...(size === undefined ? {} : { size }),
    };
  }

  async #pass(file: OpenedFile, request: TransferRequest): Promise<TransferResult> {
    const { maxBytes, spoolDirectory, client } = this.options;
    const stream = limitBytes(file.stream, maxBytes);
    if (file.size !== undefined && file.size > maxBytes) {
      stream.destroy();
      return { ok: false, failure: permanent(tooLarge(maxBytes)) };
    }
    const prepared = await prepareUpload(stream, file.size, spoolDirectory ?? tmpdir());
    try {
      const mimeType = mediaType(prepared.head, request.mimeType, file.mimeType);
      const { asUser, signal } = request;
      const result = await client.uploadMedia({
        data: prepared.data,
        bytes: prepared.size,
        contentType: mimeType,
        fileName: request.fileName === undefined ? undefined : safeFileName(request.fileName),
        asUser,
        signal,
      });
      if (!result.ok) return { ok: false, failure: uploadFailure(result.failure, prepared.sourceFailure()) };
      this.options.onBytes?.(prepared.size);
      return {
        ok: true,
        media: { uri: result.body.uri, mimeType, size: prepared.size, ...imageSize(prepared.head, mimeType) },
      };
    } finally {
      stream.destroy();
      await prepared.dispose();
    }
  }

  #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

function permanent(reason: string): TransferFailure {
  return { action: "permanent", reason, transport: false };
}

function fetchFailure({ kind, reason }: FetchFailure): TransferFailure {
  return { action: kind === "unavailable" ? "retry" : "permanent", reason, transport: false };
}

/** A source that breaks in mid-upload looks to the homeserver's client like a broken connection. */
function uploadFailure(failure: MatrixFailure, source: Error | undefined): TransferFailure {
  if (source !== undefined) return failureOf(source);
  const { action, afterMs, transport } = classify(failure);
  const result = { action: action === "permanent" ? action : ("retry" as const), reason: failure.message, transport };
  return afterMs === undefined ? result : { ...result, afterMs };
}

function failureOf(error: unknown): TransferFailure {
  if (error instanceof TooLargeError) return permanent(error.message);
  return { action: "retry", reason: error instanceof Error ? error.message : String(error), transport: false };
}
