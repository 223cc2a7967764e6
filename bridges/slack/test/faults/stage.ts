import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { createLogger, loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { SlackEmulator, type ChannelHandle, type SlackEmulatorOptions } from "@trestle/slack-emulator";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { z } from "zod";
import { freePort, patiently, until } from "../../../../test/support/bounded.js";
import { tunedSlackConnector } from "../../dist/index.js";

export { until };

export type Mode = "socket" | "http";

const serverName = "slack.test";
const bot = `@slackbot:${serverName}`;
const patienceMs = 40_000;

const relationSchema = z.looseObject({
  rel_type: z.string().optional(),
  event_id: z.string().optional(),
  key: z.string().optional(),
});
const relatedSchema = z.looseObject({ "m.relates_to": relationSchema });

/** A room and a channel that are one conversation, and how much was said in it. */
export interface Place {
  readonly room: string;
  readonly channel: ChannelHandle;
  readonly said: { matrix: number; slack: number };
}

/** Trestle between a homeserver and a Slack that fail, with short pauses: two rooms linked to #general and #random. */
export class FaultStage {
  #trestle: RunningTrestle | undefined;

  private constructor(
    readonly homeserver: Homeserver,
    readonly slack: SlackEmulator,
    readonly alice: TestClient,
    readonly places: readonly [Place, Place],
    private readonly directory: string,
  ) {}

  static async open(mode: Mode, slackOptions: SlackEmulatorOptions = {}): Promise<FaultStage> {
    const directory = await mkdtemp(join(tmpdir(), "trestle-slack-faults-"));
    const port = await freePort();
    const registration = {
      id: "slack",
      url: `http://127.0.0.1:${port}`,
      as_token: "as-token-of-the-fault-tests",
      hs_token: "hs-token-of-the-fault-tests",
      sender_localpart: "slackbot",
      rate_limited: false,
      namespaces: { users: [{ exclusive: true, regex: "^@slack_.*:slack\\.test$" }], aliases: [], rooms: [] },
    };
    const homeserver = await Homeserver.start({
      port: await freePort(),
      serverName,
      registrations: [registration],
      retry: { firstMs: 5, maxMs: 50 },
    });
    const installations = [{ workspace: "acme", channels: [] }];
    const apps = [{ name: "Trestle", installations }];
    const slack = await SlackEmulator.start({ port: await freePort(), apps, ...slackOptions });
    const alice = homeserver.createClient("alice");
    const makePlace = async (name: string): Promise<Place> => ({
      room: await alice.createRoom({
        invite: [bot],
        power_level_content_override: { users: { [alice.userId]: 100, [bot]: 100 } },
      }),
      channel: slack.workspace().channel(name),
      said: { matrix: 0, slack: 0 },
    });
    const places = [await makePlace("general"), await makePlace("random")] as const;
    const app = slack.app();
    const events = mode === "http" ? await freePort() : 0;
    if (mode === "http") app.setRequestUrl(`http://127.0.0.1:${events}/slack/events`);
    const config = {
      homeserver: { url: homeserver.url, name: serverName },
      listen: { port },
      operations: { port: 0 },
      media: { port: 0, allowPrivate: ["127.0.0.1"] },
      dataDirectory: "data",
      encryptionKey: "a key for tests that is long enough",
      permissions: { "*": "user" },
      delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000 },
      bridges: [
        {
          name: "slack",
          connector: "slack",
          registration: "registration.yaml",
          links: places.map(({ room, channel }) => ({ room, channel: `${slack.workspace().id}/${channel.id}` })),
          network: {
            mode,
            apiUrl: slack.apiUrl,
            workspaces: [{ botToken: app.botToken() }],
            timeout: 1,
            ...(mode === "socket"
              ? { appToken: app.appToken }
              : { signingSecret: app.signingSecret, http: { port: events } }),
          },
        },
      ],
    };
    await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
    await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
    const stage = new FaultStage(homeserver, slack, alice, [...places], directory);
    await stage.start(mode);
    return stage;
  }

  /** Resolves when Slack reaches the bridge, or where that is not waited for when the bridge is in the channels. */
  async start(mode: Mode, isReached = true): Promise<void> {
    const loaded = await loadConfig(join(this.directory, "trestle.yaml"));
    const level = process.env["TRESTLE_TEST_LOG"] === "1" ? "debug" : "silent";
    const slack = tunedSlackConnector({ speed: 1_000, staggerMs: 20, retryMinMs: 20, retryMaxMs: 200 });
    this.#trestle = await startTrestle(loaded, {
      log: createLogger({ ...loaded.config.log, level }),
      connectors: { slack },
    });
    await this.#trestle.greeted;
    const member = this.slack.app().botUserId();
    await this.until("the bot is in the channels", () =>
      this.places.every(({ channel }) => channel.members.includes(member)),
    );
    if (mode === "socket" && isReached) await this.connected();
  }

  async connected(): Promise<void> {
    await this.slack.app().waitForConnections(2, { timeout: patiently(patienceMs) });
  }

  async stop(): Promise<void> {
    await this.#trestle?.close();
    this.#trestle = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.slack.stop();
    await this.homeserver.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  get bob() {
    return this.slack.workspace().person("bob");
  }

  /** People say something on Slack, `count` times. */
  sayOnSlack(place: Place, count: number): void {
    for (let each = 0; each < count; each++) this.bob.post(place.channel.id, `s${++place.said.slack}`);
  }

  /** Somebody says something on Matrix, `count` times. */
  async sayOnMatrix(place: Place, count: number): Promise<void> {
    for (let each = 0; each < count; each++) await this.alice.sendText(place.room, `m${++place.said.matrix}`);
  }

  async sayEverywhere(count: number): Promise<void> {
    for (const place of this.places) {
      this.sayOnSlack(place, count);
      await this.sayOnMatrix(place, count);
    }
  }

  arrivedOnMatrix({ room }: Place): string[] {
    return this.homeserver
      .room(room)
      .timeline()
      .filter(({ type, sender }) => type === "m.room.message" && sender !== this.alice.userId)
      .map(({ content }) => bodyOf(content));
  }

  textOf(content: unknown): string {
    return bodyOf(content);
  }

  relationOf(content: unknown): z.output<typeof relationSchema> | undefined {
    return relatedSchema.safeParse(content).data?.["m.relates_to"];
  }

  /** How long it took until Slack knew that each event of a channel was taken, in milliseconds, in their order. */
  delays({ channel }: Place): number[] {
    return this.slack
      .app()
      .deliveries()
      .filter(({ body, attempts }) => attempts.length > 0 && isIn(body["event"], channel.id))
      .map(({ attempts }) => (attempts.at(-1)?.endedAt ?? Number.NaN) - (attempts[0]?.at ?? Number.NaN));
  }

  arrivedOnSlack({ channel }: Place): string[] {
    return channel.texts().filter((text) => /^m\d+$/.test(text));
  }

  /** Slack goes away; resolves when the bridge has asked it something in vain, and so knows of the outage. */
  async slackGoesAway(meanwhile: () => Promise<void>): Promise<void> {
    const before = await this.#refused();
    await this.slack.goDown();
    await meanwhile();
    await until(patienceMs, "the bridge knows that Slack is away", async () =>
      (await this.#refused()) > before ? true : undefined,
    );
  }

  async #refused(): Promise<number> {
    const response = await fetch(`${this.#trestle?.operationsUrl ?? ""}/metrics`);
    const lines = (await response.text()).split("\n").filter((line) => line.includes('outcome="unreachable"'));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  }

  until(what: string, holds: () => boolean, describe?: () => string): Promise<boolean> {
    return until(patienceMs, what, () => holds() || undefined, describe);
  }

  /** Slack tries everything again that it would. */
  async settle(): Promise<void> {
    await until(patienceMs, "the end of all deliveries", () => {
      this.slack.clock.advance(300_000);
      return this.slack.undelivered === 0 || undefined;
    });
  }

  /** All is there, once, in order, on both sides; and stays so when Slack has sent everything again that it would. */
  async expectWhole(): Promise<void> {
    const numbered = (letter: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    const arrived = () =>
      this.places.map((place) => ({ matrix: this.arrivedOnMatrix(place), slack: this.arrivedOnSlack(place) }));
    const all = () =>
      arrived().every(
        ({ matrix, slack }, index) =>
          matrix.length >= (this.places[index]?.said.slack ?? 0) &&
          slack.length >= (this.places[index]?.said.matrix ?? 0),
      );
    await this.until("everything to arrive", all, () => JSON.stringify(arrived()));
    await this.settle();
    // What comes behind everything else in both places shows that nothing more is to come.
    await this.sayEverywhere(1);
    await this.until("the last ones", all, () => JSON.stringify(arrived()));
    expect(arrived()).toEqual(
      this.places.map(({ said }) => ({ matrix: numbered("s", said.slack), slack: numbered("m", said.matrix) })),
    );
  }
}

function bodyOf(content: unknown): string {
  return typeof content === "object" && content !== null && "body" in content ? String(content.body) : "";
}

function isIn(event: unknown, channel: string): boolean {
  return typeof event === "object" && event !== null && "channel" in event && event.channel === channel;
}
