import type { PlannedRun } from "../report.js";
import { runScenario } from "./run.js";
import { scenarios } from "./scenarios.js";
import type { Transport } from "./world.js";

export const transports: readonly Transport[] = ["socket", "http"];
export const slackScenarios: readonly string[] = scenarios.map(({ name }) => name);

/**
 * @param names which scenarios; all where absent
 * @param cycles for each transport
 */
export function planSlack(
  over: readonly Transport[],
  names: readonly string[] | undefined,
  cycles: number,
  seed: number,
  directory: string,
): readonly PlannedRun[] {
  const chosen = scenarios.filter(({ name }) => names === undefined || names.includes(name));
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  return over.flatMap((transport) =>
    chosen.map((scenario) => {
      const own = Math.max(1, Math.round((cycles * scenario.share) / shares));
      return {
        title: `${transport}: ${scenario.title}`,
        run: () => runScenario(scenario, transport, own, seed, directory),
      };
    }),
  );
}
