import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay on the loopback interface that can be shut in an instant: what was on its way through is gone. */
export class Gate {
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private target: number,
  ) {}

  /** Listens on a free port and passes on to `target`. */
  static async open(target: number): Promise<Gate> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The system gave no port.");
    const gate = new Gate(server, address.port, target);
    server.on("connection", (socket) => gate.#accept(socket));
    return gate;
  }

  /** Has a free port to itself, and lets nobody in until it is led somewhere. */
  static async openShut(): Promise<Gate> {
    const gate = await Gate.open(0);
    gate.shut();
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Passes new connections on to another port, and opens where it was shut. */
  lead(target: number): void {
    this.target = target;
    this.#open = true;
  }

  /** Breaks every connection off and lets none in. */
  shut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async close(): Promise<void> {
    this.shut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(socket: Socket): void {
    if (!this.#open) {
      socket.destroy();
      return;
    }
    const onward = connect({ port: this.target, host: "127.0.0.1" });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      // The end of one side is the end of the other, whatever the reason.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
