import type { Readable } from "node:stream";
import type { ContentUri } from "../connector/ids.js";
import { answers, parsed } from "./answers.js";
import type { MatrixDownload, MatrixHttp, MatrixUpload } from "./http.js";
import { pathPart as part } from "./path.js";
import type { ReadRequest } from "./requests.js";
import type { MatrixFailure, MatrixResult } from "./result.js";

export interface UploadRequest extends ReadRequest {
  readonly data: Readable | Uint8Array;
  /** The MIME type. */
  readonly contentType: string;
  /** The length of a stream, where it is known. */
  readonly bytes?: number | undefined;
  readonly fileName?: string | undefined;
}

export interface DownloadRequest extends ReadRequest {
  /** Which bytes, from `first` up to and with `last`; homeservers may ignore it and answer with the whole. */
  readonly range?: { readonly first: number; readonly last?: number } | undefined;
}

export interface ThumbnailRequest extends ReadRequest {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  readonly method?: "crop" | "scale";
}

export interface DownloadedMedia {
  readonly stream: Readable;
  /** The MIME type; `application/octet-stream` where the homeserver gave none. */
  readonly contentType: string;
  /** Of what `stream` carries, in bytes, where it is known. */
  readonly size?: number;
  /** `Content-Range`, where the answer is the part that was asked for (status 206). */
  readonly contentRange?: string;
}

/** The media endpoints, and what differs between homeservers in them. */
export class MediaApi {
  #createMissing = false;
  #createLimitedUntil = 0;

  constructor(private readonly http: MatrixHttp) {}

  /**
   * Uploads in two steps (`create`, then the file: specification v1.7), so that a repeated upload cannot leave a
   * second copy, and in one step where the homeserver has no `create` or limits it: Synapse may ask for a pause of 24 hours.
   */
  async upload(request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    const { data } = request;
    try {
      return await this.#upload(request);
    } finally {
      if (!(data instanceof Uint8Array) && !data.destroyed) data.destroy();
    }
  }

  async #upload(request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    if (this.#createMissing || Date.now() < this.#createLimitedUntil) return this.#uploadAtOnce(request);
    const created = await this.#create(request);
    if (created.ok) return this.#uploadTo(created.body.uri, request);
    if (isUnrecognized(created.failure)) this.#createMissing = true;
    else if (isLimited(created.failure))
      this.#createLimitedUntil = Date.now() + (created.failure.retryAfterMs ?? 60_000);
    else return created;
    return this.#uploadAtOnce(request);
  }

  async #create(request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    const path = "/_matrix/media/v1/create";
    return parsed(
      await this.http.request({ ...shared(request), method: "POST", path, route: "/media/create", body: {} }),
      answers.contentUri,
    );
  }

  async #uploadTo(uri: ContentUri, request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    const where = mediaPath(uri);
    if (where === undefined) return notContentUri(uri);
    const result = await this.http.request({
      ...shared(request),
      method: "PUT",
      path: `/_matrix/media/v3/upload/${where}`,
      route: "/media/upload/{serverName}/{mediaId}",
      query: { filename: request.fileName },
      upload: uploadOf(request),
    });
    // The URI is known to this call alone: a file that is there already is this one, from the attempt before.
    const already =
      !result.ok && result.failure.kind === "answered" && result.failure.errcode === "M_CANNOT_OVERWRITE_MEDIA";
    return result.ok || already ? { ok: true, body: { uri } } : result;
  }

  async #uploadAtOnce(request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    const result = await this.http.request({
      ...shared(request),
      method: "POST",
      path: "/_matrix/media/v3/upload",
      route: "/media/upload",
      query: { filename: request.fileName },
      upload: uploadOf(request),
    });
    return parsed(result, answers.contentUri);
  }

  download(uri: ContentUri, request: DownloadRequest): Promise<MatrixResult<DownloadedMedia>> {
    const { range, ...rest } = request;
    const bytes = range === undefined ? undefined : `bytes=${range.first}-${range.last ?? ""}`;
    return this.#fetch("download", uri, { ...rest, range: bytes });
  }

  thumbnail(uri: ContentUri, request: ThumbnailRequest): Promise<MatrixResult<DownloadedMedia>> {
    const { width, height, method, ...rest } = request;
    return this.#fetch("thumbnail", uri, { ...rest, query: { width, height, method: method ?? "scale" } });
  }

  /** Authenticated (specification v1.11); by the older path only where the homeserver does not know the newer one. */
  async #fetch(
    what: "download" | "thumbnail",
    uri: ContentUri,
    request: Omit<MatrixDownload, "path">,
  ): Promise<MatrixResult<DownloadedMedia>> {
    const where = mediaPath(uri);
    if (where === undefined) return notContentUri(uri);
    const route = `/media/${what}/{serverName}/{mediaId}`;
    let result = await this.http.download({ ...request, route, path: `/_matrix/client/v1/media/${what}/${where}` });
    if (!result.ok && isUnrecognized(result.failure)) {
      const query = { ...request.query, allow_redirect: true };
      result = await this.http.download({ ...request, query, route, path: `/_matrix/media/v3/${what}/${where}` });
    }
    if (!result.ok) return result;
    const { status, headers, stream } = result.body;
    const size = Number(header(headers["content-length"]) ?? Number.NaN);
    const range = header(headers["content-range"]);
    const contentType = header(headers["content-type"]) ?? "application/octet-stream";
    const measured = Number.isSafeInteger(size) && size >= 0 ? { size } : {};
    return {
      ok: true,
      body: {
        stream,
        contentType,
        ...measured,
        ...(status === 206 && range !== undefined ? { contentRange: range } : {}),
      },
    };
  }
}

function shared({ asUser, signal, timeoutMs }: ReadRequest): ReadRequest {
  return { asUser, signal, timeoutMs };
}

function uploadOf({ data, contentType, bytes }: UploadRequest): MatrixUpload {
  return { data, contentType, bytes };
}

/** `server/mediaId`, encoded; `undefined` where it is not a content URI (specification, Matrix Content URIs). */
function mediaPath(uri: ContentUri): string | undefined {
  const match = /^mxc:\/\/([^/?#\s]+)\/([A-Za-z0-9_-]+)$/.exec(uri);
  return match?.[1] === undefined || match[2] === undefined ? undefined : `${part(match[1])}/${match[2]}`;
}

function notContentUri(uri: string): { readonly ok: false; readonly failure: MatrixFailure } {
  return {
    ok: false,
    failure: { kind: "invalid", message: `"${uri.slice(0, 100)}" is not a content URI (mxc://server/id)` },
  };
}

function isUnrecognized(failure: MatrixFailure): boolean {
  if (failure.kind !== "answered") return false;
  return failure.errcode === "M_UNRECOGNIZED" || (failure.status === 404 && failure.errcode === "M_UNKNOWN");
}

function isLimited(failure: MatrixFailure): failure is Extract<MatrixFailure, { kind: "answered" }> {
  return failure.kind === "answered" && failure.status === 429;
}

function header(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
