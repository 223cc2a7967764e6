import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../tools/random.js";
import type { World } from "./world.js";

export interface Scenario {
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Its part of all cycles. */
  readonly share: number;
  /** Capabilities that the IRC server does not offer. */
  readonly without?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How many messages may arrive twice for each cycle: only where the network cannot be asked whether it has one. */
  readonly duplicatesAllowed?: number;
  /** Switched on for the whole time. */
  readonly begin?: (world: World) => Promise<void>;
  /** Switched off before the last messages are waited for. */
  readonly end?: (world: World) => Promise<void>;
  /** What happens in each cycle. */
  readonly strike: (world: World, random: Random) => Promise<void>;
}

async function kill(world: World): Promise<void> {
  await world.bridge.kill();
  world.bridge.start();
}

async function terminate(world: World, random: Random): Promise<void> {
  if (random.chance(0.3)) {
    // What is in doubt after a kill stays so, however short the next process lives and however well it ends.
    await kill(world);
    await sleep(random.between(0, 600));
  }
  const status = await world.bridge.terminate(30_000);
  // One that was asked to end before it had started may end by the signal.
  if (status !== 0 && status !== "SIGTERM")
    world.complain(`SIGTERM ended the bridge with ${status} instead of exit status 0`);
  await sleep(random.between(0, 200));
  world.bridge.start();
}

async function freeze(world: World, random: Random): Promise<void> {
  world.bridge.signal("SIGSTOP");
  await sleep(random.between(100, 2_000));
  world.bridge.signal("SIGCONT");
  if (random.chance(0.3)) await kill(world);
}

async function restartHomeserver(world: World, random: Random): Promise<void> {
  // Both orders: what was sent is forgotten before the bridge asks again, or while it does.
  if (random.chance(0.5)) {
    await world.bridge.kill();
    await world.restartHomeserver();
    world.bridge.start();
  } else {
    await world.restartHomeserver();
    await kill(world);
  }
}

async function restartIrc(world: World, random: Random): Promise<void> {
  await world.withoutIrcSpeakers(async () => {
    await world.irc.halt();
    if (random.chance(0.5)) await kill(world);
    await sleep(random.between(50, 800));
    await world.irc.resume();
  });
}

const errorsOfHomeserver = [{ status: 502, html: true }, { status: 500 }, { status: 429, retryAfterMs: 200 }] as const;

async function beginErrors(world: World): Promise<void> {
  for (const answer of errorsOfHomeserver) await world.homeserverAnswers(answer, 0.0125);
  await world.homeserverDropsAfter(0.0125);
}

export const scenarios: readonly Scenario[] = [
  { name: "kill", title: "SIGKILL, echo-message on", share: 0.36, strike: kill },
  {
    name: "no-echo",
    title: "SIGKILL, echo-message off",
    share: 0.14,
    without: ["echo-message", "labeled-response"],
    duplicatesAllowed: 1,
    strike: kill,
  },
  { name: "forgetful", title: "SIGKILL, homeserver restarted", share: 0.12, strike: restartHomeserver },
  {
    name: "errors",
    title: "SIGKILL, 5 % of requests fail",
    share: 0.12,
    begin: beginErrors,
    end: (world) => world.clearHomeserver(),
    strike: kill,
  },
  {
    name: "slow-disk",
    title: "SIGKILL, every commit takes 20 ms",
    share: 0.1,
    env: { TRESTLE_TEST_SLOW_COMMIT_MS: "20" },
    strike: kill,
  },
  {
    name: "irc-restart",
    title: "IRC server restarted, half with SIGKILL",
    share: 0.06,
    duplicatesAllowed: 1,
    strike: restartIrc,
  },
  { name: "terminate", title: "SIGTERM", share: 0.06, strike: terminate },
  { name: "freeze", title: "SIGSTOP and SIGCONT", share: 0.04, strike: freeze },
];
