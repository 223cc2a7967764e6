import type { Check } from "@trestle/core";
import type { Examination } from "./doctor.js";

/** Slack tells whole seconds, and an answer takes its time. */
const agreeMs = 5_000;

/** Does Slack answer, and do its clock and ours agree? */
export async function checkClock({ config, transport, signal }: Examination): Promise<Check> {
  const address = new URL("api.test", config.apiUrl);
  let date: string | null;
  try {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(config.timeout * 1_000)]);
    const response = await transport.fetch(timeout)(address.href, { method: "POST" });
    date = response.headers.get("date");
    await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return {
      check: "reach",
      state: "failed",
      text: `Slack does not answer at ${address.host}: ${cause}.`,
      cure: "Let this machine reach it (HTTPS, port 443), or set proxy in the bridge's network section.",
    };
  }
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return { check: "clock", state: "skipped", text: "Slack does not tell its time." };
  const skew = theirs - Date.now();
  if (Math.abs(skew) <= agreeMs)
    return { check: "clock", state: "ok", text: "Slack answers, and its clock and this machine's agree." };
  const seconds = Math.round(Math.abs(skew) / 1_000);
  const refuses = config.mode === "http" && Math.abs(skew) >= config.http.skew * 1_000;
  return {
    check: "clock",
    state: refuses ? "failed" : "warning",
    text: `This machine's clock is ${seconds} s ${skew > 0 ? "behind" : "ahead of"} Slack's.${refuses ? " The bridge refuses Slack's requests for it." : ""}`,
    cure: "Run NTP on this machine: signatures are good for some minutes only, and what was missed is looked for by time.",
  };
}
