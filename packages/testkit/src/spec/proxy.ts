import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Agent, createServer, request as httpRequest } from "node:http";
import type { SpecDeviation } from "./deviations.js";
import type { SpecApi } from "./operations.js";
import type { SpecValidator } from "./validator.js";
import { specValidator } from "./validator.js";

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_DEVIATIONS = 1_000;

export interface SpecProxyOptions {
  /** Base URL of the server behind it, for example `http://127.0.0.1:8008`. */
  readonly target: string;
  /** `client-server` between a bridge and its homeserver, `application-service` between a homeserver and its bridge. */
  readonly api: SpecApi;
  /** Loopback port; 0 (the default) takes a free one. */
  readonly port?: number;
  /** Named in the deviations. Default `proxy`. */
  readonly peer?: string;
  /** Default: the process's own. Without one the proxy passes everything on and finds nothing. */
  readonly validator?: SpecValidator;
  /** Which side's deviations count. Default both. */
  readonly sides?: readonly ("request" | "response")[];
}

/** A loopback reverse proxy that holds what passes against the Matrix specification. */
export class SpecProxy {
  readonly #deviations: SpecDeviation[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #server: Server;
  readonly #target: URL;
  readonly #validator: SpecValidator | undefined;
  readonly #sides: readonly string[];
  #exchanges = 0;

  private constructor(private readonly options: SpecProxyOptions) {
    this.#target = new URL(options.target);
    this.#validator = options.validator ?? specValidator();
    this.#sides = options.sides ?? ["request", "response"];
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: SpecProxyOptions): Promise<SpecProxy> {
    const proxy = new SpecProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  /** What deviated, oldest first (at most 1 000). */
  get deviations(): readonly SpecDeviation[] {
    return this.#deviations;
  }

  /** Exchanges that passed. */
  get exchanges(): number {
    return this.#exchanges;
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestBody = await collect(request);
    const answer = await this.#forward(request, requestBody);
    const responseBody = await collect(answer);
    const status = answer.statusCode ?? 502;
    const headers = { ...answer.headers };
    delete headers["transfer-encoding"];
    response.writeHead(status, { ...headers, "content-length": responseBody.length });
    response.end(responseBody);
    this.#exchanges++;
    const target = request.url ?? "/";
    const mark = target.indexOf("?");
    const found = this.#validator?.check({
      api: this.options.api,
      method: request.method ?? "GET",
      path: mark < 0 ? target : target.slice(0, mark),
      query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
      requestType: request.headers["content-type"],
      requestBody,
      status,
      responseType: answer.headers["content-type"],
      responseBody,
      peer: this.options.peer ?? "proxy",
      ignoreRequest: !this.#sides.includes("request"),
      ignoreResponse: !this.#sides.includes("response"),
    });
    for (const deviation of found ?? []) {
      if (this.#deviations.length < MAX_DEVIATIONS) this.#deviations.push(deviation);
    }
  }

  #forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const headers = { ...request.headers, host: this.#target.host, "accept-encoding": "identity" };
    return new Promise((resolve, reject) => {
      const base = this.#target.pathname.replace(/\/$/u, "");
      const forwarded = httpRequest(
        {
          host: this.#target.hostname,
          port: this.#target.port,
          method: request.method,
          path: base + (request.url ?? "/"),
          headers,
          agent: this.#agent,
        },
        resolve,
      );
      forwarded.on("error", reject);
      forwarded.end(body);
    });
  }
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (!(chunk instanceof Buffer)) throw new Error("a body came as text");
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("a body is too long for the proxy");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
