import type { Random } from "../../tools/random.js";
import type { SlackWorld } from "./world.js";

export interface SlackScenario {
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Its part of all cycles. */
  readonly share: number;
  /** Switched off before the last messages are waited for. */
  readonly end?: (world: SlackWorld) => void | Promise<void>;
  /** What happens in each cycle. */
  readonly strike: (world: SlackWorld, random: Random) => Promise<void>;
}

async function kill(world: SlackWorld): Promise<void> {
  await world.bridge.kill();
  world.bridge.start();
}

export const scenarios: readonly SlackScenario[] = [{ name: "kill", title: "SIGKILL", share: 1, strike: kill }];
