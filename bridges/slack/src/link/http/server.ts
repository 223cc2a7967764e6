import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "@trestle/core";

export type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface SlackServerOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** By method and path, `POST /slack/events`. */
  readonly routes: Readonly<Record<string, Route>>;
}

const mostConnections = 1_000;
const requestMs = 15_000;

/** The listener for what Slack and those who install the app send: nothing else of Trestle is behind it. */
export class SlackServer {
  readonly #server: Server;

  constructor(readonly options: SlackServerOptions) {
    this.#server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs / 2 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        options.log.error({ err: error }, "A request of Slack's could not be answered");
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    this.#server.maxConnections = mostConnections;
  }

  /** Resolves to where it listens. @throws Error with what to change, when the port is taken */
  async listen(): Promise<string> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) =>
        reject(
          new Error(
            `Trestle cannot listen for Slack on ${host}:${port}: ${error.message}. Change http in the bridge's network section.`,
            {
              cause: error,
            },
          ),
        ),
      );
      this.#server.listen(port, host, resolve);
    });
    // A connection that could not be accepted must not end the process.
    this.#server.on("error", (error) => this.options.log.error({ err: error }, "The listener for Slack has trouble"));
    const { address, port: bound, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), 2_000);
    await closed;
    clearTimeout(timer);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://slack.invalid");
    const { routes } = this.options;
    const route = routes[`${request.method ?? ""} ${url.pathname}`];
    if (route) return route(request, response, url);
    const known = Object.keys(routes).some((key) => key.endsWith(` ${url.pathname}`));
    answer(response, known ? 405 : 404, "");
  }
}

/** Ends a request. What was not read of its body goes with the connection. */
export function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const close = status === 413 ? { connection: "close" } : {};
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...close, ...headers });
  response.end(body);
}
