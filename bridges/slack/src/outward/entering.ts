import { isFailure, retry, type ChannelId, type EffectBase, type Outcome } from "@trestle/core";

/** Slack's words for a channel in which the app is not. */
const notThere: ReadonlySet<string> = new Set(["channel_not_found", "not_in_channel"]);
const soonMs = 500;

/** What is refused because the app is not in a channel waits where it is just being brought there: a channel was linked, or Slack is slow. */
export function whileEntering<Effect extends EffectBase>(
  isEntering: (channel: ChannelId) => boolean,
  act: (effect: Effect) => Promise<Outcome>,
): (effect: Effect) => Promise<Outcome> {
  return async (effect) => {
    // Asked before: it may come in while it is refused.
    const wasEntering = isEntering(effect.channel);
    const outcome = await act(effect);
    if (!wasEntering || !isFailure(outcome) || outcome.failed !== "permanent") return outcome;
    const isOutside = "code" in outcome && typeof outcome.code === "string" && notThere.has(outcome.code);
    return isOutside ? retry(outcome.reason, { afterMs: soonMs }) : outcome;
  };
}
