import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, type Connector, defineConnector, type Network, RemoteMessageId, RemoteUserId } from "@trestle/core";
import { richTextOf } from "@trestle/rich-text";
import { until, within } from "../support/bounded.js";
import { FakeNetwork } from "../support/fake-connector.js";
import { expectAllOnceInOrder } from "./settled.js";
import { channelOf, Stage, type StageOptions } from "./stage.js";

jest.setTimeout(120_000);

interface Written extends Record<string, unknown> {
  bridges: Record<string, unknown>[];
}

let stage: Stage;
afterEach(async () => {
  delete process.env["TRESTLE_TEST_SLOW_COMMIT_MS"];
  await stage.close();
});

/** Changes the file as an admin does. */
async function edit(change: (config: Written) => void): Promise<void> {
  const config = JSON.parse(await readFile(stage.configFile, "utf8")) as Written;
  change(config);
  // Whole or not at all, as editors do: it may be read at any moment.
  await writeFile(`${stage.configFile}.new`, JSON.stringify(config));
  await rename(`${stage.configFile}.new`, stage.configFile);
}

const setPrefix = (prefix: string) => edit(({ bridges }) => (bridges[0]!["commandPrefix"] = prefix));

/** Whether the bot answers to this. */
async function answers(line: string, room = stage.room()): Promise<string> {
  const event = await stage.alice.sendText(room, line);
  return until(20_000, `an answer to ${line}`, () => {
    const found = stage.homeserver
      .room(room)
      .messages()
      .find(({ content }) => JSON.stringify(content).includes(`"event_id":"${event}"`));
    return found && String((found.content as { body?: unknown }).body);
  });
}

/** Adds a second bridge, `beside`, with a room and a channel of its own. */
async function addBeside(): Promise<string> {
  const { port } = (JSON.parse(await readFile(stage.configFile, "utf8")) as { listen: { port: number } }).listen;
  const registration = {
    id: "beside",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-bridge-beside",
    hs_token: "hs-token-of-the-bridge-beside",
    sender_localpart: "besidebot",
    rate_limited: false,
    namespaces: { users: [{ exclusive: true, regex: "^@beside_.*:faults\\.test$" }], aliases: [], rooms: [] },
  };
  await writeFile(join(stage.directory, "beside.yaml"), JSON.stringify(registration));
  stage.homeserver.addAppService(registration);
  const room = await stage.alice.createRoom({ invite: ["@besidebot:faults.test"] });
  await edit(({ bridges }) =>
    bridges.push({
      name: "beside",
      connector: "beside",
      registration: "beside.yaml",
      links: [{ room, channel: "beside" }],
    }),
  );
  return room;
}

/** Somebody on the network says something, again and again until it is taken: as networks with an acknowledgement do. */
async function sayUntilTaken(place: number, text: string): Promise<void> {
  stage.expectOnMatrix(text, place);
  await until(20_000, `${text} to be taken`, async () => {
    const said = stage.network.say(channelOf(place), `person${place}`, text, text);
    return (await said.then(() => true).catch(() => undefined)) as true | undefined;
  });
}

