import { afterEach, describe, expect, it } from "@jest/globals";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SlackEmulator } from "@trestle/slack-emulator";
import { freePort, until } from "../support/bounded.js";
import { startChild } from "../dist/tools/child.js";
import { inRepository } from "../dist/tools/paths.js";
import { SlackWorld } from "../dist/crash/slack/world.js";

const messages = 30;
const patienceMs = 60_000;
const closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
}, patienceMs);

/** How many of the messages that Slack was told were taken are nowhere after a SIGKILL. */
interface Loss {
  readonly acknowledged: number;
  readonly lost: number;
}

/** Says something new until it arrives: what was said while the app was away comes later, if at all. */
async function whenBack(
  what: string,
  say: (text: string) => void,
  arrived: () => Promise<readonly string[]>,
): Promise<void> {
  let said = 0;
  await until(patienceMs, what, async () => {
    if (said % 20 === 0) say(`afterwards ${said}`);
    said += 1;
    return (await arrived()).some((text) => text.startsWith("afterwards")) || undefined;
  });
}

function acknowledged(slack: SlackEmulator): number {
  const isOurs = (event: unknown): boolean =>
    typeof event === "object" && event !== null && "text" in event && String(event.text).startsWith("message ");
  return slack
    .app()
    .deliveries()
    .filter(({ state, body }) => state === "delivered" && isOurs(body["event"])).length;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** A relay made with Bolt as it comes, killed while what it says is under way. */
async function lossOfBolt(transport: "socket" | "http", log: string): Promise<Loss> {
  const slack = await SlackEmulator.start();
  closings.push(() => slack.stop());
  const app = slack.app();
  const port = transport === "http" ? await freePort() : undefined;
  if (port !== undefined) app.setRequestUrl(`http://127.0.0.1:${port}/slack/events`);
  const copies = slack.workspace().channel("random");
  const start = async (): Promise<ChildProcess> => {
    const child = startChild({
      script: inRepository("test/dist/crash/slack/bolt-relay.js"),
      log,
      env: {
        SLACK_API_URL: slack.apiUrl,
        SLACK_BOT_TOKEN: app.botToken(),
        SLACK_APP_TOKEN: app.appToken,
        SLACK_SIGNING_SECRET: app.signingSecret,
        SLACK_COPIES: copies.id,
        ...(port !== undefined && { SLACK_PORT: String(port) }),
      },
    });
    closings.push(() => kill(child));
    if (port === undefined) await app.waitForConnections(1, { timeout: patienceMs });
    else await until(patienceMs, "Bolt to listen", async () => (await answers(port)) || undefined);
    return child;
  };
  const first = await start();
  const hanging = slack.faults.api({ kind: "hang_before", method: "chat.postMessage" });
  for (let number = 0; number < messages; number++)
    slack.workspace().person("bob").post("general", `message ${number}`);
  await until(patienceMs, "all to be acknowledged", () => acknowledged(slack) >= messages || undefined);
  const told = acknowledged(slack);
  await kill(first);
  hanging.lift();
  await start();
  await whenBack(
    "the relay to be back",
    (text) => slack.workspace().person("bob").post("general", text),
    () => Promise.resolve(copies.texts()),
  );
  const arrived = copies.texts().filter((text) => text.startsWith("message")).length;
  return { acknowledged: told, lost: told - arrived };
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/slack/events`).then(
    () => true,
    () => false,
  );
}

/** Trestle, killed while what it says is under way. */
async function lossOfTrestle(transport: "socket" | "http", directory: string): Promise<Loss> {
  const world = await SlackWorld.open(directory, transport, 1);
  closings.push(() => world.close());
  const [place] = world.places;
  const [bob] = world.slackPeople;
  if (!place || !bob) throw new Error("There is nobody");
  world.bridge.start();
  await world.whenBridged(patienceMs);
  await world.homeserver.control("POST", "faults/answer", { status: 500, filter: { fromAppService: true } });
  for (let number = 0; number < messages; number++) bob.post(place.channel.id, `message ${number}`);
  await until(patienceMs, "all to be acknowledged", () => acknowledged(world.slack) >= messages || undefined);
  const told = acknowledged(world.slack);
  await world.bridge.kill();
  await world.homeserver.control("POST", "faults/clear");
  world.bridge.start();
  const bodies = async (): Promise<readonly string[]> => {
    await place.timeline.read();
    return place.timeline.events.map(({ content }) => String(content["body"]));
  };
  await whenBack("the bridge to be back", (text) => bob.post(place.channel.id, text), bodies);
  const arrived = new Set((await bodies()).filter((body) => body.startsWith("message"))).size;
  return { acknowledged: told, lost: told - arrived };
}

describe("what is lost at a SIGKILL of what Slack was told was taken", () => {
  it.each(["socket", "http"] as const)(
    "is all that Bolt has under way over %s, and nothing of Trestle's",
    async (transport) => {
      const directory = await mkdtemp(join(tmpdir(), "trestle-bolt-"));
      closings.push(() => rm(directory, { recursive: true, force: true }));
      const bolt = await lossOfBolt(transport, join(directory, "bolt.log"));
      const trestle = await lossOfTrestle(transport, directory);
      console.log(
        `${transport}, SIGKILL: Bolt with its own receiver lost ${bolt.lost} of ${bolt.acknowledged} acknowledged messages, Trestle ${trestle.lost} of ${trestle.acknowledged}`,
      );
      expect(bolt.lost).toBeGreaterThan(0);
      expect(trestle).toEqual({ acknowledged: messages, lost: 0 });
    },
    240_000,
  );
});
