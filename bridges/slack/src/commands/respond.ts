import type { Logger } from "@trestle/core";
import type { Transport } from "../link/index.js";

const timeoutMs = 10_000;

/** Answers commands through their `response_url`. An answer that cannot be given is logged: what was done stays done. */
export function responder(transport: Transport, log: Logger) {
  const post = transport.fetch();
  return async (responseUrl: string, text: string, signal: AbortSignal): Promise<void> => {
    try {
      const answer = await post(responseUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ response_type: "ephemeral", text }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const body = await answer.text();
      if (!answer.ok) log.warn({ status: answer.status, body: body.slice(0, 200) }, "Slack did not take an answer");
    } catch (error) {
      log.warn({ err: error }, "A command could not be answered");
    }
  };
}
