import { setTimeout as delay } from "node:timers/promises";
import { createLogger } from "@trestle/core";
import type { Check } from "@trestle/core";
import { failed } from "./finding.js";
import type { Finding } from "./finding.js";
import type { UsableConnector } from "./local-checks.js";

const WITHIN_MS = 60_000;

/** What the connector finds on its network; nothing where it does not look. */
export async function checkNetwork(
  { bridge, connector, config }: UsableConnector,
  { withinMs = WITHIN_MS, running = false }: { readonly withinMs?: number; readonly running?: boolean } = {},
): Promise<readonly Finding[]> {
  if (connector.doctor === undefined) return [];
  const stop = new AbortController();
  const log = createLogger({ level: "silent", format: "json" });
  try {
    const checks = await Promise.race([
      connector.doctor({ config, log, running, signal: stop.signal }),
      delay(withinMs, undefined, { signal: stop.signal }),
    ]);
    if (checks !== undefined) return checks.map((check) => findingOf(bridge, check));
    const text = `The network did not answer within ${withinMs / 1000} s.`;
    return [failed("network.answer", text, "See whether this machine reaches it.", { bridge })];
  } catch (error) {
    const text = `The connector could not look at its network: ${error instanceof Error ? error.message : String(error)}`;
    return [failed("network.answer", text, "This is a mistake of the connector's: report it.", { bridge })];
  } finally {
    stop.abort();
  }
}

function findingOf(bridge: string, { check, state, text, cure }: Check): Finding {
  return { check: `network.${check}`, bridge, state, text, ...(cure !== undefined && { cure }) };
}
