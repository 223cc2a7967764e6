import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** An HTTP server on a loopback port, a free one where none is given. */
export async function httpServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  listenPort = 0,
): Promise<TestServer> {
  const server: Server = createHttpServer((request, response) => {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    void handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(listenPort, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A TCP server that misbehaves below HTTP: `handler` gets each socket and how many came before it. */
export async function tcpServer(handler: (socket: Socket, index: number) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    handler(socket, count++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Something that happens once and can be waited for. */
export class Signal {
  readonly #promise: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor() {
    this.#promise = new Promise((resolve) => (this.#resolve = resolve));
  }

  set(): void {
    this.#resolve();
  }

  wait(): Promise<void> {
    return this.#promise;
  }
}
