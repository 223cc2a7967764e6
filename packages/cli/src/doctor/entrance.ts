import { StartError } from "@trestle/core";
import type { LoadedConfig } from "@trestle/core";
import { checkIdentity } from "./homeserver-checks.js";
import type { Finding } from "./finding.js";

/**
 * Asks the homeserver once whether it knows the registrations. An error where it surely does not: waiting would not
 * help. `undefined` where it does, or cannot be asked now.
 */
export async function findRefusal(loaded: LoadedConfig, signal: AbortSignal): Promise<StartError | undefined> {
  for (const [bridge, registration] of loaded.registrations) {
    const findings = await checkIdentity(loaded, bridge, registration, { signal, brief: true });
    const refusal = findings.find((finding) => finding.state === "failed" && finding.isFinal === true);
    if (refusal !== undefined) return toStartError(refusal);
  }
  return undefined;
}

function toStartError({ check, bridge, text, cure }: Finding): StartError {
  const failure = check === "as_token" ? "tokenRefused" : "wrongHomeserver";
  return new StartError(failure, `${bridge ?? ""}: ${text} ${cure ?? ""}`.trim());
}
