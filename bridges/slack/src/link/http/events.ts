import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@trestle/core";
import { z } from "zod";
import type { Delivery, Taken } from "../intake/intake.js";
import { readBody, readForm } from "./body.js";
import { answer, type Route } from "./server.js";
import type { SignatureCheck } from "./signature.js";

export interface EventsRouteOptions {
  readonly signature: SignatureCheck;
  readonly take: (delivery: Delivery) => Promise<Taken>;
  readonly log: Logger;
  /** In bytes. */
  readonly longestBody?: number;
}

const challengeSchema = z.looseObject({ type: z.literal("url_verification"), challenge: z.string().max(1_000) });
const isForm = /^application\/x-www-form-urlencoded\b/i;
/** Slack sends nothing that is refused so a second time. */
const noRetry = { "x-slack-no-retry": "1" };

/**
 * The Events API and slash commands over HTTP. Answers 200 when what came is on disk, and not before; 503 when the disk
 * refused it, so that Slack sends it again. The very same request again (a replay, or a repetition of Slack's within one
 * second) has no effect: it is answered as soon as the first one is.
 */
export function eventsRoute(options: EventsRouteOptions): Route {
  const { longestBody = 1024 * 1024, log, signature } = options;
  const underWay = new Map<string, Promise<void>>();
  return async (request, response) => {
    const body = await readBody(request, longestBody);
    if (body === undefined) {
      answer(response, 413, "too large", noRetry);
      return;
    }
    const form = isForm.test(request.headers["content-type"] ?? "") ? readForm(body) : undefined;
    // Slack asks so whether our certificate is good; it says nothing and is not signed.
    if (form?.["ssl_check"] === "1" && form["command"] === undefined) {
      answer(response, 200, "");
      return;
    }
    const signed = header(request, "x-slack-signature");
    const checked = signature.check(header(request, "x-slack-request-timestamp"), signed, body);
    if (!checked.ok) {
      log.warn({ reason: checked.reason }, "A request that claims to be Slack's is refused");
      answer(response, 401, "refused");
      return;
    }
    const key = signed ?? "";
    try {
      if (checked.replayed) {
        log.warn("A request came that was taken before; it has no effect");
        await underWay.get(key);
        answer(response, 200, "");
        return;
      }
      const handing = handOver(options, request, response, body, form);
      underWay.set(key, handing);
      await handing;
    } catch (error) {
      signature.giveBack(signed);
      log.error({ err: error }, "An event could not be kept and is not acknowledged: Slack sends it again");
      answer(response, 503, "not kept");
    } finally {
      if (!checked.replayed) underWay.delete(key);
    }
  };
}

async function handOver(
  { take, log }: EventsRouteOptions,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  form: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const json = form ?? parse(body);
  if (json === undefined) {
    log.warn("Slack sent a body that is no JSON");
    answer(response, 400, "no JSON", noRetry);
    return;
  }
  const challenge = challengeSchema.safeParse(json);
  if (challenge.success) {
    answer(response, 200, challenge.data.challenge);
    return;
  }
  const retryNum = Number(header(request, "x-slack-retry-num") ?? "");
  const retryReason = header(request, "x-slack-retry-reason");
  const taken = await take({
    kind: form ? "command" : "event",
    body: json,
    ...(retryNum > 0 && { retryNum }),
    ...(retryReason !== undefined && { retryReason }),
  });
  if (taken.outcome === "foreign") {
    answer(response, 403, "another app", noRetry);
    return;
  }
  if (taken.outcome === "taken" && taken.reply) {
    answer(response, 200, JSON.stringify(taken.reply), { "content-type": "application/json; charset=utf-8" });
    return;
  }
  answer(response, 200, "");
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
