import express from "express";
import type { Express, Request, Response } from "express";
import { errorText } from "../config/error-text.js";
import type { OperationsOptions, Readiness } from "./operations-server.js";

/** What the listener for those who look after Trestle serves. */
export async function operationsApp(options: OperationsOptions): Promise<Express> {
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
  app.use("/admin/v1", await options.admin());
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
