import type { Outcome } from "@trestle/core";

/** Tries again as the core does. */
export async function settle(attempt: () => Promise<Outcome> | undefined): Promise<Outcome> {
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt();
    if (outcome === undefined || !("failed" in outcome) || outcome.failed !== "retry" || attempts === 200)
      return outcome;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
