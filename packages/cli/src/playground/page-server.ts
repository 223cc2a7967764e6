import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { PageEvent, Snapshot } from "./page-events.js";

export interface PageServerOptions {
  readonly snapshot: () => Snapshot;
  /** Carries out `POST /api/<action>`; what it rejects with is told to the person at the page. */
  readonly act: (action: string, body: unknown) => Promise<void>;
}

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
  ...Object.fromEntries(
    ["page", "room", "message", "rich-text", "bridge", "network", "api"].map((name) => [
      `/${name}.js`,
      [`${name}.js`, "text/javascript; charset=utf-8"] as const,
    ]),
  ),
};
const DIRECTORY = new URL("../../playground-page/", import.meta.url);
const LARGEST_BODY = 64 * 1024;
const MOST_STREAMS = 32;
const MOST_BUFFERED = 4 * 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

/** The page, its actions, and the stream of its events. */
export class PageServer {
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(private readonly options: PageServerOptions) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => refuse(response, 500, messageOf(error)));
    });
  }

  /** Listens on the loopback interface. Rejects where the port is taken. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#keepAlive = setInterval(() => this.#write(": still here\n\n"), KEEP_ALIVE_MS);
    const address = this.#server.address();
    return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : port}`;
  }

  tell(event: PageEvent): void {
    if (this.#streams.size > 0) this.#write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async close(): Promise<void> {
    clearInterval(this.#keepAlive);
    for (const stream of this.#streams) stream.end();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isForUs(request)) {
      refuse(response, 403, "This page is for browsers on this machine alone.");
      return;
    }
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const action = /^\/api\/(\w+)$/.exec(path)?.[1];
    if (request.method === "POST" && action !== undefined) await this.#act(action, request, response);
    else if (request.method === "GET" && path === "/events") this.#stream(response);
    else if (request.method === "GET" && Object.hasOwn(FILES, path)) await serveFile(path, response);
    else refuse(response, 404, "There is nothing here.");
  }

  async #act(action: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.options.act(action, await readJson(request));
      response.writeHead(204).end();
    } catch (error) {
      refuse(response, 400, messageOf(error));
    }
  }

  /** A browser that (re)connects gets everything first, then what changes. */
  #stream(response: ServerResponse): void {
    if (this.#streams.size >= MOST_STREAMS) {
      refuse(response, 503, "Too many pages are open.");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(`retry: 500\nevent: snapshot\ndata: ${JSON.stringify(this.options.snapshot())}\n\n`);
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
  }

  #write(text: string): void {
    for (const stream of this.#streams) {
      if (stream.writableLength > MOST_BUFFERED) stream.destroy();
      else stream.write(text);
    }
  }
}

/** Other sites must not post here, not even through a name of theirs that leads to 127.0.0.1. */
function isForUs(request: IncomingMessage): boolean {
  const host = request.headers.host ?? "";
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return false;
  const { origin } = request.headers;
  return request.method === "GET" || origin === undefined || origin === `http://${host}`;
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const [file, type] = FILES[path] ?? ["index.html", "text/html"];
  const content = await readFile(fileURLToPath(new URL(file, DIRECTORY)));
  response.writeHead(200, {
    "content-type": type,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
  });
  response.end(content);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (request.headers["content-type"] !== "application/json") throw new Error("The request must be JSON.");
  request.setEncoding("utf8");
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > LARGEST_BODY) throw new Error("That is too long.");
  }
  return JSON.parse(text);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message }));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
