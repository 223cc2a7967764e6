import type { Readable } from "node:stream";
import { retry, type Failure, type MediaContent, type Network } from "@trestle/core";
import { request, type Dispatcher } from "undici";
import { element, ns } from "./content/index.js";
import { readDiscoInfo, readDiscoItems, readUploadSlot, uploadRequest, type UploadSlot } from "./protocol/index.js";
import type { Answer, Element, XmppStream } from "./stream/index.js";

export interface UploadsOptions {
  readonly stream: XmppStream;
  readonly network: Network;
  /** Who asks: the component's domain, or an account. */
  readonly asker: string;
  /** The server that may offer a service. */
  readonly server: string;
  /** The service to use; found where absent. */
  readonly service?: string | undefined;
  /** Asked for what connects to an address at which a file is to be put; it throws where none may be. */
  readonly dispatcherFor?: ((url: string) => Dispatcher) | undefined;
  /** Where files go for which there is no place here. */
  readonly otherwise?: Pick<Uploads, "urlOf">;
}

/** Where files can be put. */
interface Service {
  readonly jid: string;
  /** In bytes. */
  readonly largest: number | undefined;
}

const FOUND_FOR_MS = 3_600_000;
const NOT_FOUND_FOR_MS = 60_000;
/** A file is said in several rooms, and said again where the first attempt failed. */
const MOST_KNOWN = 200;
const KNOWN_FOR_MS = 3_600_000;
const MOST_ITEMS = 50;
const TRANSFER_MS = 120_000;
/** Of a file whose size nobody tells. */
const MOST_BUFFERED = 8 * 1024 * 1024;

/** Puts files of Matrix where people on XMPP can have them: with the HTTP upload service of the server (XEP-0363). */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #known = new Map<string, { readonly url: string; readonly until: number }>();
  #service: { readonly found: Promise<Service | undefined>; until: number } | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /**
   * An address under which anybody can have a file. `undefined` where there is no place for it (no service, too large): a
   * link to the media proxy is left then. A failure where it may be possible later.
   */
  async urlOf(media: MediaContent, signal: AbortSignal): Promise<string | Failure | undefined> {
    return (await this.#urlOf(media, signal)) ?? (await this.#options.otherwise?.urlOf(media, signal));
  }

  async #urlOf(media: MediaContent, signal: AbortSignal): Promise<string | Failure | undefined> {
    const { source } = media;
    if (source.from !== "matrix") return source.from === "url" ? source.url : undefined;
    const known = this.#known.get(source.uri);
    if (known && known.until > Date.now()) return known.url;
    const { log } = this.#options.network;
    if (this.#options.stream.state.state !== "online") return retry("Not connected to the XMPP server");
    const service = await this.#find();
    if (!service) return undefined;
    try {
      const url = await this.#upload(service, media, source.uri, signal);
      if (url !== undefined) this.#remember(source.uri, url);
      return url;
    } catch (error) {
      // Rather a link than nothing, and what follows it must not wait.
      log.warn(
        { err: error, service: service.jid, file: source.uri },
        "A file could not be uploaded to the XMPP server",
      );
      return undefined;
    }
  }

  #remember(uri: string, url: string): void {
    this.#known.delete(uri);
    this.#known.set(uri, { url, until: Date.now() + KNOWN_FOR_MS });
    const oldest = this.#known.size > MOST_KNOWN ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  async #upload(
    service: Service,
    media: MediaContent,
    uri: Parameters<Network["openMedia"]>[0],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const file = await this.#options.network.openMedia(uri);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(TRANSFER_MS)]);
    try {
      const body = file.size === undefined ? await buffered(file.stream) : file.stream;
      const size = file.size ?? (Buffer.isBuffer(body) ? body.length : undefined);
      if (body === undefined || size === undefined || size > (service.largest ?? Infinity)) return undefined;
      const mimeType = media.mimeType ?? file.mimeType;
      const slot = await this.#slot(service, { name: media.name, size, mimeType }, limited);
      if (!slot) return undefined;
      const dispatcher = this.#options.dispatcherFor?.(slot.put);
      const answer = await request(slot.put, {
        ...(dispatcher && { dispatcher }),
        method: "PUT",
        headers: { ...slot.headers, "content-type": mimeType, "content-length": String(size) },
        body,
        signal: limited,
      });
      await answer.body.dump();
      if (answer.statusCode !== 200 && answer.statusCode !== 201)
        throw new Error(`The upload service answered ${answer.statusCode}.`);
      return slot.get;
    } finally {
      file.stream.destroy();
    }
  }

  async #slot(
    { jid }: Service,
    file: Parameters<typeof uploadRequest>[0],
    signal: AbortSignal,
  ): Promise<UploadSlot | undefined> {
    const answer = await this.#ask(jid, "get", uploadRequest(file), signal);
    if (answer.kind === "failure") throw new Error(answer.failure.reason);
    if (answer.kind === "error") {
      this.#options.network.log.warn(
        { service: jid, error: answer.error.text ?? answer.error.condition },
        "The upload service gives no place for a file: let it be used, and for files as large as Matrix has them",
      );
      return undefined;
    }
    const slot = answer.stanza.getChild("slot", ns.httpUpload);
    return slot && readUploadSlot(slot);
  }

  #find(): Promise<Service | undefined> {
    if (this.#service && this.#service.until > Date.now()) return this.#service.found;
    const service = { found: this.#discover(), until: Date.now() + FOUND_FOR_MS };
    this.#service = service;
    void service.found.then((found) => {
      if (!found) service.until = Date.now() + NOT_FOUND_FOR_MS;
    });
    return service.found;
  }

  /** Among what the server has. */
  async #discover(): Promise<Service | undefined> {
    const { asker, server, service } = this.#options;
    if (service !== undefined) return (await this.#look(service)) ?? { jid: service, largest: undefined };
    const own = await this.#look(server);
    if (own) return own;
    const answer = await this.#ask(server, "get", element("query", { xmlns: ns.discoItems }));
    const query = answer.kind === "result" ? answer.stanza.getChild("query", ns.discoItems) : undefined;
    const items = query ? readDiscoItems(query).items.slice(0, MOST_ITEMS) : [];
    for (const { jid, node } of items) {
      const found = node === undefined && jid !== asker && !jid.includes("@") ? await this.#look(jid) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  async #look(jid: string): Promise<Service | undefined> {
    const answer = await this.#ask(jid, "get", element("query", { xmlns: ns.discoInfo }));
    const query = answer.kind === "result" ? answer.stanza.getChild("query", ns.discoInfo) : undefined;
    const info = query && readDiscoInfo(query);
    if (info?.features.includes(ns.httpUpload) !== true) return undefined;
    const form = info.forms.find(({ formType }) => formType === ns.httpUpload);
    const largest = Number(form?.fields.find(({ name }) => name === "max-file-size")?.values[0]);
    return { jid, largest: largest > 0 ? largest : undefined };
  }

  #ask(to: string, type: "get" | "set", payload: Element, signal?: AbortSignal): Promise<Answer> {
    const { stream, asker } = this.#options;
    return stream.request(
      element("iq", { type, from: asker, to }, payload),
      signal ? { signal } : { timeoutMs: 10_000 },
    );
  }
}

async function buffered(stream: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > MOST_BUFFERED) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
