import type { SlackResult } from "./api/result.js";
import { pause, pauseBefore } from "./socket/pause.js";

const waits = { minMs: 500, maxMs: 60_000 };
const mostMs = 90_000;

/** Asks again for as long as Slack is away or wants a pause. Once `signal` is aborted, the last answer is all there will be. */
export async function patiently<T>(signal: AbortSignal, ask: () => Promise<SlackResult<T>>): Promise<SlackResult<T>> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (answer.ok || answer.failed === "permanent" || signal.aborted) return answer;
    await pause(Math.min(mostMs, Math.max(answer.afterMs ?? 0, pauseBefore(attempt, waits))), signal);
  }
}
