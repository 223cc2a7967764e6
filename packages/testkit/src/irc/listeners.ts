import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";

export interface ListenerOptions {
  readonly host: string;
  /** PEM. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** Whether `port` is plain although there is `tls`, which then has a port of its own. */
  readonly both: boolean;
  readonly accept: (socket: Socket, secure: TLSSocket | undefined) => void;
}

/** The ports of the server, plain and TLS, and every socket that came in by them. They stay the same across outages. */
export class Listeners {
  #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(
    private readonly options: ListenerOptions,
    public port: number,
    /** 0 where there is none. */
    public tlsPort: number,
  ) {}

  get listening(): boolean {
    return this.#servers.length > 0;
  }

  async open(): Promise<void> {
    const { tls, both, accept } = this.options;
    if (tls === undefined || both)
      this.port = await this.#listen(
        createServer((socket) => accept(socket, undefined)),
        this.port,
      );
    if (tls === undefined) return;
    // A certificate of the client is wanted for SASL EXTERNAL, whoever signed it.
    const server = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (socket) =>
      accept(socket, socket),
    );
    const port = await this.#listen(server, both ? this.tlsPort : this.port);
    this.tlsPort = port;
    if (!both) this.port = port;
  }

  async close(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #listen(server: Server, port: number): Promise<number> {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.options.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#servers.push(server);
    const address = server.address();
    return address !== null && typeof address === "object" ? address.port : port;
  }
}
