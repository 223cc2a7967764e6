import { LRUCache } from "lru-cache";
import type { RemotePicture } from "../connector/events.js";
import { ContentUri } from "../connector/ids.js";
import { atMost } from "../mapping/cache-bound.js";
import { GuardedFetcher } from "../media/guard.js";
import { MediaTransfer } from "../media/transfer.js";
import type { BridgeRuntime } from "./runtime.js";

/** What is meant to stand in a line of text is no larger. */
const mostBytes = 1024 * 1024;
const timeoutMs = 10_000;
/** So many are remembered; an older one is uploaded again. */
const mostKept = 10_000;
const failedForMs = 10 * 60_000;
const longestName = 100;

/** Small pictures of the network, such as its own emoji, on the homeserver: each is brought there once. */
export class Pictures {
  readonly #transfer: MediaTransfer;
  readonly #failed = new LRUCache<string, true>({ ...atMost(5_000), ttl: failedForMs });
  readonly #underWay = new Map<string, Promise<ContentUri | undefined>>();

  constructor(readonly runtime: BridgeRuntime) {
    const { maxBytes: mostOfAll, allowPrivate } = runtime.global.media;
    const maxBytes = Math.min(mostBytes, mostOfAll);
    this.#transfer = new MediaTransfer({
      client: runtime.client,
      fetcher: new GuardedFetcher({ maxBytes, allowPrivate, timeoutMs }),
      maxBytes,
      spoolDirectory: runtime.global.dataDirectory,
      onBytes: (bytes) => runtime.metrics.mediaBytes("toMatrix", bytes),
    });
  }

  /** `undefined` where it cannot be had: what is shown instead is the connector's to know. */
  async uriOf(picture: RemotePicture): Promise<ContentUri | undefined> {
    const { id } = picture;
    if (this.#failed.has(id)) return undefined;
    const { store, key } = this.runtime;
    const known = await store.get<{ uri: string }>("SELECT uri FROM picture WHERE bridge = ? AND source = ?", key, id);
    if (known) return ContentUri(known.uri);
    const underWay = this.#underWay.get(id) ?? this.#upload(picture).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, underWay);
    return underWay;
  }

  /** What the network calls a picture that it is known to have. */
  async nameOf(uri: string): Promise<string | undefined> {
    const row = await this.runtime.store.get<{ name: string }>(
      "SELECT name FROM picture WHERE bridge = ? AND uri = ? AND name IS NOT NULL ORDER BY id DESC LIMIT 1",
      this.runtime.key,
      uri,
    );
    return row?.name;
  }

  async #upload({ id, url, name }: RemotePicture): Promise<ContentUri | undefined> {
    const { store, key, bot, log } = this.runtime;
    const fileName = name === undefined ? "picture" : name.slice(0, longestName);
    const signal = AbortSignal.timeout(timeoutMs);
    const result = await this.#transfer.upload({ source: { url }, fileName, asUser: bot, signal });
    if (!result.ok || !result.media.mimeType.startsWith("image/")) {
      const reason = result.ok ? `it is ${result.media.mimeType}` : result.failure.reason;
      log.info({ picture: name, reason }, "A picture of the network could not be taken over");
      this.#failed.set(id, true);
      return undefined;
    }
    const { uri } = result.media;
    await store.commit([
      ["addPicture", key, id, uri, name ?? null],
      ["prunePictures", key, key, mostKept],
    ]);
    return uri;
  }
}
