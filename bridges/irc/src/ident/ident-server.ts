import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "@trestle/core";
import type { SocketEnds } from "../holder/frames.js";
import { answerTo, type IdentQuery, LONGEST_QUERY, NOT_UNDERSTOOD, parseQuery } from "./query.js";

/** How many may ask at the same time. */
const MOST_ASKING = 256;
/** How long somebody may take to ask, or a connection that is being opened to become known. */
const PATIENCE_MS = 10_000;

/** A connection of ours to a server. */
export interface IdentClient {
  readonly username: string;
  /** Unknown while it is being opened. */
  readonly ends: SocketEnds | undefined;
  readonly ended: boolean;
}

export interface IdentServerOptions {
  /** The local address; all of them where absent. */
  readonly address: string | undefined;
  readonly port: number;
  readonly clients: () => Iterable<IdentClient>;
  readonly log: Logger;
}

interface Asking {
  readonly socket: Socket;
  /** Whom the question concerns: both addresses are those of the connection that is asked about. */
  readonly here: string;
  readonly there: string;
  query: IdentQuery | undefined;
}

/**
 * Tells servers to which we are connected whose each connection is (RFC 1413), so that they show user names without a `~`
 * and can tell people apart. Nobody else gets an answer. A server asks the moment we connect, which may be before we
 * know our own port: then the answer waits for that.
 */
export class IdentServer {
  readonly #server: Server;
  readonly #asking = new Set<Asking>();
  readonly #sockets = new Set<Socket>();

  constructor(private readonly options: IdentServerOptions) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Rejects with an `Error` for the operator where it cannot listen. */
  async start(): Promise<void> {
    const { address, port, log } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => {
        const where = address === undefined ? `port ${port}` : `${address}, port ${port}`;
        const cure = "give it another port to which 113 is redirected, or let it listen below 1024";
        reject(new Error(`The ident server cannot listen at ${where}: ${error.message}; ${cure}`, { cause: error }));
      });
      this.#server.listen({ port, ...(address !== undefined && { host: address }) }, resolve);
    });
    this.#server.on("error", (error) => log.error({ err: error }, "the ident server has trouble"));
  }

  /** Where it listens. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  /** A connection of ours was opened, or has ended. */
  changed(): void {
    for (const asking of [...this.#asking]) this.#look(asking, false);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const here = plainAddress(socket.localAddress);
    const there = plainAddress(socket.remoteAddress);
    // Whoever asks for nothing has nothing more to say about it.
    socket.on("error", () => undefined);
    if (this.#sockets.size >= MOST_ASKING || !this.#concerns(there)) {
      socket.destroy();
      return;
    }
    const asking: Asking = { socket, here, there, query: undefined };
    this.#asking.add(asking);
    this.#sockets.add(socket);
    const timer = setTimeout(() => {
      if (asking.query === undefined) socket.destroy();
      else this.#look(asking, true);
    }, PATIENCE_MS);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#asking.delete(asking);
      this.#sockets.delete(socket);
    });
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      const end = heard.search(/\r?\n/);
      if (end !== -1 && end <= LONGEST_QUERY) this.#asked(asking, heard.slice(0, end));
      else if (heard.length > LONGEST_QUERY) socket.destroy();
    });
    socket.on("end", () => {
      if (asking.query === undefined) socket.destroy();
    });
  }

  #asked(asking: Asking, line: string): void {
    asking.socket.removeAllListeners("data").resume();
    asking.query = parseQuery(line);
    if (asking.query) this.#look(asking, false);
    else this.#answer(asking, NOT_UNDERSTOOD);
  }

  /** `final`: there is no more time. */
  #look(asking: Asking, final: boolean): void {
    const { query, here, there } = asking;
    if (!query) return;
    const clients = [...this.options.clients()].filter(({ ended }) => !ended);
    const asked = clients.find(
      ({ ends }) =>
        ends !== undefined &&
        ends.localPort === query.here &&
        ends.remotePort === query.there &&
        plainAddress(ends.localAddress) === here &&
        plainAddress(ends.remoteAddress) === there,
    );
    const mayCome = !final && clients.some(({ ends }) => ends === undefined);
    if (asked || !mayCome) this.#answer(asking, answerTo(query, asked?.username));
  }

  #answer(asking: Asking, line: string): void {
    this.#asking.delete(asking);
    asking.socket.end(line, "latin1");
    // Who does not close is closed.
    asking.socket.setTimeout(PATIENCE_MS, () => asking.socket.destroy());
  }

  /** Whether an address is that of a server of ours, as far as that is known. */
  #concerns(address: string): boolean {
    return [...this.options.clients()].some(
      ({ ends, ended }) => !ended && (ends === undefined || plainAddress(ends.remoteAddress) === address),
    );
  }
}

/** IPv4 as such, also where a socket takes both kinds. */
function plainAddress(address = ""): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
