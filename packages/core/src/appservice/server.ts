import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "../log/logger.js";
import { HomeserverTokens } from "./authentication.js";
import { readBody } from "./body-reader.js";
import { Overloaded, type AppServiceHandler } from "./handler.js";
import { answer, answerError } from "./answer.js";
import type { queryRoutes } from "./routes.js";
import { readTransactionBody } from "./transaction-body.js";

export interface AppServiceServerOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** One bridge a registration; told apart by their tokens. */
  readonly bridges: readonly { readonly hsToken: string; readonly handler: AppServiceHandler }[];
}

/** Whose requests are answered. */
export type ServedBridges = AppServiceServerOptions["bridges"];

/** The largest body taken: a transaction holds at most 100 events of 64 KiB and some ephemeral data. */
const largestBody = 16 * 1024 * 1024;
/** A connection that was not used for this long is closed as a matter of course. In milliseconds. */
const idleMs = 45_000;
const transactionPath = /^\/(?:_matrix\/app\/v1\/)?transactions\/([^/]+)$/;

/** What is known of one connection from a homeserver. */
interface Connection {
  handler: AppServiceHandler | undefined;
  /** A transaction is not answered yet. */
  underWay: boolean;
  /** The homeserver means to use it again. */
  kept: boolean;
  /** A reading of `performance.now()`. */
  lastUsed: number;
}

/**
 * The HTTP face toward the homeserver (Application Service API v1.19). Transactions take a path of their own in front
 * of Express, because they are all of the traffic; queries, pings and errors are Express's.
 */
export class AppServiceServer {
  readonly #server: Server;
  readonly #tokens: HomeserverTokens<AppServiceHandler>;
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Express is loaded when the first request comes that is no transaction: a start need not wait for it. */
  #queries: Promise<ReturnType<typeof queryRoutes>> | undefined;
  #closing = false;

  constructor(readonly options: AppServiceServerOptions) {
    this.#tokens = new HomeserverTokens(targetsOf(options.bridges));
    this.#server = createServer((request, response) => {
      this.#route(request, response).catch((error: unknown) => {
        options.log.error({ err: error }, "A request of the homeserver failed unexpectedly");
        answerError(response, 503, "M_UNKNOWN", "Trestle could not answer; its log says why.");
      });
    });
    this.#server.on("connection", (socket) => this.#watch(socket));
    // The homeserver keeps its connection: closing it first would race with its next transaction.
    this.#server.keepAliveTimeout = 120_000;
  }

  /** Resolves to the URL it listens on. Rejects when the port is taken. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.options.port, this.options.host, () => {
        this.#server.off("error", reject);
        const { address, family, port } = this.#server.address() as AddressInfo;
        resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${port}`);
      });
    });
  }

  /** From now on it answers for these bridges. */
  serve(bridges: ServedBridges): void {
    this.#tokens.replace(targetsOf(bridges));
  }

  /** Takes no more; resolves when what was taken is answered, or `deadline` resolves. */
  close(deadline?: Promise<void>): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      // What is not answered by then the homeserver sends again.
      void deadline?.then(() => this.#server.closeAllConnections());
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? "/";
    // The homeserver would keep a connection on which it was answered after the end had begun, and the end wait for it.
    response.once("finish", () => {
      if (this.#closing) this.#server.closeIdleConnections();
    });
    const at = target.indexOf("?");
    const path = at < 0 ? target : target.slice(0, at);
    if (this.#closing) response.setHeader("Connection", "close");
    const id = transactionPath.exec(path)?.[1];
    if (id === undefined) {
      this.#queries ??= import("./routes.js").then(({ queryRoutes }) => queryRoutes(this.#tokens, this.options.log));
      (await this.#queries)(request, response);
      return;
    }
    if (request.method !== "PUT") {
      request.resume();
      answerError(response, 405, "M_UNRECOGNIZED", "Transactions are sent with PUT.");
      return;
    }
    const query = new URLSearchParams(at < 0 ? "" : target.slice(at + 1));
    const connection = this.#connections.get(request.socket);
    if (connection) connection.underWay = true;
    await this.#transaction(request, response, query, id);
    if (!connection) return;
    connection.underWay = false;
    connection.lastUsed = performance.now();
    connection.kept = request.httpVersion === "1.1" && request.headers.connection?.toLowerCase() !== "close";
  }

  /** Tells a bridge when its homeserver hangs up unexpectedly. */
  #watch(socket: Socket): void {
    const connection: Connection = { handler: undefined, underWay: false, kept: false, lastUsed: 0 };
    this.#connections.set(socket, connection);
    socket.once("close", () => {
      const { handler, underWay, kept, lastUsed } = connection;
      if (this.#closing || !(underWay || (kept && performance.now() - lastUsed < idleMs))) return;
      handler?.hungUp?.(underWay);
    });
  }

  async #transaction(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    id: string,
  ): Promise<void> {
    const started = performance.now();
    const authenticated = this.#tokens.authenticate(request, query);
    if (!authenticated.ok) {
      request.resume();
      answerError(response, authenticated.status, authenticated.errcode, authenticated.error);
      return;
    }
    if (this.#closing) {
      request.resume();
      answerError(response, 503, "M_UNKNOWN", "Trestle is stopping; it takes this again after its next start.");
      return;
    }
    const connection = this.#connections.get(request.socket);
    if (connection) connection.handler = authenticated.target;
    const read = await readBody(request, largestBody);
    if (!read.ok) {
      if (!read.tooLarge) authenticated.target.hungUp?.(true);
      if (read.tooLarge) answerError(response, 413, "M_TOO_LARGE", "A transaction may have at most 16 MiB.");
      return;
    }
    const parsed = parseJson(read.text);
    const body = parsed.ok ? readTransactionBody(parsed.value) : undefined;
    if (!body) {
      const errcode = parsed.ok ? "M_BAD_JSON" : "M_NOT_JSON";
      this.options.log.error(
        { errcode, start: read.text.slice(0, 200) },
        "The homeserver sent a transaction that is not a JSON object",
      );
      answerError(response, 400, errcode, "The body is not a JSON object.");
      return;
    }
    try {
      await authenticated.target.transaction(body, started, id);
      answer(response, 200, "{}");
    } catch (error) {
      const overloaded = error instanceof Overloaded;
      if (!overloaded)
        this.options.log.error(
          { err: error },
          "A transaction could not be kept; the homeserver is asked to send it again",
        );
      answerError(
        response,
        503,
        overloaded ? "M_LIMIT_EXCEEDED" : "M_UNKNOWN",
        error instanceof Error ? error.message : "The transaction could not be kept.",
      );
    }
  }
}

function targetsOf(bridges: ServedBridges) {
  return bridges.map(({ hsToken, handler }) => ({ token: hsToken, target: handler }));
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false };
  }
}
