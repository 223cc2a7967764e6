import { type IncomingHttpHeaders, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { ContentUri, EventId, RoomId } from "../../dist/connector/ids.js";
import { MatrixClient } from "../../dist/matrix/client.js";
import { MediaProxy, type MediaProxyOptions } from "../../dist/media/proxy.js";
import { httpServer, type TestServer } from "./wire-server.js";

export const room = RoomId("!room:example.org");
export const event = EventId("$event");
export const uri = ContentUri("mxc://example.org/media");
export const file = Buffer.from("0123456789");

type Upstream = (request: IncomingMessage, response: ServerResponse) => void;

export interface RunningProxy {
  readonly proxy: MediaProxy;
  /** A link's path on the listener's own address. */
  readonly local: (link: string) => string;
}

/** A homeserver of one answer with media proxies before it. */
export class ProxyBench {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #revoked = new Set<EventId>();
  readonly statuses: number[] = [];
  upstream: Upstream = (_request, response) => {
    response.writeHead(200, { "content-type": "image/png", "content-length": file.length }).end(file);
  };

  private constructor(readonly homeserver: TestServer) {}

  static async start(): Promise<ProxyBench> {
    const holder: { bench?: ProxyBench } = {};
    const homeserver = await httpServer((request, response) => holder.bench?.upstream(request, response));
    holder.bench = new ProxyBench(homeserver);
    return holder.bench;
  }

  client(): MatrixClient {
    const client = new MatrixClient({ url: this.homeserver.url, asToken: "secret-token" });
    this.#closers.push(() => client.close());
    return client;
  }

  async proxy(options: Partial<MediaProxyOptions> = {}): Promise<RunningProxy> {
    const proxy = new MediaProxy({
      client: this.client(),
      secret: Buffer.alloc(32, 1),
      publicUrl: "https://bridge.example.org/files/",
      host: "127.0.0.1",
      port: 0,
      expireMs: 60_000,
      maxBytes: 1_000,
      revocations: {
        isRevoked: (id) => Promise.resolve(this.#revoked.has(id)),
        revoke: async (id) => void this.#revoked.add(id),
      },
      onRequest: (status) => this.statuses.push(status),
      ...options,
    });
    const { port } = await proxy.start();
    this.#closers.push(() => proxy.close());
    return { proxy, local: (link) => `http://127.0.0.1:${port}${new URL(link).pathname}` };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    await this.homeserver.close();
  }
}

export const link = (proxy: MediaProxy, name = "photo.png"): string => proxy.link({ uri, name, room, event });

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The connection broke before the announced end. */
  readonly broken: boolean;
}

export function get(
  url: string,
  headers: Record<string, string> = {},
  method = "GET",
  onData?: () => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, method, agent: false }, (response) => {
      let body = "";
      let broken = false;
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString("latin1");
        onData?.();
      });
      response.on("error", () => (broken = true));
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          broken: broken || !response.complete,
        }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}
