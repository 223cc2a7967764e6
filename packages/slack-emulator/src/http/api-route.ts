import type { Request, Response } from "express";
import { methods } from "../api/all.js";
import { readArguments, type RawArguments } from "../api/args.js";
import { SlackError } from "../api/error.js";
import type { Services } from "../api/method.js";
import type { Faults } from "../faults/faults.js";
import type { Json, JsonObject } from "../json.js";
import type { Token } from "../state/apps.js";
import { callerOf, presentedToken, validToken } from "./authenticate.js";
import { access } from "../oauth/access.js";
import type { ApiCall, CallLog } from "./call-log.js";
import { limit, preempt } from "./preempt.js";
import type { RateLimits } from "./rate-limits.js";

/** What the route of the Web API works with. */
export interface ApiRouteOptions {
  readonly services: Services;
  readonly faults: Faults;
  readonly calls: CallLog;
  readonly rateLimits: RateLimits;
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers `/api/{method}`. */
export function apiRoute(options: ApiRouteOptions): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const name = String(request.params.method);
    const args = argumentsOf(request);
    if (args === undefined) {
      response.status(200).json({ ok: false, error: "invalid_json" });
      return;
    }
    const { token: argument, ...rest } = args;
    const known = options.services.world.tokens.get(presentedToken(request.headers.authorization, argument) ?? "");
    const call = record(options, name, rest, known);
    const channel = textOf(rest.channel ?? rest.channel_id);
    const fault = options.faults.apiFaults.strike({ method: name, channel, app: call.appId, workspace: call.teamId });
    const preempted = fault === undefined ? undefined : await preempt(fault, options.services.world.clock, response);
    if (preempted !== undefined) {
      Object.assign(call, preempted);
      return;
    }
    const wait = options.rateLimits.check({
      method: name,
      app: call.appId ?? "",
      workspace: call.teamId ?? "",
      channel,
    });
    if (wait !== undefined) {
      Object.assign(call, limit(response, wait));
      return;
    }
    const answer = await run(options, name, request, args);
    call.answer = answer.body;
    if (fault?.kind === "drop_after") {
      response.destroy();
      return;
    }
    if (fault?.kind === "hang_after") return;
    call.status = answer.status;
    response.status(answer.status).set(answer.headers).json(answer.body);
  };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function argumentsOf(request: Request): RawArguments | undefined {
  const query: RawArguments = Object.fromEntries(new URL(request.originalUrl, "http://emulator").searchParams);
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body)) return query;
  try {
    return { ...query, ...readArguments(body.toString("utf8"), request.headers["content-type"] ?? "") };
  } catch {
    return undefined;
  }
}

function record(options: ApiRouteOptions, method: string, args: RawArguments, token: Token | undefined): ApiCall {
  const call: ApiCall = {
    method,
    args,
    appId: token?.appId,
    teamId: token?.teamId,
    userId: token?.userId,
    tokenKind: token?.kind,
    at: options.services.world.clock.now(),
    status: 0,
    answer: undefined,
  };
  options.calls.add(call);
  return call;
}

async function run(options: ApiRouteOptions, name: string, request: Request, args: RawArguments): Promise<Answer> {
  const headers: Record<string, string> = {};
  try {
    if (name === "oauth.v2.access") {
      const tokens = access(options.services.world, args, request.headers.authorization);
      return { status: 200, headers, body: { ok: true, ...tokens } };
    }
    const method = methods.get(name);
    if (method === undefined) throw new SlackError("unknown_method", { req_method: name });
    const token = validToken(options.services.world, presentedToken(request.headers.authorization, args.token));
    headers["x-oauth-scopes"] = token.scopes.join(",");
    if (method.scopes.length > 0) headers["x-accepted-oauth-scopes"] = method.scopes.join(",");
    const answer = await method.run(callerOf(options.services, method, token), args);
    return { status: 200, headers, body: { ok: true, ...answer } };
  } catch (error) {
    if (error instanceof SlackError)
      return { status: 200, headers, body: { ok: false, error: error.code, ...error.fields } };
    throw error;
  }
}
