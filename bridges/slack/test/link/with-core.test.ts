import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  createLogger,
  defineConnector,
  loadConfig,
  RemoteMessageId,
  RemoteUserId,
  startTrestle,
  type NetworkHandlers,
  type Outcome,
  type RunningTrestle,
} from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";
import { SlackEmulator } from "@trestle/slack-emulator";
import { Homeserver } from "@trestle/testkit";
import { z } from "zod";
import { configSchema } from "../../dist/config.js";
import { channelIdOf, placeOf } from "../../dist/ids.js";
import { SlackLink } from "../../dist/link/index.js";
import { freePort, patiently, until } from "../../../../test/support/bounded.js";

const serverName = "slack.test";
const bot = `@slackbot:${serverName}`;

/** The shortest connector that a link makes possible: texts, both ways. */
const connector = defineConnector({
  network: "slack",
  config: configSchema,
  async connect(context): Promise<NetworkHandlers> {
    const tuning = { staggerMs: 0, retryMinMs: 10, retryMaxMs: 50 };
    const link = new SlackLink(context, { tuning });
    const known = new Set<string>();
    link.app.event("message", async ({ event, context: { making } }) => {
      if (event.subtype !== undefined || making.workspace?.isOwn(event) === true) return;
      // What an event is about is often known only after Slack was asked.
      if (!known.has(event.user))
        await making.workspace?.call({
          method: "users.info",
          arguments: { user: event.user },
          answer: z.looseObject({}),
        });
      known.add(event.user);
      making.happened({
        kind: "message",
        id: RemoteMessageId(event.ts),
        channel: ChannelId(channelIdOf({ team: making.team, channel: event.channel })),
        sender: { id: RemoteUserId(event.user), name: event.user },
        content: { type: "text", style: "text", body: richTextOf(event.text ?? "") },
      });
    });
    await link.start();
    return {
      interpret: (raw) => link.interpret(raw),
      linked: (channel) => link.linked(channel),
      unlinked: (channel) => link.unlinked(channel),
      catchUp: (channel) => link.catchUp(channel),
      async message({ channel, effect, content, signal }): Promise<Outcome> {
        const place = placeOf(channel);
        const workspace = place && link.installations.get(place.team);
        if (!workspace) return { failed: "retry", reason: "the workspace is not known yet" };
        const text = content.type === "text" ? toPlainText(content.body) : content.type;
        return link.poster.post({ workspace, channel: place.channel, effect, arguments: { text }, signal });
      },
      async findSent({ channel, effect, at, signal }) {
        const place = placeOf(channel);
        const workspace = place && link.installations.get(place.team);
        if (!workspace) throw new Error("the workspace is not known yet");
        return link.poster.findSent({ workspace, channel: place.channel, effect, since: at, signal });
      },
      close: () => link.close(),
    };
  },
});

let closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

