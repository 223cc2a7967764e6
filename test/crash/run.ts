import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Idleness } from "../tools/progress.js";
import { Random } from "../tools/random.js";
import { directions, settleAccount, type Account } from "./account.js";
import { Load } from "./load.js";
import type { IrcServerName } from "./irc-server.js";
import type { RunResult } from "./report.js";
import type { Scenario } from "./scenarios.js";
import { World } from "./world.js";

const load = { matrixEveryMs: 60, ircEveryMs: 60 };
/** In half of the cycles the end comes at any moment after the start of the process, in the others at any moment after it is up. */
const afterStartMs = [50, 1_200] as const;
const afterUpMs = [0, 900] as const;
/** Not from its beginning: so long a bridge that is on its way may do nothing. */
const upWithinMs = 15_000;
const startWithinMs = 20_000;
/** All must have arrived after so long, or after so long without any arrival while the bridge does nothing. */
const settleMs = 300_000;
const silenceMs = 15_000;
/** Longer outages of the homeserver than these are another test's. */
const pauseSettleMs = 120_000;

/** Runs one scenario: load in both directions, and something bad in each cycle. */
export async function runScenario(
  scenario: Scenario,
  cycles: number,
  seed: number,
  parent: string,
  server: IrcServerName = "kit",
): Promise<RunResult> {
  const began = performance.now();
  const directory = join(parent, scenario.name);
  mkdirSync(directory, { recursive: true });
  const random = new Random(seed);
  const world = await World.open(directory, scenario, seed, server);
  const talk = new Load(world.places, new Random(seed + 1), load);
  const starts: number[] = [];
  try {
    world.pauseIrc = (paused) => pauseIrc(world, talk, paused);
    world.bridge.start();
    await world.whenBridged(startWithinMs);
    talk.start();
    await scenario.begin?.(world);
    for (let cycle = 1; cycle <= cycles; cycle++) {
      starts.push(Date.now());
      await live(world, random);
      world.note(`cycle ${cycle}: strike after ${world.bridge.age.toFixed(0)} ms`);
      await scenario.strike(world, random);
    }
    starts.push(Date.now());
    await sleep(500);
    await talk.stop();
    await scenario.end?.(world);
    // On a busy machine a start takes longer than the silence that ends the wait for messages.
    await world.whenUp(silenceMs);
    const account = await settle(world, talk, settleMs);
    for (const deviation of await world.deviations())
      world.complain(`not as the specification has it: ${JSON.stringify(deviation)}`);
    const complaints = [...world.complaints, ...world.bridge.surprises];
    const ok = complaints.length === 0 && isAcceptable(account, (scenario.duplicatesAllowed ?? 0) * cycles);
    writeReport(directory, world, talk, account, starts);
    const seconds = (performance.now() - began) / 1000;
    return { title: scenario.title, cycles, ...account, complaints, ok, seconds, directory };
  } finally {
    await talk.stop();
    await world.close();
  }
}

async function live(world: World, random: Random): Promise<void> {
  if (random.chance(0.5)) {
    await sleep(random.between(...afterStartMs));
    return;
  }
  const extra = random.between(...afterUpMs);
  await world.whenUp(upWithinMs);
  await sleep(extra);
}

/** Which cycle a time belongs to; 0 before the first. */
function cycleAt(starts: readonly number[], at: number | undefined): number {
  return at === undefined ? -1 : starts.filter((start) => start <= at).length;
}

async function pauseIrc(world: World, talk: Load, paused: boolean): Promise<void> {
  talk.ircPaused = paused;
  if (!paused) return;
  await sleep(50);
  const account = await settle(world, talk, pauseSettleMs, "IRC → Matrix");
  if (account.tallies["IRC → Matrix"].lost > 0)
    world.note("what was said on IRC has not all arrived before the IRC server is restarted");
}

/** Waits until all has arrived, or nothing arrives any more. */
async function settle(
  world: World,
  talk: Load,
  timeoutMs: number,
  only?: (typeof directions)[number],
): Promise<Account> {
  const end = performance.now() + timeoutMs;
  const idleness = new Idleness(() => world.bridge.pid);
  for (;;) {
    if ((await world.read()) > 0) idleness.progressed();
    const account = settleAccount(world, talk.said);
    const missing = directions
      .filter((direction) => only === undefined || direction === only)
      .some((direction) => account.tallies[direction].lost > 0);
    if (performance.now() > end || idleness.forMs > silenceMs) return account;
    if (!missing) {
      // A duplicate may still be on its way.
      await sleep(only === undefined ? 1_000 : 0);
      await world.read();
      return settleAccount(world, talk.said);
    }
    await sleep(100);
  }
}

function isAcceptable({ findings, tallies }: Account, duplicatesAllowed: number): boolean {
  const bad = findings.filter(({ what }) => what === "lost" || what === "reordered" || what === "unknown");
  return (
    bad.length === 0 &&
    tallies["IRC → Matrix"].duplicated === 0 &&
    tallies["Matrix → IRC"].duplicated <= duplicatesAllowed
  );
}

function writeReport(directory: string, world: World, talk: Load, account: Account, starts: readonly number[]): void {
  const findings = account.findings.map((finding) => ({
    ...finding,
    cycle: cycleAt(starts, finding.at),
    at: finding.at === undefined ? null : new Date(finding.at).toISOString(),
  }));
  writeFileSync(join(directory, "findings.json"), JSON.stringify(findings, undefined, 1));
  for (const { number } of world.places) {
    const rooms = {
      said: talk.said.get(number),
      channel: world.lines.get(number),
      room: world.timelines.get(number)?.events,
    };
    writeFileSync(join(directory, `place${number}.json`), JSON.stringify(rooms, undefined, 1));
  }
}
