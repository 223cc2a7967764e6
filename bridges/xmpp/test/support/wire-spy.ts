import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** Stands between a component and its server: sees every byte, and can cut or stop the line. */
export class WireSpy {
  /** All that the component sent, over all connections. */
  sent = "";
  /** What the server said as it ended a stream. */
  readonly streamErrors: string[] = [];
  connections = 0;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #stopped = false;
  #refusing = false;
  #deaf = false;

  private constructor(private readonly server: Server) {}

  /** Listens on a port of its own for what is to go to `port`. */
  static async before(port: number): Promise<WireSpy> {
    const server = createServer();
    const spy = new WireSpy(server);
    server.on("connection", (near) => spy.#accept(near, port));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return spy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Refuses new connections, and cuts those there are. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  admit(): void {
    this.#refusing = false;
  }

  /** Nothing passes any more in either direction, but connections stay. */
  freeze(): void {
    this.#stopped = true;
    for (const [near, far] of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** The server learns that the frozen connections are gone, and new ones pass again. */
  thaw(): void {
    this.#stopped = false;
    this.cut();
  }

  /** What the server says is lost, without a word. */
  deafen(): void {
    this.#deaf = true;
  }

  hear(): void {
    this.#deaf = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #accept(near: Socket, port: number): void {
    this.connections += 1;
    if (this.#refusing) {
      near.destroy();
      return;
    }
    const far = connect({ host: "127.0.0.1", port });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.on("data", (data) => {
      this.sent += data.toString("latin1");
      if (!this.#stopped) far.write(data);
    });
    far.on("data", (data) => {
      const error = /<stream:error>.*/s.exec(data.toString("latin1"))?.[0];
      if (error !== undefined) this.streamErrors.push(error);
      if (!this.#stopped && !this.#deaf) near.write(data);
    });
  }
}
