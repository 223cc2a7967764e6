import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ContentUri, EventId, RoomId } from "../connector/ids.js";
import type { Logger } from "../log/logger.js";
import type { MatrixClient } from "../matrix/client.js";
import { safeFileName } from "./file-name.js";
import { refuse, serveMedia, servePage } from "./proxy-answer.js";
import type { EventPresence, RevocationStore } from "./revocation.js";
import { type MediaGrant, MediaSigner } from "./signer.js";

export interface MediaProxyOptions {
  readonly client: Pick<MatrixClient, "downloadMedia">;
  /** At least 32 bytes; see `loadMediaSecret`. */
  readonly secret: Uint8Array;
  /** Under which people reach the listener, e.g. `https://bridge.example.org`; a path in it is kept. */
  readonly publicUrl: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long a link works, in milliseconds. */
  readonly expireMs: number;
  /** The largest file that is served, in bytes. */
  readonly maxBytes: number;
  readonly revocations: RevocationStore;
  /** Asks whether the event is still there before its file is served; see `eventPresence`. */
  readonly checkEvent?: (room: RoomId, event: EventId, signal?: AbortSignal) => Promise<EventPresence>;
  /** What an event says, as an HTML document; without it links to texts lead nowhere. */
  readonly readText?: (room: RoomId, event: EventId, signal: AbortSignal) => Promise<TextPage>;
  /** Downloads at once; 12 where absent, so that uploads always find a connection to the homeserver. */
  readonly maxConcurrent?: number;
  readonly log?: Logger;
  /** In milliseconds since 1970; for tests. */
  readonly now?: () => number;
  /** Called once a request. */
  readonly onRequest?: (status: number) => void;
  readonly onBytes?: (bytes: number) => void;
}

/** What an event says, as an HTML document; `unknown`: it cannot be read now. */
export type TextPage = { readonly html: string } | "gone" | "unknown";

export interface MediaLinkRequest {
  readonly uri: ContentUri;
  /** Of any characters; the link has a safe form of it. */
  readonly name: string;
  readonly room: RoomId;
  readonly event: EventId;
}

const dayMs = 24 * 3_600_000;
const avatarName = "avatar";
const textName = "message.html";
/** Stands in a grant that leads to an event's own text, and not to a file. */
const textUri = ContentUri("mxc://");

/** A download under way. */
export interface Transfer {
  readonly event: EventId;
  readonly abort: AbortController;
}

/**
 * Serves Matrix media to people on networks without media, by links that are signed for one file of one event, expire,
 * and stop working when the event is redacted. Nothing can be asked of it that was not signed before.
 */
