import { createHash, timingSafeEqual } from "node:crypto";
import express from "express";
import type { NextFunction, Request, Response, Router } from "express";
import type { z } from "zod";
import { errorText } from "../config/error-text.js";
import { validate } from "../config/validate.js";
import { formatPath } from "../config/problem.js";
import { linkRequest, listQuery, queueQuery, selectionRequest, seqParameter, unlinkRequest } from "./admin-schema.js";
import { ServiceError } from "./services.js";
import type { Services } from "./services.js";

const statusOf = { notFound: 404, forbidden: 403, conflict: 409, invalid: 400, unavailable: 503 } as const;

/**
 * The operations API, to be mounted at `/admin/v1`: what the command line asks of a running Trestle. Every request
 * needs `Authorization: Bearer <token>`; an error is `{ error, message }`, `error` being a `ServiceError` code.
 */
export function adminRoutes(services: Services, token: string): Router {
  const router = express.Router();
  router.use(bearer(token), express.json({ limit: "64kb" }));
  router.get(
    "/status",
    answer(() => services.status()),
  );
  router.get(
    "/links",
    answer((request) => services.list(parse(listQuery, request.query).bridge)),
  );
  router.post(
    "/links",
    answer((request) => {
      const { bridge, room, channel } = parse(linkRequest, request.body);
      return services.link(bridge, room, channel, "operator");
    }),
  );
  router.delete(
    "/links",
    answer((request) => {
      const { bridge, room, channel } = parse(unlinkRequest, request.body);
      return services.unlink(bridge, room, channel, "operator");
    }),
  );
  router.post(
    "/reload",
    answer(() => services.reload()),
  );
  queueRoutes(router, services);
  router.use((_request, response) => {
    send(response, 404, "notFound", "There is nothing at this path.");
  });
  router.use(explain);
  return router;
}

function queueRoutes(router: Router, services: Services): void {
  router.get(
    "/queue",
    answer((request) => services.queue.list(parse(queueQuery, request.query))),
  );
  router.get(
    "/queue/:seq",
    answer(async (request) => {
      const seq = parse(seqParameter, request.params["seq"]);
      const entry = await services.queue.show(seq);
      if (entry === undefined) throw new ServiceError("notFound", `There is no entry ${seq} in the queue.`);
      return entry;
    }),
  );
  router.post(
    "/queue/replay",
    answer(async (request) => ({ count: await services.queue.replay(selection(request.body)) })),
  );
  router.post(
    "/queue/drop",
    answer(async (request) => ({ count: await services.queue.drop(selection(request.body)) })),
  );
}

function selection(body: unknown): readonly number[] | "all" {
  const chosen = parse(selectionRequest, body);
  return "all" in chosen ? "all" : chosen.seqs;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const validated = validate(schema, value);
  if (validated.ok) return validated.value;
  const complaints = validated.faults.map((fault) => [formatPath(fault.path), fault.message].filter(Boolean).join(" "));
  throw new ServiceError("invalid", `The request is not understood: ${complaints.join("; ")}.`);
}

function answer(work: (request: Request) => Promise<unknown>) {
  return async (request: Request, response: Response): Promise<void> => {
    response.json(await work(request));
  };
}

function bearer(token: string) {
  const expected = digest(token);
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = /^Bearer +(\S+)$/i.exec(request.get("authorization") ?? "")?.[1] ?? "";
    if (timingSafeEqual(digest(given), expected)) next();
    else
      send(
        response,
        401,
        "forbidden",
        "The admin token is missing or wrong; it is in the file admin-token of the data directory.",
      );
  };
}

/** Digests are of one length, so that the comparison tells nothing about the token's. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function explain(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) {
    next(error);
  } else if (error instanceof ServiceError) {
    send(response, statusOf[error.code], error.code, error.message);
  } else if (isClientError(error)) {
    send(response, error.status, "invalid", `The request is not understood: ${errorText(error)}`);
  } else {
    send(response, 500, "internal", errorText(error));
  }
}

/** What Express's body parser rejects with: broken JSON, a body that is too large. */
function isClientError(error: unknown): error is { readonly status: number } {
  return (
    typeof error === "object" &&
    error !== null &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status >= 400 &&
    error.status < 500
  );
}

function send(response: Response, status: number, error: string, message: string): void {
  response.status(status).json({ error, message });
}
