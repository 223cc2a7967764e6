import { isFailure, retry, type ChannelId, type EffectBase, type Outcome } from "@trestle/core";

/** Slack's words for a channel in which the app is not. */
export const notThere: ReadonlySet<string> = new Set(["channel_not_found", "not_in_channel"]);
const soonMs = 500;

/** Whether Slack has refused something because whoever wanted to do it is not in the channel. */
export function isFromOutside(outcome: Outcome): boolean {
  if (!isFailure(outcome) || outcome.failed !== "permanent") return false;
  return "code" in outcome && typeof outcome.code === "string" && notThere.has(outcome.code);
}

/** What is refused because the app is not in a channel waits where it is just being brought there: a channel was linked, or Slack is slow. */
export function whileEntering<Effect extends EffectBase>(
  isEntering: (channel: ChannelId) => boolean,
  act: (effect: Effect) => Promise<Outcome>,
): (effect: Effect) => Promise<Outcome> {
  return async (effect) => {
    // Asked before: it may come in while it is refused.
    const wasEntering = isEntering(effect.channel);
    const outcome = await act(effect);
    return wasEntering && isFailure(outcome) && isFromOutside(outcome)
      ? retry(outcome.reason, { afterMs: soonMs })
      : outcome;
  };
}
