import type { Logger, NetworkEvent } from "@trestle/core";
import { readBody, readForm } from "../link/http/body.js";
import { answer, type Route } from "../link/http/server.js";
import type { LinkOptions } from "../link/index.js";
import { readPosted, type WebhookTokens } from "./posted.js";

export interface WebhookRouteOptions {
  readonly tokens: WebhookTokens;
  readonly receive: (event: NetworkEvent) => Promise<void>;
  readonly log: Logger;
  readonly onTaken?: LinkOptions["onTaken"];
}

/** In bytes: a text of Slack's has 40,000 characters, which a form makes nine bytes each. */
const longestBody = 512 * 1024;
const isJson = /^application\/json\b/i;

/**
 * Where outgoing webhooks and slash commands are posted to. Answers 200 when the message is on disk, and not before; 503
 * when the disk refused it: then it is posted again.
 */
export function webhookRoute({ tokens, receive, log, onTaken }: WebhookRouteOptions): Route {
  return async (request, response) => {
    const start = performance.now();
    const body = await readBody(request, longestBody);
    if (body === undefined) {
      answer(response, 413, "too large");
      return;
    }
    const json = isJson.test(request.headers["content-type"] ?? "");
    const reading = readPosted(json ? parse(body) : readForm(body), tokens);
    const done = (outcome: "taken" | "ignored" | "foreign" | "refused"): void =>
      onTaken?.({ transport: "webhook", outcome, ms: performance.now() - start });
    switch (reading.outcome) {
      case "foreign":
        log.warn({ reason: reading.reason }, "A request to the webhook's address is refused");
        done("foreign");
        {
          answer(response, 401, "refused");
          return;
        }
      case "malformed":
        log.warn({ reason: reading.reason }, "A webhook posted what cannot be read");
        done("ignored");
        {
          answer(response, 400, "cannot be read");
          return;
        }
      case "ignored":
        log.debug({ reason: reading.reason }, "What a webhook posted is not bridged");
        done("ignored");
        {
          answer(response, 200, "");
          return;
        }
      case "taken":
        break;
    }
    try {
      await receive(reading.event);
    } catch (error) {
      log.error({ err: error }, "A webhook's message could not be kept and is not acknowledged");
      done("refused");
      answer(response, 503, "not kept");
      return;
    }
    done("taken");
    if (!reading.isCommand) {
      answer(response, 200, "");
      return;
    }
    // So the channel sees what was typed, as the others see what it says.
    answer(response, 200, JSON.stringify({ response_type: "in_channel", text: "Sent to Matrix." }), {
      "content-type": "application/json; charset=utf-8",
    });
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