/** Sends a transaction as the homeserver does; resolves to the status of the answer. */
async function push(token: string, events: readonly unknown[] = []): Promise<number> {
  const answer = await fetch(`${stage.trestle.url}/_matrix/app/v1/transactions/${token}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ events }),
  });
  return answer.status;
}

const count = { connects: 0 };
const counted = (options: StageOptions = {}): StageOptions => {
  count.connects = 0;
  return { ...options, network: { ...options.network, onConnect: () => (count.connects += 1) } };
};

describe("a changed configuration, read again", () => {
  it("changes what a bridge does, and nothing of the bridge beside it", async () => {
    const besides: string[] = [];
    const beside = new FakeNetwork({
      onConnect: () => besides.push("connect"),
      handlers: { close: async () => void besides.push("close") },
    });
    stage = await Stage.open(counted({ connectors: { beside: beside.connector } }));
    const room = await addBeside();
    expect(await stage.trestle.reload()).toMatchObject({
      refused: null,
      started: ["beside"],
      restarted: [],
      failed: [],
    });
    expect(count.connects).toBe(1);
    await until(20_000, "the link of the new bridge", async () =>
      (await stage.trestle.services.list("beside")).length > 0 ? true : undefined,
    );
    await stage.alice.sendText(room, "hello");
    await until(20_000, "the new bridge", () => beside.taken.some(({ text }) => text === "hello") || undefined);

    expect(await answers("!fake help")).toMatch(/^This is the bridge/);
    await setPrefix("!other");
    expect(await stage.trestle.reload()).toEqual({
      refused: null,
      changed: ["bridges[0].commandPrefix"],
      needsRestart: [],
      started: [],
      restarted: ["fake"],
      stopped: [],
      failed: [],
    });
    expect(await answers("!other help")).toMatch(/^This is the bridge/);
    expect([count.connects, besides]).toEqual([2, ["connect"]]);

    await edit(({ bridges }) => bridges.splice(1));
    expect(await stage.trestle.reload()).toMatchObject({ changed: ["bridges: beside is gone"], stopped: ["beside"] });
    expect([count.connects, besides]).toEqual([2, ["connect", "close"]]);
    expect((await stage.trestle.services.status()).bridges.map(({ name }) => name)).toEqual(["fake"]);
    expect(await push("hs-token-of-the-bridge-beside")).toBe(403);
    // Back again, it takes up what was said meanwhile.
    await edit(({ bridges }) => bridges.push({ name: "beside", connector: "beside", registration: "beside.yaml" }));
    await stage.alice.sendText(room, "still there?");
    await stage.trestle.reload();
    await until(
      20_000,
      "the bridge that came back",
      () => beside.taken.some(({ text }) => text === "still there?") || undefined,
    );
  });

  it.each([
    ["", 0],
    [" on a slow disk", 5],
  ])("loses, repeats and reorders nothing that is said meanwhile%s", async (_, slowMs) => {
    if (slowMs > 0) process.env["TRESTLE_TEST_SLOW_COMMIT_MS"] = String(slowMs);
    stage = await Stage.open(counted({ places: 3 }));
    const talk = { over: false };
    const waiting = (place: number): number => {
      const { said, heard } = stage.account().find((each) => each.place === place && each.direction === "to Matrix")!;
      return said.length - heard.length;
    };
    const talking = [0, 1, 2].flatMap((place) => [
      (async () => {
        for (let said = 0; !talk.over; said++) {
          await sayUntilTaken(place, `heard ${place}.${said}`);
          await until(60_000, "what waits", () => waiting(place) < 20 || undefined);
        }
      })(),
      (async () => {
        while (!talk.over) await stage.sayOnMatrix(1, place);
      })(),
    ]);
    for (let round = 0; round < 6; round++) {
      await setPrefix(`!round${round}`);
      expect((await stage.trestle.reload()).restarted).toEqual(["fake"]);
    }
    talk.over = true;
    await Promise.all(talking);
    await expectAllOnceInOrder(stage);
    expect(count.connects).toBe(7);
  });

  it("is no reason for the homeserver to send anything twice", async () => {
    let connect = (): void => undefined;
    const held = new Promise<void>((resolve) => (connect = resolve));
    let starts = 0;
    stage = await Stage.open({
      places: 1,
      network: { beforeReady: () => (++starts > 1 ? held : Promise.resolve()) },
    });
    await setPrefix("!other");
    const reloaded = stage.trestle.reload();
    await until(10_000, "the bridge to be started anew", () => starts === 2 || undefined);
    const answer = push("hs-token-of-the-fault-tests", [
      {
        type: "m.room.message",
        room_id: stage.room(),
        event_id: "$said_while_the_bridge_is_replaced",
        sender: stage.alice.userId,
        origin_server_ts: Date.now(),
        content: { msgtype: "m.text", body: "in between" },
      },
    ]);
    connect();
    expect(await answer).toBe(200);
    await reloaded;
    await until(
      10_000,
      "the message",
      () => stage.network.taken.some(({ text }) => text === "in between") || undefined,
    );
  });

  it("takes up what has changed in a registration's file", async () => {
    stage = await Stage.open({ places: 1 });
    const path = join(stage.directory, "registration.yaml");
    await writeFile(path, (await readFile(path, "utf8")).replace("hs-token-of-the-fault-tests", "another-hs-token"));
    expect(await stage.trestle.reload()).toMatchObject({ changed: [`${path}: hs_token`], restarted: ["fake"] });
    expect([await push("another-hs-token"), await push("hs-token-of-the-fault-tests")]).toEqual([200, 403]);
  });

  it("takes nothing more from a connector that was told to end", async () => {
    const ports: Network[] = [];
    const connector: Connector = defineConnector({
      network: "fake",
      config: new FakeNetwork().connector.config,
      connect: ({ network }) => {
        ports.push(network);
        return Promise.resolve({ message: () => Promise.resolve({}) });
      },
    });
    stage = await Stage.open({ connector, places: 1 });
    await setPrefix("!other");
    await stage.trestle.reload();
    const late = {
      kind: "message",
      id: RemoteMessageId("late"),
      channel: ChannelId(channelOf(0)),
      sender: { id: RemoteUserId("somebody"), name: "somebody" },
      content: { type: "text", style: "text", body: richTextOf("late") },
    } as const;
    stage.expectOnMatrix("late");
    await expect(ports[0]!.receive(late)).rejects.toThrow("taken after its next start");
    // What was not taken is said again to the one that follows.
    await ports[1]!.receive(late);
    await expectAllOnceInOrder(stage);
  });

  it("reaches every bridge where it concerns every bridge", async () => {
    stage = await Stage.open(counted({ places: 1 }));
    expect(await answers("!fake create tea")).toMatch(/level “admin”|There is no command/);
    await edit((config) => (config["permissions"] = { "@alice:faults.test": "block" }));
    expect(await stage.trestle.reload()).toMatchObject({
      changed: ['permissions["*"]', 'permissions["@alice:faults.test"]'],
      restarted: ["fake"],
    });
    const before = stage.network.taken.length;
    await stage.alice.sendText(stage.room(), "blocked");
    await stage.homeserver.delivered("fake");
    await until(10_000, "what she said to be dropped", async () => {
      const { length } = await stage.trestle.services.queue.list({ direction: "toNetwork" });
      return length === 0 || undefined;
    });
    await edit((config) => (config["permissions"] = { "*": "relay" }));
    await stage.trestle.reload();
    await stage.sayOnMatrix(1);
    await until(10_000, "what is said later", () => stage.network.taken.length > before || undefined);
    expect(stage.network.taken.slice(before).map(({ text }) => text)).not.toContain("blocked");
  });
});

describe("a configuration that cannot be taken up as it is", () => {
  it("is refused whole where a key is wrong, with the key and what was expected", async () => {
    stage = await Stage.open(counted({ places: 1 }));
    await edit((config) => {
      config.bridges[0]!["commandPrefix"] = "!other";
      config.bridges[0]!["network"] = { nonsense: 1 };
    });
    const { refused } = await stage.trestle.reload();
    expect(refused).toEqual({
      why: "configuration",
      message: expect.stringMatching(/trestle\.yaml.*bridges\[0\]\.network.*nonsense/) as unknown,
    });
    await writeFile(join(stage.directory, "registration.yaml"), "{}");
    await edit((config) => (config.bridges[0]!["network"] = {}));
    expect((await stage.trestle.reload()).refused).toMatchObject({ why: "registration" });
    await edit((config) => (config.bridges[0]!["connector"] = "./gone.js"));
    expect((await stage.trestle.reload()).refused).toMatchObject({ why: "registration" });
    expect(count.connects).toBe(1);
    expect(await answers("!fake help")).toMatch(/^This is the bridge/);
  });

  it("leaves what is read at the start as it is, says so each time, and takes up the rest", async () => {
    stage = await Stage.open(counted({ places: 1 }));
    const { url } = stage.trestle;
    await edit((config) => {
      config["dataDirectory"] = "elsewhere";
      config["encryptionKey"] = "a secret that nobody may read in a log or an answer";
      config["listen"] = { port: 1 };
      config.bridges[0]!["commandPrefix"] = "!other";
    });
    const view = await stage.trestle.reload();
    expect(view).toMatchObject({
      needsRestart: ["listen.port", "dataDirectory", "encryptionKey"],
      restarted: ["fake"],
    });
    expect(JSON.stringify(view)).not.toContain("nobody may read");
    expect(await answers("!other help")).toMatch(/^This is the bridge/);
    expect(stage.trestle.url).toBe(url);
    expect(await stage.trestle.reload()).toMatchObject({
      needsRestart: ["listen.port", "dataDirectory", "encryptionKey"],
      restarted: [],
    });
    expect(count.connects).toBe(2);
  });

  it("keeps a bridge that does not start with it on its old settings, until it can", async () => {
    let broken = false;
    const starts: string[] = [];
    stage = await Stage.open({
      places: 1,
      network: {
        beforeReady: () => {
          starts.push(broken ? "fails" : "starts");
          const fails = broken;
          broken = false;
          return fails ? Promise.reject(new Error("the port of the webhook is taken")) : Promise.resolve();
        },
      },
    });
    await stage.sayOnMatrix(1);
    await setPrefix("!other");
    broken = true;
    expect(await stage.trestle.reload()).toMatchObject({
      restarted: [],
      failed: [{ bridge: "fake", reason: "the port of the webhook is taken", runs: true }],
    });
    expect(starts).toEqual(["starts", "fails", "starts"]);
    await stage.sayOnMatrix(1);
    await stage.sayOnNetwork(1);
    await expectAllOnceInOrder(stage);
    expect(await answers("!fake help")).toMatch(/^This is the bridge/);
    expect(await stage.trestle.reload()).toMatchObject({ restarted: ["fake"], failed: [] });
    expect(await answers("!other help")).toMatch(/^This is the bridge/);
  });

  it("says that a bridge is down which does not start at all, and starts it when it can", async () => {
    let broken = false;
    stage = await Stage.open({
      places: 1,
      network: { beforeReady: () => (broken ? Promise.reject(new Error("no port")) : Promise.resolve()) },
    });
    await setPrefix("!other");
    broken = true;
    expect((await stage.trestle.reload()).failed).toEqual([{ bridge: "fake", reason: "no port", runs: false }]);
    const ready = await fetch(`${stage.trestle.operationsUrl}/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("could not be started")]);
    // What is said meanwhile stays with the homeserver.
    await stage.sayOnMatrix(2);
    broken = false;
    expect(await stage.trestle.reload()).toMatchObject({ started: ["fake"], failed: [] });
    expect((await stage.trestle.reload()).changed).toEqual([]);
    await expectAllOnceInOrder(stage);
  });
});

