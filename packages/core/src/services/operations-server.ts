import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Express, Router } from "express";
import type { Registry } from "prom-client";
import { errorCode, errorText } from "../config/error-text.js";
import { StartError } from "./start-error.js";

/** One condition of being ready. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** For a person. */
  readonly detail: string;
}

/** Whether events flow, and why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
}

/** What the operations listener serves, and where. */
export interface OperationsOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether events flow; asked by `/ready`. */
  readonly readiness: () => Promise<Readiness>;
  /** Served by `/metrics`. */
  readonly metrics: Pick<Registry, "metrics" | "contentType">;
  /** Makes what is mounted at `/admin/v1`. */
  readonly admin: () => Promise<Router>;
  /** How long `/ready` waits for `readiness`, in milliseconds; 5 seconds where absent. */
  readonly readinessTimeout?: number;
}

/** The operations listener, running. */
export interface OperationsServer {
  /** E.g. `http://127.0.0.1:9994`. */
  readonly url: string;
  /** Stops listening. */
  close(): Promise<void>;
}

/**
 * The listener for those who look after Trestle, apart from the homeserver's: `/live` (the process turns), `/ready`
 * (events flow; 503 where they do not), `/metrics` (Prometheus) and `/admin/v1`.
 *
 * @throws StartError `portInUse`
 */
export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  let app: Promise<Express> | undefined;
  const server = createServer((request, response) => {
    // Express is loaded when the first request comes: a start need not wait for it.
    app ??= import("./operations-app.js").then(({ operationsApp }) => operationsApp(options));
    app.then(
      (handle) => {
        handle(request, response);
      },
      (error: unknown) => {
        response.writeHead(500, { "Content-Type": "text/plain" }).end(errorText(error));
      },
    );
  });
  server.requestTimeout = 60_000;
  await listen(server, options);
  return { url: urlOf(server.address(), options.host), close: () => close(server) };
}

async function listen(server: Server, { host, port }: OperationsOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const inUse = errorCode(error) === "EADDRINUSE";
      const message = `Port ${port} on ${host} is in use (operations.port): is another Trestle running? Stop it or choose another port.`;
      reject(inUse ? new StartError("portInUse", message, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}

function urlOf(address: string | AddressInfo | null, host: string): string {
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
