import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A line to a port on this machine that can be cut. */
export class TcpLine {
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<TcpLine> {
    const server = createServer();
    const line = new TcpLine(server);
    server.on("connection", (near) => line.#join(near, connect({ host: "127.0.0.1", port })));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection without a word; what was on its way is lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #join(near: Socket, far: Socket): void {
    const both = [near, far];
    const end = (): void => {
      for (const socket of both) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on("error", end).on("close", end);
    }
    near.pipe(far).pipe(near);
  }
}
