import type { MessageEffect } from "../../connector/effects.js";
import { isFailure, type Outcome, type Sent } from "../../connector/outcome.js";
import { done, type Entry, type Verdict } from "../../delivery/entry.js";
import { TookTooLong, type Running } from "../deadline.js";
import type { BridgeRuntime } from "../runtime.js";

const tooLate = "A connector failed after Trestle had stopped waiting for it";

export type Called = { readonly sent: Sent } | { readonly verdict: Verdict };

/** Calls a handler of the connector: with a time limit, and with every way it can fail turned into a verdict. */
export function call(runtime: BridgeRuntime, work: (running: Running) => Promise<Outcome>): Promise<Called> {
  const { deadlines, log } = runtime;
  return deadlines
    .run(work, (error) => log.warn({ err: error }, tooLate))
    .then(calledOf, (error: unknown) => failed(runtime, error));
}

function calledOf(outcome: Outcome): Called {
  if (!isFailure(outcome)) return { sent: outcome ?? {} };
  switch (outcome.failed) {
    case "permanent":
      return { verdict: { verdict: "dead", reason: outcome.reason } };
    case "retry":
      return retried(outcome.reason, { transport: true, afterMs: outcome.afterMs });
    case "uncertain":
      return retried(outcome.reason, { maybeSent: true, afterMs: outcome.afterMs });
  }
}

function failed(runtime: BridgeRuntime, error: unknown): Called {
  if (error instanceof TookTooLong)
    return retried(`the ${runtime.networkName} connector gave ${error.message}`, { maybeSent: true });
  runtime.log.error({ err: error }, "A connector threw; what it was to send is tried again");
  return retried(
    `the ${runtime.networkName} connector failed: ${error instanceof Error ? error.message : String(error)}`,
    { maybeSent: true },
  );
}

/**
 * Sends one message effect: where an earlier attempt may have reached the network, the network is asked first. Where it
 * cannot be asked the effect is sent again, and counted.
 */
export function sendOnce(runtime: BridgeRuntime, effect: Omit<MessageEffect, "signal">): Promise<Called> {
  return effect.maybeSent && !runtime.handlers.idempotent ? lookAndSend(runtime, effect) : send(runtime, effect);
}

async function lookAndSend(runtime: BridgeRuntime, effect: Omit<MessageEffect, "signal">): Promise<Called> {
  if (!runtime.handlers.findSent) {
    runtime.metrics.uncertainResent(runtime.name, "toNetwork");
    return send(runtime, effect);
  }
  const found = await findSent(runtime, effect);
  if ("verdict" in found) return found;
  return found.sent ? { sent: found.sent } : send(runtime, { ...effect, maybeSent: false });
}

function send(runtime: BridgeRuntime, effect: Omit<MessageEffect, "signal">): Promise<Called> {
  const { handlers } = runtime;
  return call(runtime, (running) =>
    handlers.message({
      ...effect,
      // Made when the connector asks for it: most never do.
      get signal() {
        return running.signal;
      },
    }),
  );
}

/** Asks the network whether an effect has reached it: `null` where it has surely not. */
export async function findSent(
  runtime: BridgeRuntime,
  effect: Omit<MessageEffect, "signal">,
): Promise<{ readonly sent: Sent | null } | { readonly verdict: Verdict }> {
  const { deadlines, handlers, log } = runtime;
  try {
    const found = await deadlines.run(
      async (running) => (await handlers.findSent?.({ ...effect, signal: running.signal })) ?? null,
      (error) => log.warn({ err: error }, tooLate),
    );
    return { sent: found };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      verdict: {
        verdict: "retry",
        reason: `whether it was sent already cannot be known now: ${reason}`,
        transport: true,
        maybeSent: true,
      },
    };
  }
}

function retried(
  reason: string,
  options: { transport?: boolean; maybeSent?: boolean; afterMs?: number | undefined },
): Called {
  const { transport, maybeSent, afterMs } = options;
  return {
    verdict: {
      verdict: "retry",
      reason,
      ...(transport !== undefined && { transport }),
      ...(maybeSent !== undefined && { maybeSent }),
      ...(afterMs !== undefined && { afterMs }),
    },
  };
}

/** The verdict of a call whose only effect was the call itself. */
export function verdictOfCall(called: Called): Verdict {
  return "verdict" in called ? called.verdict : done();
}

/** What an effect says of its cause and its attempt. */
export function attemptOf(entry: Entry): { readonly attempt: number; readonly maybeSent: boolean } {
  return { attempt: entry.attempts + 1, maybeSent: entry.maybeSent };
}
