import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Idleness } from "../../tools/progress.js";
import { Random } from "../../tools/random.js";
import { waitFor } from "../../tools/wait.js";
import type { RunResult } from "../report.js";
import { Talk, type Act } from "../talk.js";
import { settleAccount, type Account } from "./account.js";
import { directions } from "./book.js";
import { MatrixSide } from "./matrix-side.js";
import type { SlackScenario } from "./scenarios.js";
import { everythingIn } from "./sight.js";
import { SlackSide } from "./slack-side.js";
import { SlackWorld, type Transport } from "./world.js";

const everyMs = 110;
/** In a third of the cycles the end comes at any moment after the start of the process, in a third after it is up, and in a third after it has carried something. */
const afterStartMs = [50, 1_200] as const;
const afterUpMs = [0, 900] as const;
const upWithinMs = 15_000;
const startWithinMs = 30_000;
/** All must have arrived after so long, or after so long without any arrival while the bridge does nothing. */
const settleMs = 300_000;
const silenceMs = 20_000;
/** Slack tries an event a minute and then five minutes later once more. */
const lateTriesMs = [60_000, 300_000];

/** Runs one scenario over one transport: load in both directions, and something bad in each cycle. */
export async function runScenario(
  scenario: SlackScenario,
  transport: Transport,
  cycles: number,
  seed: number,
  parent: string,
): Promise<RunResult> {
  const began = performance.now();
  const directory = join(parent, `${transport}-${scenario.name}`);
  mkdirSync(directory, { recursive: true });
  const [random, talkRandom] = [new Random(seed), new Random(seed + 1)];
  const world = await SlackWorld.open(directory, transport, seed);
  const talk = new Talk(sidesOf(world, talkRandom), talkRandom, everyMs);
  try {
    world.bridge.start();
    await world.whenBridged(startWithinMs);
    talk.start();
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await live(world, random);
      world.note(`cycle ${cycle}: strike after ${world.bridge.age.toFixed(0)} ms`);
      await scenario.strike(world, random);
    }
    await sleep(500);
    await talk.stop();
    await scenario.end?.(world);
    // On a busy machine a start takes longer than the silence that ends the wait for messages.
    await world.whenUp(silenceMs);
    await settle(world);
    await deliverLate(world);
    const account = await settle(world);
    for (const deviation of await world.deviations())
      world.complain(`not as the specification has it: ${JSON.stringify(deviation)}`);
    const complaints = [...world.complaints, ...world.bridge.surprises];
    const ok = complaints.length === 0 && account.findings.length === 0;
    writeReport(world, account);
    const seconds = (performance.now() - began) / 1000;
    return { title: `${transport}: ${scenario.title}`, cycles, ...account, complaints, ok, seconds, directory };
  } finally {
    await world.close();
    await talk.abandon();
  }
}

/** People who say, answer, edit, react and take back, on both sides of all places. */
function sidesOf(world: SlackWorld, random: Random): Act[] {
  return world.places.flatMap((place) => {
    const matrix = new MatrixSide(place, world.people, random);
    const slack = new SlackSide(place, world.slackPeople, random);
    return [() => matrix.act(), () => slack.act()];
  });
}

async function live(world: SlackWorld, random: Random): Promise<void> {
  const when = random.between(1, 3);
  if (when === 1) {
    await sleep(random.between(...afterStartMs));
    return;
  }
  const extra = random.between(...afterUpMs);
  await world.whenUp(upWithinMs);
  if (when === 3) {
    await world.read();
    const before = arrivals(world);
    await waitFor(
      "something to arrive",
      upWithinMs,
      async () => (await world.read()) > 0 && arrivals(world) > before,
    ).catch((error: unknown) => world.note(String(error)));
  }
  await sleep(extra);
}

/** How much of what was said in Slack the rooms show. */
function arrivals(world: SlackWorld): number {
  return world.look().reduce((sum, { matrix }) => sum + matrix.arrivals.length, 0);
}

/** What Slack could not deliver comes late: when all is there already. */
async function deliverLate(world: SlackWorld): Promise<void> {
  for (const ms of lateTriesMs) {
    world.note(`Slack tries ${world.slack.undelivered} events once more`);
    world.slack.clock.advance(ms);
    await waitFor("an attempt at every event", 120_000, () =>
      world.app.deliveries().every(({ attempts }) => attempts.at(-1)?.result !== "pending"),
    );
  }
  await waitFor("the end of all deliveries", 120_000, () => world.slack.undelivered === 0);
}

/** Waits until all has arrived, or nothing arrives any more. */
async function settle(world: SlackWorld): Promise<Account> {
  const end = performance.now() + settleMs;
  const idleness = new Idleness(() => world.bridge.pid);
  let before = 0;
  for (;;) {
    const fresh = (await world.read()) > 0;
    const account = settleAccount(world.look());
    const lost = directions.reduce((sum, direction) => sum + account.tallies[direction].lost, 0);
    if (fresh || lost !== before) idleness.progressed();
    before = lost;
    if (performance.now() > end || idleness.forMs > silenceMs) return account;
    if (lost === 0) {
      // A duplicate may still be on its way.
      await sleep(1_000);
      await world.read();
      return settleAccount(world.look());
    }
    await sleep(200);
  }
}

function writeReport(world: SlackWorld, account: Account): void {
  writeFileSync(join(world.directory, "findings.json"), JSON.stringify(account.findings, undefined, 1));
  writeFileSync(join(world.directory, "deliveries.json"), JSON.stringify(world.app.deliveries(), undefined, 1));
  for (const { book, timeline, channel } of world.places) {
    const place = {
      utterances: book.utterances.map((each) => ({ ...each, root: each.root?.id })),
      reactions: book.reactions.map((each) => ({ ...each, target: each.target.id })),
      channel: everythingIn(channel),
      room: timeline.events,
    };
    writeFileSync(join(world.directory, `place${book.place}.json`), JSON.stringify(place, undefined, 1));
  }
}
