import type { MediaContent } from "../../connector/content.js";
import type { RemoteAvatar } from "../../connector/events.js";
import type { ContentUri, UserId } from "../../connector/ids.js";
import type { Verdict } from "../../delivery/entry.js";
import { GuardedFetcher } from "../../media/guard.js";
import { MediaTransfer, type TransferFailure, type TransferredMedia } from "../../media/transfer.js";
import type { MatrixResult } from "../../matrix/result.js";
import type { BridgeRuntime } from "../runtime.js";

/** A picture holds up the first message of its person for at most this long. */
const avatarTimeoutMs = 10_000;

/** What stands before the reference of a picture that the connector opens. */
const remoteScheme = "remote:";

type Source =
  { readonly url: string } | { readonly open: () => ReturnType<NonNullable<BridgeRuntime["handlers"]["openMedia"]>> };

export type Uploaded =
  { readonly media: TransferredMedia } | { readonly verdict: Verdict } | { readonly refused: string };

/** Brings files of the network to the homeserver, each one once. */
export class MatrixMedia {
  readonly #transfer: MediaTransfer;

  constructor(readonly runtime: BridgeRuntime) {
    const { maxBytes } = runtime.global.media;
    this.#transfer = new MediaTransfer({
      client: runtime.client,
      fetcher: new GuardedFetcher({ maxBytes, allowPrivate: runtime.global.media.allowPrivate }),
      maxBytes,
      spoolDirectory: runtime.global.dataDirectory,
      onBytes: (bytes) => runtime.metrics.mediaBytes("toMatrix", bytes),
    });
  }

  /** `key` identifies the file: the same one again is not uploaded twice. */
  async upload(content: MediaContent, key: string, asUser: UserId): Promise<Uploaded> {
    const known = await this.#known(key);
    if (known) return { media: known };
    const source = this.#sourceOf(content);
    if (!source) return { refused: "this bridge cannot open the file" };
    const result = await this.#transfer.upload({
      source,
      fileName: content.name,
      asUser,
      ...(content.mimeType !== undefined && { mimeType: content.mimeType }),
    });
    if (!result.ok) return failed(result.failure);
    const { uri, ...info } = result.media;
    await this.runtime.store.commit([["mapMedia", this.runtime.key, key, uri, JSON.stringify(info)]]);
    return { media: result.media };
  }

  async uploadAvatar(avatar: RemoteAvatar, asUser: UserId): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    const signal = AbortSignal.timeout(avatarTimeoutMs);
    const source = this.#sourceOfPicture(avatar.url);
    if (!source) return refusedPicture("this bridge cannot open the picture");
    const result = await this.#transfer.upload({ source, fileName: "avatar", asUser, signal });
    if (result.ok) return { ok: true, body: { uri: result.media.uri } };
    const { reason, action } = result.failure;
    if (action === "permanent") return refusedPicture(reason);
    return { ok: false, failure: { kind: "unanswered", applied: "no", message: reason } };
  }

  /** The picture of a channel. `key` identifies it: the same one again is not uploaded twice. */
  async uploadPicture({ url }: RemoteAvatar, key: string, asUser: UserId): Promise<Uploaded> {
    const known = await this.#known(key);
    if (known) return { media: known };
    const source = this.#sourceOfPicture(url);
    if (!source) return { refused: "this bridge cannot open the picture" };
    const signal = AbortSignal.timeout(avatarTimeoutMs);
    const result = await this.#transfer.upload({ source, fileName: "picture", asUser, signal });
    if (!result.ok) return failed(result.failure);
    const { uri, ...info } = result.media;
    if (!info.mimeType.startsWith("image/")) return { refused: `it is no image but ${info.mimeType}` };
    await this.runtime.store.commit([["mapMedia", this.runtime.key, key, uri, JSON.stringify(info)]]);
    return { media: result.media };
  }

  #sourceOfPicture(url: string): Source | undefined {
    if (!url.startsWith(remoteScheme)) return { url };
    const { openMedia } = this.runtime.handlers;
    return openMedia && { open: () => openMedia(url.slice(remoteScheme.length)) };
  }

  async #known(key: string): Promise<TransferredMedia | undefined> {
    const row = await this.runtime.store.get<{ uri: string; info: string }>(
      "SELECT uri, info FROM media WHERE bridge = ? AND source = ?",
      this.runtime.key,
      key,
    );
    return row && ({ uri: row.uri, ...(JSON.parse(row.info) as object) } as TransferredMedia);
  }

  #sourceOf({ source }: MediaContent): Source | undefined {
    switch (source.from) {
      case "url":
        return { url: source.url };
      case "remote": {
        const { openMedia } = this.runtime.handlers;
        return openMedia && { open: () => openMedia(source.reference) };
      }
      case "matrix":
        return undefined;
    }
  }
}

function failed({ action, reason, afterMs, transport }: TransferFailure): Uploaded {
  if (action === "permanent") return { refused: reason };
  return { verdict: { verdict: "retry", reason, transport, ...(afterMs !== undefined && { afterMs }) } };
}

function refusedPicture(message: string): MatrixResult<never> {
  return { ok: false, failure: { kind: "answered", status: 400, errcode: "M_UNKNOWN", message } };
}
