import type { IrcServerName } from "./irc-server.js";
import type { PlannedRun } from "./report.js";
import { runScenario } from "./run.js";
import { scenarios } from "./scenarios.js";

export const ircScenarios: readonly string[] = scenarios.map(({ name }) => name);

/**
 * @param names which scenarios; all where absent
 * @param server which IRC server there is
 */
export function planIrc(
  names: readonly string[] | undefined,
  cycles: number,
  seed: number,
  directory: string,
  server: IrcServerName = "kit",
): readonly PlannedRun[] {
  const chosen = scenarios.filter(({ name }) => names === undefined || names.includes(name));
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  return chosen.map((scenario) => ({
    title: server === "kit" ? scenario.title : `InspIRCd: ${scenario.title}`,
    run: () =>
      runScenario(scenario, Math.max(1, Math.round((cycles * scenario.share) / shares)), seed, directory, server),
  }));
}
