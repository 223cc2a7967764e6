import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import { MatrixError, tooLarge } from "../errors.js";
import { MAX_UPLOAD_BYTES } from "../media/media-store.js";
import type { ErrorAnswer } from "../faults/request-faults.js";
import type { World } from "../world.js";
import { accessToken, authenticate } from "./authenticate.js";
import { RequestContext } from "./context.js";
import type { Reply } from "./reply.js";
import type { RequestLog } from "./request-log.js";
import type { Match, Router } from "./router.js";

/** A request with the answer it got, for the validator. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The application service whose token the request carries. */
  readonly serviceId: string | undefined;
  readonly userId: string | undefined;
  readonly reply: Reply;
}

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date",
};

/** The homeserver's HTTP face: reads requests, lets the faults strike, authenticates, answers. */
export class HttpServer {
  #server: Server | undefined;
  #port: number;
  readonly #open = new Set<RequestContext>();

  constructor(
    private readonly world: World,
    private readonly router: Router,
    private readonly log: RequestLog,
    private readonly settings: HttpSettings,
    private readonly onExchange: ((exchange: Exchange) => void) | undefined,
  ) {
    this.#port = settings.port;
  }

  /** The port it listens on, the same after a restart. */
  get port(): number {
    return this.#port;
  }

  listen(): Promise<void> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.stderr.write(`homeserver: ${request.method ?? ""} ${request.url ?? ""} failed: ${message}\n`);
        if (response.headersSent) response.destroy();
        else write(response, { status: 500, json: { errcode: "M_UNKNOWN", error: "Internal server error" } });
      });
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, this.settings.host, () => {
        server.removeListener("error", reject);
        this.#port = addressOf(server).port;
        resolve();
      });
    });
  }

  /** Stops listening and closes every connection, answered or not. */
  close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const context of this.#open) context.abort();
    return new Promise((resolve) => {
      if (server === undefined) resolve();
      else {
        server.close(() => resolve());
        server.closeAllConnections();
      }
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "GET";
    const target = request.url ?? "/";
    const body = await readBody(request);
    if (body === undefined) {
      if (!request.destroyed) write(response, errorReply(tooLarge("Request body too large")));
      return;
    }
    if (method === "OPTIONS") {
      write(response, { status: 200, json: {} });
      return;
    }
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const started = performance.now();
    const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
    const match = this.router.match(
      method,
      path.startsWith("/_matrix/client/r0/") ? `/_matrix/client/v3/${path.slice(19)}` : path,
    );
    if (typeof match === "string") {
      const reply = unmatched(match);
      write(response, reply);
      this.log.add({ method, route: path, target, userId: undefined, status: reply.status, durationMs: 0 });
      this.#observe({ method, path, query, headers: request.headers, body, userId: undefined, reply });
      return;
    }
    const context = new RequestContext(this.world, match.route, path, match.values, query, request.headers, body);
    const reply = await this.#answer(context, match, response);
    const userId = context.authenticated?.userId;
    const durationMs = performance.now() - started;
    const status = reply?.status ?? 0;
    this.log.add({ method, route: match.route.template, target, userId, status, durationMs });
    if (reply === undefined) response.destroy();
    else this.#write(response, reply);
  }

  /** @returns the answer, or `undefined` where a fault drops the connection */
  async #answer(context: RequestContext, match: Match, response: ServerResponse): Promise<Reply | undefined> {
    let drop: "before" | "after" | undefined;
    let held: Promise<void> | undefined;
    if (this.world.faults.strikesRequests) {
      const struck = this.world.faults.strike(this.#subject(context));
      if (struck.delayMs > 0) {
        const server = this.#server;
        await new Promise<void>((resolve) => this.world.clock.after(struck.delayMs, resolve));
        if (server !== this.#server) return undefined;
      }
      if (struck.answer !== undefined) return faultReply(struck.answer);
      if (struck.drop === "before") return undefined;
      ({ drop, held } = struck);
    }
    const reply = await this.#handle(context, match, response);
    const { method } = context.route;
    const { path, query, headers, body } = context;
    this.#observe({ method, path, query, headers, body, userId: context.authenticated?.userId, reply });
    await held;
    return drop === "after" ? undefined : reply;
  }

  async #handle(context: RequestContext, match: Match, response: ServerResponse): Promise<Reply> {
    try {
      if (match.route.access === "required") {
        context.requester = authenticate(this.world, context.headers, context.query);
        if (this.world.faults.rateLimits) this.world.rateLimits.check(context);
      }
      const reply = match.route.handler(context);
      if (!(reply instanceof Promise)) return reply;
      this.#open.add(context);
      const abort = (): void => context.abort();
      response.once("close", abort);
      try {
        return await reply;
      } finally {
        response.removeListener("close", abort);
        this.#open.delete(context);
      }
    } catch (error) {
      if (error instanceof MatrixError) return errorReply(error);
      throw error;
    }
  }

  #observe(exchange: Omit<Exchange, "serviceId">): void {
    if (this.onExchange === undefined) return;
    const { headers, query } = exchange;
    const token = /^Bearer (.*)$/u.exec(headers.authorization ?? "")?.[1] ?? query.get("access_token");
    this.onExchange({ ...exchange, serviceId: this.world.serviceByToken(token ?? "")?.info.id });
  }

  #subject(context: RequestContext): Parameters<World["faults"]["strike"]>[0] {
    const { method, template } = context.route;
    let userId: string | undefined;
    let fromAppService = false;
    try {
      const token = accessToken(context.headers, context.query, this.world.profile.refusesTwoTokens);
      if (token !== undefined) {
        const requester = authenticate(this.world, context.headers, context.query);
        userId = requester.userId;
        fromAppService = requester.service !== undefined;
      }
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
    }
    return { method, route: template, userId, fromAppService };
  }

  #write(response: ServerResponse, reply: Reply): void {
    write(response, reply);
    if (this.world.faults.random.happens(this.world.faults.dropKeepAlive)) {
      // The answer is flushed first; the next request on this connection then meets a closed socket.
      response.once("finish", () => response.socket?.destroySoon());
    }
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the homeserver has no TCP address");
  return address;
}

