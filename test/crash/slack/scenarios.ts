import { setTimeout as sleep } from "node:timers/promises";
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

/** Some of what the bridge asks of Slack goes wrong before and after the end of the process. */
async function failAndKill(world: SlackWorld, random: Random): Promise<void> {
  const { faults } = world.slack;
  const method = random.pick(["chat.*", "reactions.*", "conversations.*", "users.info"]);
  faults.api({ kind: "status", status: 503, method, times: 2 });
  faults.api({ kind: "drop_after", method: "chat.*", skip: random.between(0, 4), times: 2 });
  faults.api({ kind: "rate_limit", method: "chat.postMessage", skip: random.between(0, 4), times: 1, retryAfter: 1 });
  faults.events({ kind: "lose_ack", skip: random.between(0, 4), times: 3 });
  faults.events({ kind: "duplicate", skip: random.between(0, 4), times: 3 });
  await sleep(random.between(0, 300));
  await kill(world);
}

async function restartHomeserver(world: SlackWorld, random: Random): Promise<void> {
  const first = random.chance(0.5);
  if (first) await world.bridge.kill();
  await world.homeserver.control("POST", "restart", { forgetTransactions: true });
  if (first) world.bridge.start();
  else await kill(world);
}

async function terminate(world: SlackWorld, random: Random): Promise<void> {
  const status = await world.bridge.terminate(30_000);
  // One that was asked to end before it had started may end by the signal.
  if (status !== 0 && status !== "SIGTERM")
    world.complain(`SIGTERM ended the bridge with ${status} instead of exit status 0`);
  await sleep(random.between(0, 200));
  world.bridge.start();
}

export const scenarios: readonly SlackScenario[] = [
  { name: "kill", title: "SIGKILL", share: 0.6, strike: kill },
  {
    name: "errors",
    title: "SIGKILL, requests and events go wrong",
    share: 0.2,
    strike: failAndKill,
    end: (world) => world.slack.faults.clear(),
  },
  { name: "forgetful", title: "SIGKILL, homeserver restarted", share: 0.12, strike: restartHomeserver },
  { name: "terminate", title: "SIGTERM", share: 0.08, strike: terminate },
];
