import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Express, Request, Response, Router } from "express";
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
  /** Mounted at `/admin/v1`. */
  readonly admin: Router;
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
  const server = createServer(operationsApp(options));
  server.requestTimeout = 60_000;
  await listen(server, options);
  return { url: urlOf(server.address(), options.host), close: () => close(server) };
}

function operationsApp(options: OperationsOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.get("/live", (_request: Request, response: Response) => {
    response.json({ live: true });
  });
  app.get("/ready", async (_request: Request, response: Response) => {
    const readiness = await boundedReadiness(options);
    response.status(readiness.ready ? 200 : 503).json(readiness);
  });
  app.get("/metrics", async (_request: Request, response: Response) => {
    const text = await options.metrics.metrics();
    response.type(options.metrics.contentType).send(text);
  });
  app.use("/admin/v1", options.admin);
  return app;
}

/** A check that hangs or throws is an answer, too: not ready. */
async function boundedReadiness(options: OperationsOptions): Promise<Readiness> {
  const limit = options.readinessTimeout ?? 5_000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => resolve(notReady(`no answer within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([options.readiness(), late]);
  } catch (error) {
    return notReady(errorText(error));
  } finally {
    clearTimeout(timer);
  }
}

function notReady(detail: string): Readiness {
  return { ready: false, checks: [{ name: "readiness", ok: false, detail }] };
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
