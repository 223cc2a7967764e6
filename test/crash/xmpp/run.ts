import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { XmppServer, XmppServerOptions } from "../../support/servers/xmpp-server.js";
import { Idleness } from "../../tools/progress.js";
import { Random } from "../../tools/random.js";
import { waitFor } from "../../tools/wait.js";
import type { RunResult } from "../report.js";
import { Talk, type Act } from "../talk.js";
import { settleAccount, type Account } from "./account.js";
import { MatrixSide } from "./matrix-side.js";
import type { XmppScenario } from "./scenarios.js";
import type { Way } from "./way.js";
import { XmppWorld } from "./world.js";
import { XmppSide } from "./xmpp-side.js";

const everyMs = 120;
/** In a third of the cycles the end comes at any moment after the start of the process, in a third after it is up, and in a third after it has carried something. */
const afterStartMs = [50, 1_500] as const;
const afterUpMs = [0, 900] as const;
const upWithinMs = 30_000;
const startWithinMs = 120_000;
/** Whatever was not there goes on arriving for as long as it takes on a busy machine, but not longer than that. */
const settleMs = 1_200_000;
/** It is over after so long without any arrival; after less where the bridge does nothing. */
const stuckMs = 240_000;
const silenceMs = 60_000;

/** Runs one scenario with one server: load in both directions, and something bad in each cycle. */
export async function runScenario(
  scenario: XmppScenario,
  start: (options: XmppServerOptions) => Promise<XmppServer>,
  way: Way,
  title: string,
  cycles: number,
  seed: number,
  directory: string,
): Promise<RunResult> {
  const began = performance.now();
  mkdirSync(directory, { recursive: true });
  const [random, talkRandom] = [new Random(seed), new Random(seed + 1)];
  const world = await XmppWorld.open(directory, start, seed, way);
  const talk = new Talk(sidesOf(world, talkRandom), talkRandom, everyMs);
  try {
    await world.startPeople();
    world.bridge.start();
    await world.whenBridged(startWithinMs);
    await world.whenSignedIn(startWithinMs);
    talk.start();
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await live(world, random);
      world.note(`cycle ${cycle}: strike after ${world.bridge.age.toFixed(0)} ms`);
      await scenario.strike(world, random);
    }
    await sleep(500);
    await talk.stop();
    await world.whenUp(silenceMs);
    const account = await settle(world);
    for (const deviation of await world.deviations())
      world.complain(`not as the specification has it: ${JSON.stringify(deviation)}`);
    for (const stray of world.strays()) world.complain(stray);
    for (const greeting of world.lostGreetings()) world.complain(greeting);
    for (const body of account.forgotten.slice(0, 10)) world.complain(`the server itself has lost: ${body}`);
    const complaints = [...world.complaints, ...world.bridge.surprises];
    const ok = complaints.length === 0 && account.findings.length === 0;
    writeReport(world, account);
    const seconds = (performance.now() - began) / 1000;
    return { title, cycles, ...account, complaints, ok, seconds, directory };
  } finally {
    await talk.abandon();
    await world.close();
  }
}

/** People who say, answer, edit, react and take back, on both sides of all places. */
function sidesOf(world: XmppWorld, random: Random): Act[] {
  return world.places.flatMap((place) => {
    const matrix = new MatrixSide(place, random);
    const xmpp = new XmppSide(place, random);
    return [() => matrix.act(), () => xmpp.act()];
  });
}

async function live(world: XmppWorld, random: Random): Promise<void> {
  const when = random.between(1, 3);
  if (when === 1) {
    await sleep(random.between(...afterStartMs));
    return;
  }
  const extra = random.between(...afterUpMs);
  await world.whenUp(upWithinMs);
  if (when === 3) {
    await readTimelines(world);
    await waitFor("something to arrive", upWithinMs, async () => (await readTimelines(world)) > 0).catch(
      (error: unknown) => world.note(String(error)),
    );
  }
  await sleep(extra);
}

/** Resolves to how much of what was said on XMPP has newly come to the rooms. */
async function readTimelines(world: XmppWorld): Promise<number> {
  let arrived = 0;
  for (const { timeline, book } of world.places) {
    const before = timeline.events.length;
    await timeline.read();
    arrived += timeline.events.slice(before).filter(({ event_id }) => !book.sent.has(event_id)).length;
  }
  return arrived;
}

/** Waits until all has arrived, or nothing arrives any more; then it is said how that looked. */
async function settle(world: XmppWorld): Promise<Account> {
  const began = performance.now();
  const idleness = new Idleness(() => world.bridge.pid);
  let arrivedAt = began;
  for (;;) {
    const fresh = await world.read().catch((error: unknown) => {
      world.note(`could not be read: ${String(error)}`);
      return 0;
    });
    const now = performance.now();
    if (fresh > 0) {
      idleness.progressed();
      arrivedAt = now;
    }
    const account = settleAccount(world);
    if (Object.values(account.tallies).every(({ lost }) => lost === 0)) {
      // A duplicate may still be on its way.
      await sleep(1_000);
      await world.read();
      return settleAccount(world);
    }
    const { forMs } = idleness;
    if (now - began > settleMs || now - arrivedAt > stuckMs || forMs > silenceMs) {
      const [waited, silent, idle] = [now - began, now - arrivedAt, forMs].map((ms) => (ms / 1_000).toFixed(0));
      world.complain(
        `given up after ${waited} s: the last arrival was ${silent} s before, the bridge idle for ${idle} s`,
      );
      return account;
    }
    await sleep(200);
  }
}

function writeReport(world: XmppWorld, account: Account): void {
  writeFileSync(join(world.directory, "findings.json"), JSON.stringify(account.findings, undefined, 1));
  for (const { number, book, timeline, archive } of world.places) {
    const utterances = book.utterances.map((each) => ({ ...each, answers: each.answers?.id }));
    const reactions = book.reactions.map((each) => ({ ...each, target: each.target.id }));
    const { saidOnMatrix } = book;
    const place = { utterances, reactions, saidOnMatrix, archive: archive.messages, room: timeline.events };
    writeFileSync(join(world.directory, `place${number}.json`), JSON.stringify(place, undefined, 1));
  }
}
