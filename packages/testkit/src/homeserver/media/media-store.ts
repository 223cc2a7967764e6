import type { Clock } from "../clock.js";
import { forbidden, MatrixError, notFound } from "../errors.js";
import { randomLetters } from "../ids.js";

export interface StoredMedia {
  readonly mediaId: string;
  readonly owner: string;
  readonly contentType: string;
  readonly filename: string | undefined;
  readonly body: Buffer;
}

interface PendingMedia {
  readonly mediaId: string;
  readonly owner: string;
  readonly expires: number;
}

/** Largest upload, in bytes; what `/media/config` answers. */
export const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;
const MAX_PENDING_PER_USER = 5;

/** Uploaded media, and those that were created and wait for their content. */
export class MediaStore {
  readonly #media = new Map<string, StoredMedia>();
  readonly #pending = new Map<string, PendingMedia>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(
    private readonly pendingMs: number,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#media.size;
  }

  add(media: Omit<StoredMedia, "mediaId">): StoredMedia {
    const stored = { mediaId: randomLetters(24), ...media };
    this.#media.set(stored.mediaId, stored);
    return stored;
  }

  /**
   * `POST /_matrix/media/v1/create`.
   * @throws MatrixError 429 with the 24 hours of Synapse when too many of a limited owner's media wait
   */
  reserve(owner: string, limited: boolean): { mediaId: string; expires: number } {
    const now = this.clock.now();
    for (const [mediaId, pending] of this.#pending) if (pending.expires <= now) this.#pending.delete(mediaId);
    const waiting = [...this.#pending.values()].filter((pending) => pending.owner === owner).length;
    if (limited && waiting >= MAX_PENDING_PER_USER) {
      throw new MatrixError(
        429,
        "M_LIMIT_EXCEEDED",
        "Too Many Requests",
        { retry_after_ms: 86_400_000 },
        { "retry-after": "86400" },
      );
    }
    const pending = { mediaId: randomLetters(24), owner, expires: now + this.pendingMs };
    this.#pending.set(pending.mediaId, pending);
    return pending;
  }

  /** The content of a reserved medium. Only its creator may give it, and only once. */
  complete(mediaId: string, media: Omit<StoredMedia, "mediaId">): void {
    if (this.#media.has(mediaId)) {
      throw new MatrixError(409, "M_CANNOT_OVERWRITE_MEDIA", "Media ID already has content");
    }
    const pending = this.#pending.get(mediaId);
    if (pending === undefined || pending.expires <= this.clock.now()) throw notFound("Unknown or expired media ID");
    if (pending.owner !== media.owner) throw forbidden("Only the creator of the media ID can upload to it");
    this.#pending.delete(mediaId);
    this.#media.set(mediaId, { mediaId, ...media });
    for (const wake of this.#waiting.get(mediaId) ?? []) wake();
  }

  /** @throws MatrixError 504 `M_NOT_YET_UPLOADED` where it is pending longer than `timeoutMs`, 404 where unknown */
  async get(mediaId: string, timeoutMs: number, signal: AbortSignal): Promise<StoredMedia> {
    if (this.#pending.has(mediaId) && timeoutMs > 0) await this.#uploaded(mediaId, timeoutMs, signal);
    const media = this.#media.get(mediaId);
    if (media !== undefined) return media;
    if (this.#pending.has(mediaId)) throw new MatrixError(504, "M_NOT_YET_UPLOADED", "Media has not been uploaded yet");
    throw notFound("Media not found");
  }

  #uploaded(mediaId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(mediaId) ?? new Set<() => void>();
      this.#waiting.set(mediaId, waiting);
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        waiting.delete(finish);
        if (waiting.size === 0) this.#waiting.delete(mediaId);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      signal.addEventListener("abort", finish);
      waiting.add(finish);
    });
  }
}