describe("reloads and stops at once", () => {
  it("a file that changes while it is being taken up is read again, and bridges never overlap", async () => {
    let [open, most] = [0, 0];
    let isOpen = false;
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    stage = await Stage.open({
      places: 1,
      network: {
        onConnect: () => (most = Math.max(most, ++open)),
        beforeReady: () => (isOpen ? held : Promise.resolve()),
        handlers: {
          close: () => {
            open -= 1;
            return Promise.resolve();
          },
        },
      },
    });
    isOpen = true;
    const views = [];
    for (let round = 0; round < 5; round++) {
      await setPrefix(`!round${round}`);
      views.push(stage.trestle.reload());
    }
    goOn();
    await Promise.all(views);
    expect(await answers("!round4 help")).toMatch(/^This is the bridge/);
    expect([most, open]).toEqual([1, 1]);
  });

  it("a stop that comes meanwhile ends in order, and what is said is not lost", async () => {
    let begun = (): void => undefined;
    let starts = 0;
    const replacing = new Promise<void>((resolve) => (begun = resolve));
    stage = await Stage.open({
      places: 1,
      network: {
        onConnect: () => (starts += 1),
        handlers: {
          close: () => {
            begun();
            return Promise.resolve();
          },
        },
      },
    });
    await setPrefix("!other");
    const reloaded = stage.trestle.reload();
    await replacing;
    const said = stage.sayOnMatrix(2);
    await within(20_000, "the stop", stage.stop());
    await within(20_000, "the reload", reloaded);
    expect(starts).toBe(1);
    await said;
    await stage.start();
    await stage.sayOnNetwork(1);
    await expectAllOnceInOrder(stage);
  });
});
