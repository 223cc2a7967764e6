import type { Response } from "express";
import type { Clock } from "../clock.js";
import type { ApiFault } from "../faults/api-faults.js";
import type { JsonObject } from "../json.js";

/** What a fault answered instead of what was asked for; the status is 0 when nothing was. */
export interface Preempted {
  readonly status: number;
  readonly answer: JsonObject | undefined;
}

/** Answers that there were too many calls. */
export function limit(response: Response, seconds: number): Preempted {
  const answer = { ok: false, error: "ratelimited" };
  response.status(429).set("retry-after", String(seconds)).json(answer);
  return { status: 429, answer };
}

/** Does what a fault does instead of a request; undefined when the request is to go on. */
export async function preempt(fault: ApiFault, clock: Clock, response: Response): Promise<Preempted | undefined> {
  switch (fault.kind) {
    case "rate_limit":
      return limit(response, fault.retryAfter ?? 1);
    case "status": {
      const status = fault.status ?? 500;
      response.status(status).type("text/plain").send("upstream error");
      return { status, answer: undefined };
    }
    case "error": {
      const answer = { ok: false, error: fault.error ?? "internal_error" };
      response.json(answer);
      return { status: 200, answer };
    }
    case "drop_before":
      response.destroy();
      return { status: 0, answer: undefined };
    case "hang_before":
      return { status: 0, answer: undefined };
    case "slow":
      await new Promise<void>((resolve) => clock.after(fault.ms ?? 0, resolve));
      return undefined;
    case "drop_after":
    case "hang_after":
      return undefined;
  }
}