/** @returns the body, or `undefined` where it is too long or the connection broke */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_UPLOAD_BYTES) chunks.push(chunk);
    });
    request.on("end", () => {
      const only = chunks[0];
      resolve(bytes > MAX_UPLOAD_BYTES ? undefined : chunks.length === 1 && only ? only : Buffer.concat(chunks));
    });
    request.on("error", () => resolve(undefined));
    request.on("aborted", () => resolve(undefined));
  });
}

function unmatched(reason: "unknown-path" | "unknown-method" | "bad-encoding"): Reply {
  if (reason === "bad-encoding") {
    return errorReply(new MatrixError(400, "M_INVALID_PARAM", "The path is not percent-encoded UTF-8"));
  }
  return errorReply(new MatrixError(reason === "unknown-path" ? 404 : 405, "M_UNRECOGNIZED", "Unrecognized request"));
}

function errorReply(error: MatrixError): Reply {
  return { status: error.status, json: error.body, headers: error.headers };
}

function faultReply(answer: ErrorAnswer): Reply {
  const headers: Record<string, string> = {};
  if (answer.retryAfterMs !== undefined) headers["retry-after"] = String(Math.ceil(answer.retryAfterMs / 1000));
  if (answer.html === true) {
    const raw = `<html><head><title>${answer.status}</title></head><body><h1>${answer.status}</h1>nginx</body></html>`;
    return { status: answer.status, raw, headers: { ...headers, "content-type": "text/html" } };
  }
  const errcode = answer.errcode ?? (answer.status === 429 ? "M_LIMIT_EXCEEDED" : "M_UNKNOWN");
  const retry = answer.retryAfterMs === undefined ? {} : { retry_after_ms: answer.retryAfterMs };
  return { status: answer.status, json: { errcode, error: answer.error ?? "Fault", ...retry }, headers };
}

function write(response: ServerResponse, reply: Reply): void {
  const payload = reply.raw ?? JSON.stringify(reply.json ?? {});
  response.writeHead(reply.status, {
    "content-type": "application/json",
    "content-length": typeof payload === "string" ? Buffer.byteLength(payload) : payload.length,
    ...CORS,
    ...reply.headers,
  });
  response.end(payload);
}
