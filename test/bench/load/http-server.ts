import { createServer, type Server, type Socket } from "node:net";

/** An HTTP/1.1 server over bare sockets: it must cost less than what is measured against it. Bodies need a Content-Length. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** How long the server works on it, in milliseconds; requests are worked on one after the other. */
  readonly costMs?: number;
}

export type Answerer = (method: string, target: string, body: string) => Answer;

const headEnd = Buffer.from("\r\n\r\n");
const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
};

export class BareHttpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #freeAt = 0;

  constructor(private readonly answer: Answerer) {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** Resolves to the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The load generator has no port");
    return address.port;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let rest: Buffer | undefined;
    socket.on("data", (chunk) => {
      let data = rest ? Buffer.concat([rest, chunk]) : chunk;
      for (;;) {
        const used = this.#takeRequest(socket, data);
        if (used === 0) break;
        data = data.subarray(used);
      }
      rest = data.length > 0 ? data : undefined;
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** Answers the request at the start of `data`; returns how many bytes it has, 0 where it is not complete. */
  #takeRequest(socket: Socket, data: Buffer): number {
    const headLength = data.indexOf(headEnd);
    if (headLength < 0) return 0;
    const head = data.toString("latin1", 0, headLength);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const total = headLength + headEnd.length + length;
    if (data.length < total) return 0;
    const methodEnd = head.indexOf(" ");
    const target = head.slice(methodEnd + 1, head.indexOf(" ", methodEnd + 1));
    const answer = this.answer(head.slice(0, methodEnd), target, data.toString("utf8", total - length, total));
    if (answer.costMs === undefined) respond(socket, answer);
    else this.#respondInTurn(socket, answer, answer.costMs);
    return total;
  }

  #respondInTurn(socket: Socket, answer: Answer, costMs: number): void {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + costMs;
    setTimeout(() => respond(socket, answer), this.#freeAt - now);
  }
}

function respond(socket: Socket, { status, body }: Answer): void {
  if (socket.destroyed) return;
  const head = `HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.write(head + body);
}