async function open(sockets = 2) {
  const slack = await SlackEmulator.start({ retryDelays: [0, 20, 20], ackTimeout: patiently(1_000) });
  closers.push(() => slack.stop());
  const port = await freePort();
  const registration = {
    id: "slack",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-slack-tests",
    hs_token: "hs-token-of-the-slack-tests",
    sender_localpart: "slackbot",
    rate_limited: false,
    namespaces: { users: [{ exclusive: true, regex: "^@slack_.*:slack\\.test$" }], aliases: [], rooms: [] },
  };
  const homeserver = await Homeserver.start({
    serverName,
    registrations: [registration],
    retry: { firstMs: 5, maxMs: 50 },
  });
  closers.push(() => homeserver.stop());
  const alice = homeserver.createClient("alice");
  const users = { [alice.userId]: 100, [bot]: 100 };
  const room = await alice.createRoom({ invite: [bot], power_level_content_override: { users } });
  const directory = await mkdtemp(join(tmpdir(), "trestle-slack-"));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const app = slack.app();
  const general = slack.workspace().channel("general");
  const config = {
    homeserver: { url: homeserver.url, name: serverName },
    listen: { port },
    operations: { port: 0 },
    media: { port: 0 },
    delivery: { retryMin: 5, retryMax: 100, stopTimeout: 2_000 },
    bridges: [
      {
        name: "slack",
        connector: "slack",
        registration: "registration.yaml",
        links: [{ room, channel: channelIdOf({ team: slack.workspace().id, channel: general.id }) }],
        network: {
          appToken: app.appToken,
          workspaces: [{ botToken: app.botToken() }],
          apiUrl: slack.apiUrl,
          timeout: 2,
          sockets,
        },
      },
    ],
  };
  await writeFile(join(directory, "registration.yaml"), JSON.stringify(registration));
  await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
  let trestle: RunningTrestle | undefined;
  const start = async (): Promise<void> => {
    const loaded = await loadConfig(join(directory, "trestle.yaml"));
    const level = process.env["TRESTLE_TEST_LOG"] === undefined ? "silent" : "debug";
    trestle = await startTrestle(loaded, {
      log: createLogger({ ...loaded.config.log, level }),
      connectors: { slack: connector },
    });
    await trestle.greeted;
    await app.waitForConnections(sockets);
  };
  const stop = async (): Promise<void> => {
    const running = trestle;
    trestle = undefined;
    await running?.close();
  };
  closers.push(stop);
  await start();
  const heard = (): string[] =>
    homeserver
      .room(room)
      .messages()
      .filter(({ sender }) => typeof sender === "string" && sender.startsWith("@slack_"))
      .map(({ content }) => String((content as { body?: unknown }).body));
  const hears = (text: string): Promise<unknown> =>
    until(
      12_000,
      text,
      () => (heard().includes(text) ? true : undefined),
      () => heard().join("\n"),
    );
  return { slack, general, alice, room, start, stop, heard, hears, carol: slack.workspace().person("alice") };
}

describe("the link with the core", () => {
  it("brings what is said both ways, in order, each once, over restarts", async () => {
    const on = await open();
    const said: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 20; index += 1) {
        const text = `slack ${round}.${index}`;
        said.push(text);
        on.carol.post("general", text);
        if (index < 2) await on.alice.sendText(on.room, `matrix ${round}.${index}`);
      }
      const missed = `missed ${round}`;
      await on.stop();
      on.carol.post("general", missed);
      await on.slack.settled();
      said.push(missed);
      await on.start();
    }
    on.carol.post("general", "the end");
    await on.hears("the end");
    expect(on.heard()).toEqual([...said, "the end"]);
    const matrix = ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"].map((number) => `matrix ${number}`);
    await until(10_000, "the last one", () => (on.general.texts().includes("matrix 2.1") ? true : undefined));
    expect(on.general.texts().filter((text) => text.startsWith("matrix"))).toEqual(matrix);
  });

  it("posts once what Slack took though its answer was lost", async () => {
    const on = await open();
    for (const kind of ["drop_after", "drop_before", "hang_after"] as const) {
      on.slack.faults.api({ kind, method: "chat.postMessage", times: 1 });
      await on.alice.sendText(on.room, kind);
    }
    await on.alice.sendText(on.room, "the end");
    await until(12_000, "the end", () => (on.general.texts().includes("the end") ? true : undefined));
    expect(on.general.texts()).toEqual(["drop_after", "drop_before", "hang_after", "the end"]);
  });

  it("waits with what must be looked up while Slack does not answer, and keeps the order", async () => {
    const on = await open();
    on.carol.post("general", "first");
    await on.hears("first");
    const away = on.slack.faults.api({ kind: "status", status: 503, method: "conversations.history" });
    await on.stop();
    on.carol.post("general", "missed");
    await on.slack.settled();
    await on.start();
    on.carol.post("general", "now");
    await until(10_000, "a question", () => (away.hits > 0 ? true : undefined));
    expect(on.heard()).toEqual(["first"]);
    away.lift();
    await on.hears("now");
    expect(on.heard()).toEqual(["first", "missed", "now"]);
  });
});
