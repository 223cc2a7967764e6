import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from "express";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../log/logger.js";
import type { HomeserverTokens } from "./authentication.js";
import type { AppServiceHandler } from "./handler.js";

type Handled = (handler: AppServiceHandler, request: Request, response: Response) => Promise<void> | void;

/** Everything the homeserver asks apart from transactions; each with its older, un-prefixed path. */
export function queryRoutes(
  tokens: HomeserverTokens<AppServiceHandler>,
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");

  const authenticated =
    (handle: Handled): RequestHandler =>
    async (request, response) => {
      const query = new URL(request.url, "http://localhost").searchParams;
      const result = tokens.authenticate(request, query);
      if (result.ok) await handle(result.target, request, response);
      else response.status(result.status).json({ errcode: result.errcode, error: result.error });
    };

  const at = (method: "get" | "post", paths: string[], handle: Handled): void => {
    app.route(paths)[method](authenticated(handle)).all(unrecognized(405));
  };

  at("post", ["/_matrix/app/v1/ping"], (_handler, _request, response) => {
    response.json({});
  });
  at("get", ["/_matrix/app/v1/users/:userId", "/users/:userId"], async (handler, request, response) => {
    const found = await handler.queryUser(parameter(request, "userId"));
    if (found) response.json({});
    else notFound(response, "There is no such user on the network.");
  });
  at("get", ["/_matrix/app/v1/rooms/:alias", "/rooms/:alias"], async (handler, request, response) => {
    const found = await handler.queryAlias(parameter(request, "alias"));
    if (found) response.json({});
    else notFound(response, "There is no such channel on the network.");
  });
  thirdPartyRoutes(at);
  app.use(unrecognized(404));

  const failed: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
    const malformed = error instanceof URIError;
    if (!malformed) log.error({ err: error }, "A query of the homeserver failed");
    if (response.headersSent) return;
    if (malformed)
      response.status(400).json({ errcode: "M_INVALID_PARAM", error: "The path is not properly percent-encoded." });
    else response.status(503).json({ errcode: "M_UNKNOWN", error: "Trestle could not answer; its log says why." });
  };
  app.use(failed);
  return (request, response) => {
    request.resume();
    app(request as Request, response as Response);
  };
}

const prefixes = ["/_matrix/app/v1/thirdparty", "/_matrix/app/unstable/thirdparty"];

function thirdPartyRoutes(at: (method: "get" | "post", paths: string[], handle: Handled) => void): void {
  const paths = (rest: string): string[] => prefixes.map((prefix) => prefix + rest);
  at("get", paths("/protocol/:protocol"), async (handler, request, response) => {
    const protocol = await handler.thirdParty.protocol(parameter(request, "protocol"));
    if (protocol) response.json(protocol);
    else notFound(response, "This bridge does not speak that protocol.");
  });
  at("get", paths("/user/:protocol"), async (handler, request, response) => {
    const users = await handler.thirdParty.users(parameter(request, "protocol"), fields(request));
    if (users) response.json(users);
    else notFound(response, "This bridge does not speak that protocol.");
  });
  at("get", paths("/location/:protocol"), async (handler, request, response) => {
    const locations = await handler.thirdParty.locations(parameter(request, "protocol"), fields(request));
    if (locations) response.json(locations);
    else notFound(response, "This bridge does not speak that protocol.");
  });
  at("get", paths("/user"), async (handler, request, response) => {
    response.json(await handler.thirdParty.usersOf(fields(request).userid ?? ""));
  });
  at("get", paths("/location"), async (handler, request, response) => {
    response.json(await handler.thirdParty.locationsOf(fields(request).alias ?? ""));
  });
}

function parameter(request: Request, name: string): string {
  const value: unknown = request.params[name];
  return typeof value === "string" ? value : "";
}

function fields(request: Request): Readonly<Record<string, string>> {
  const query = new URL(request.url, "http://localhost").searchParams;
  query.delete("access_token");
  return Object.fromEntries(query);
}

function notFound(response: Response, error: string): void {
  response.status(404).json({ errcode: "M_NOT_FOUND", error });
}

function unrecognized(status: 404 | 405): RequestHandler {
  return (_request, response) => {
    response
      .status(status)
      .json({
        errcode: "M_UNRECOGNIZED",
        error: status === 404 ? "There is nothing at this path." : "This path does not take that method.",
      });
  };
}
