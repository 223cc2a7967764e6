import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Delivers transactions as a homeserver does: one at a time over a kept connection, the same one again until it is answered 200. */
export class TransactionPusher {
  #socket: Socket | undefined;
  #received = "";
  #settle: ((status: number) => void) | undefined;

  constructor(
    private readonly port: number,
    private readonly token: string,
  ) {}

  async push(id: string, body: string): Promise<void> {
    for (;;) {
      const status = await this.#attempt(id, body);
      if (status === 200) return;
      await sleep(20);
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  #attempt(id: string, body: string): Promise<number> {
    return new Promise((resolve) => {
      this.#settle = (status) => {
        this.#settle = undefined;
        resolve(status);
      };
      const head =
        `PUT /_matrix/app/v1/transactions/${id} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\nAuthorization: Bearer ${this.token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      this.#connection().write(head + body);
    });
  }

  #connection(): Socket {
    if (this.#socket) return this.#socket;
    const socket = connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#received = "";
    const drop = (): void => {
      if (this.#socket === socket) this.#socket = undefined;
      socket.destroy();
      this.#settle?.(0);
    };
    socket.on("data", (chunk) => this.#read(chunk.toString("latin1")));
    socket.on("error", drop);
    socket.on("close", drop);
    return socket;
  }

  #read(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const complete =
      length === undefined
        ? this.#received.endsWith("\r\n0\r\n\r\n")
        : this.#received.length >= headEnd + 4 + Number(length);
    if (!complete) return;
    this.#received = "";
    this.#settle?.(Number(head.slice(9, 12)));
  }
}
