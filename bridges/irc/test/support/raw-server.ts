import { createServer, type Server, type Socket } from "node:net";
import { patiently } from "../../../../test/support/bounded.js";

/** A server that does nothing by itself: tests write and read its sockets. */
export class RawServer {
  readonly sockets: Socket[] = [];
  /** Everything each socket received. */
  readonly received: string[] = [];
  #waiting: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<RawServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const raw = new RawServer(server, address.port);
    server.on("connection", (socket) => raw.#accept(socket));
    return raw;
  }

  /** Waits until `condition` is true; looked at whenever something arrives. */
  async until(what: string, condition: () => boolean, milliseconds = 20_000): Promise<void> {
    const deadline = Date.now() + patiently(milliseconds);
    while (!condition()) {
      if (Date.now() > deadline)
        throw new Error(`waited in vain for ${what}; received ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(socket: Socket): void {
    const index = this.sockets.push(socket) - 1;
    this.received[index] = "";
    socket.on("data", (chunk) => {
      this.received[index] = (this.received[index] ?? "") + chunk.toString("latin1");
      this.#tell();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#tell());
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
