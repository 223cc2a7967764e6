import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../tools/random.js";
import type { XmppWorld } from "./world.js";

export interface XmppScenario {
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Its part of all cycles. */
  readonly share: number;
  /** What happens in each cycle. */
  readonly strike: (world: XmppWorld, random: Random) => Promise<void>;
}

async function kill(world: XmppWorld): Promise<void> {
  await world.bridge.kill();
  world.bridge.start();
}

/**
 * Under load from both sides. The server is asked to end: one that is killed may itself lose what it has shown already
 * (ejabberd has part of its archive in memory only), and then nobody could say what was lost by whom.
 */
async function restartServer(world: XmppWorld, random: Random): Promise<void> {
  await world.xmpp.process.shutdown();
  if (random.chance(0.4)) await kill(world);
  await sleep(random.between(0, 400));
  await world.xmpp.process.start();
  // ejabberd does not survive being asked to end while it starts.
  await world.whenPeopleAreIn(60_000);
}

async function cut(world: XmppWorld, random: Random): Promise<void> {
  world.cut(random);
  if (random.chance(0.5)) {
    // Again, while it comes back.
    await sleep(random.between(0, 300));
    world.cut(random);
  }
  if (random.chance(0.2)) await kill(world);
}

async function terminate(world: XmppWorld, random: Random): Promise<void> {
  const status = await world.bridge.terminate(30_000);
  // One that was asked to end before it had started may end by the signal.
  if (status !== 0 && status !== "SIGTERM")
    world.complain(`SIGTERM ended the bridge with ${status} instead of exit status 0`);
  await sleep(random.between(0, 200));
  world.bridge.start();
}

async function restartHomeserver(world: XmppWorld, random: Random): Promise<void> {
  const first = random.chance(0.5);
  if (first) await world.bridge.kill();
  await world.homeserver.control("POST", "restart", { forgetTransactions: true });
  if (first) world.bridge.start();
  else await kill(world);
}

export const scenarios: readonly XmppScenario[] = [
  { name: "kill", title: "SIGKILL", share: 0.4, strike: kill },
  { name: "restart", title: "XMPP server restarted, some with SIGKILL", share: 0.2, strike: restartServer },
  { name: "cut", title: "connection cut, some with SIGKILL", share: 0.2, strike: cut },
  { name: "forgetful", title: "SIGKILL, homeserver restarted", share: 0.1, strike: restartHomeserver },
  { name: "terminate", title: "SIGTERM", share: 0.1, strike: terminate },
];