export class MediaProxy {
  readonly #signer: MediaSigner;
  readonly #server: Server;
  readonly #transfers = new Set<Transfer>();
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(private readonly options: MediaProxyOptions) {
    this.#signer = new MediaSigner(options.secret);
    this.#prefix = options.publicUrl.replace(/\/+$/, "");
    this.#now = options.now ?? Date.now;
    this.#server = createServer({
      keepAliveTimeout: 5_000,
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      maxHeaderSize: 16 * 1024,
    });
    this.#server.maxConnections = 512;
    this.#server.on("request", (request, response) => void this.#handle(request, response));
    // A malformed request gets a 400 and never reaches a handler.
    this.#server.on("clientError", (_error, socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      else socket.destroy();
    });
  }

  /** A public link to the file. It ends in a file name, as people and programs expect it. */
  link({ uri, name, room, event }: MediaLinkRequest): string {
    const fileName = safeFileName(name);
    const token = this.#signer.sign({ uri, room, event, expiresAt: this.#now() + this.options.expireMs }, fileName);
    return `${this.#prefix}/media/v1/${token}/${encodeURIComponent(fileName)}`;
  }

  /**
   * A public link to a person's picture, which is nobody's message: it ends by its time alone. The same for a whole day, so
   * that whoever shows it need not fetch it for each message.
   */
  avatarLink(uri: ContentUri): string {
    const today = Math.floor(this.#now() / dayMs) * dayMs;
    const grant = { uri, room: RoomId(""), event: EventId(""), expiresAt: today + dayMs + this.options.expireMs };
    return `${this.#prefix}/media/v1/${this.#signer.sign(grant, avatarName)}/${avatarName}`;
  }

  /** A public link to a page with what an event says, for networks that take only little text. */
  textLink(room: RoomId, event: EventId): string {
    const grant = { uri: textUri, room, event, expiresAt: this.#now() + this.options.expireMs };
    return `${this.#prefix}/media/v1/${this.#signer.sign(grant, textName)}/${textName}`;
  }

  /** Listens. Rejects where the address is not to be had. */
  start(): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.options.port, this.options.host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) =>
          this.options.log?.error({ err: error }, "the media proxy's listener failed"),
        );
        const address = this.#server.address();
        resolve({
          host: this.options.host,
          port: typeof address === "object" && address !== null ? address.port : this.options.port,
        });
      });
    });
  }

  /** Ends every link to files of an event, for ever, and the downloads of them that are under way. */
  async revoke(event: EventId): Promise<void> {
    await this.options.revocations.revoke(event);
    for (const transfer of this.#transfers) if (transfer.event === event) transfer.abort.abort();
  }

  /** Stops listening and ends the downloads under way. */
  async close(): Promise<void> {
    for (const transfer of this.#transfers) transfer.abort.abort();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once("close", () => this.options.onRequest?.(response.statusCode));
    // A socket that breaks is nothing to report: the client is gone.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    response.setTimeout(120_000, () => response.destroy());
    request.resume();
    try {
      await this.#serve(request, response);
    } catch (error) {
      this.options.log?.error({ err: error }, "a request to the media proxy failed");
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "The file could not be served.");
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      refuse(response, 405, "Only GET and HEAD.");
      return;
    }
    const asked = readPath(request.url ?? "");
    const grant = asked === undefined ? undefined : this.#signer.verify(asked.token, asked.fileName);
    if (asked === undefined || grant === undefined) {
      refuse(response, 404, "There is no such file.");
      return;
    }
    if (grant.expiresAt <= this.#now()) {
      refuse(response, 410, "This link has expired.");
      return;
    }
    if (this.#transfers.size >= (this.options.maxConcurrent ?? 12)) {
      response.setHeader("retry-after", "5");
      refuse(response, 503, "Too many downloads at the moment. Try again in some seconds.");
      return;
    }
    const transfer = { event: grant.event, abort: new AbortController() };
    this.#transfers.add(transfer);
    response.once("close", () => transfer.abort.abort());
    const { signal } = transfer.abort;
    try {
      const presence = await this.#presence(grant, signal);
      if (presence === "unknown") {
        refuse(response, 503, "It cannot be found out whether this file was removed. Try again later.");
        return;
      }
      // The signal: revoked while the homeserver was asked.
      if (presence === "gone" || signal.aborted) {
        refuse(response, 410, "This file was removed.");
        return;
      }
      if (grant.uri === textUri) {
        await this.#serveText(response, grant, signal);
        return;
      }
      await serveMedia({ ...this.options, request, response, grant, fileName: asked.fileName, signal });
    } finally {
      this.#transfers.delete(transfer);
    }
  }

  async #serveText(response: ServerResponse, { room, event }: MediaGrant, signal: AbortSignal): Promise<void> {
    const text = (await this.options.readText?.(room, event, signal)) ?? "unknown";
    if (text === "gone" || signal.aborted) refuse(response, 410, "This message was removed.");
    else if (text === "unknown") refuse(response, 503, "This message cannot be read now. Try again later.");
    else servePage(response, text.html);
  }

  async #presence({ room, event }: MediaGrant, signal: AbortSignal): Promise<EventPresence> {
    if (event === "") return "present";
    try {
      if (await this.options.revocations.isRevoked(event)) return "gone";
      return (await this.options.checkEvent?.(room, event, signal)) ?? "present";
    } catch (error) {
      this.options.log?.error(
        { err: error, event },
        "it could not be read whether a media link was revoked; nothing is served",
      );
      return "unknown";
    }
  }
}

/** Anything may stand before `/media/v1/`: proxies differ in whether they strip the path they forward. */
function readPath(url: string): { readonly token: string; readonly fileName: string } | undefined {
  const match = /^[^?#]*\/media\/v1\/([A-Za-z0-9_-]{1,4096})\/([^/?#]{1,1024})(?:\?[^#]*)?$/.exec(url);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  try {
    return { token: match[1], fileName: decodeURIComponent(match[2]) };
  } catch {
    // Not percent-encoded UTF-8: no link of ours.
    return undefined;
  }
}
