import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ChildProcess } from "node:child_process";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { join } from "node:path";
import {
  adminApi,
  ChannelId,
  ensureAdminToken,
  publishOperationsAddress,
  RoomId,
  ServiceError,
  startOperationsServer,
} from "@trestle/core";
import type { LinkView, OperationsServer, QueueDetail, ReloadView, Services, StatusView } from "@trestle/core";
import { Homeserver } from "@trestle/testkit";
import { load } from "js-yaml";
import { Registry } from "prom-client";
import { ended, freePorts, initialise, start, trestle, workplace, written } from "./support/cli.js";

// Each test starts several processes, one after the other.
jest.setTimeout(120_000);

let directory: string;
let remove: () => Promise<void>;
let listen: number;
let operations: number;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  ({ directory, remove } = await workplace());
  [listen = 0, operations = 0] = await freePorts(2);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await remove();
});

async function homeserver(options: { registered?: boolean; serverName?: string } = {}): Promise<Homeserver> {
  const server = await Homeserver.start({
    serverName: options.serverName ?? "example.org",
    // An unknown token at /register is answered 401 without the flows that the specification wants there.
    expectDeviations: options.registered === false,
  });
  closers.push(() => server.stop());
  await initialise({ directory, homeserverUrl: server.url, listen, operations });
  if (options.registered !== false)
    server.addAppService(load(await readFile(join(directory, "registration-echo.yaml"), "utf8")));
  return server;
}

/** `trestle run`, once it listens; killed at the end of the test where it still runs. */
async function running(): Promise<ChildProcess> {
  const child = start(directory, ["run"]);
  closers.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await gone;
  });
  await written(child, /Trestle is running/);
  return child;
}

async function exit(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const done = ended(child);
  child.kill(signal);
  return (await done).status;
}

describe("trestle run", () => {
  it("serves the commands while it runs, stops at SIGTERM with status 0, and leaves the store to them", async () => {
    const server = await homeserver();
    const child = await running();
    expect((await stat(join(directory, "data", "admin-token"))).mode & 0o777).toBe(0o600);
    const status = JSON.parse((await trestle(directory, "status", "--json")).stdout) as StatusView;
    expect(status.bridges.map((bridge) => [bridge.name, bridge.network])).toEqual([["echo", "echo"]]);

    const person = server.createClient("person");
    const roomId = await person.createRoom({ invite: ["@echobot:example.org"] });
    expect(await trestle(directory, "link", "echo", roomId, "somewhere")).toMatchObject({
      status: 0,
      stdout: `Linked ${roomId} to somewhere (echo).\n`,
    });
    expect((await trestle(directory, "link", "echo", roomId, "somewhere")).status).toBe(21);
    const second = await person.createRoom({ invite: ["@echobot:example.org"] });
    expect((await trestle(directory, "link", "echo", second, "somewhere")).stdout).toContain(
      "(echo). somewhere is in another room, too: ",
    );
    expect((await trestle(directory, "unlink", "echo", second)).status).toBe(0);
    expect(JSON.parse((await trestle(directory, "list", "--json")).stdout)).toEqual([
      expect.objectContaining({ room: roomId, channel: "somewhere" }),
    ]);
    expect((await trestle(directory, "queue", "list")).stdout).toContain("Nothing waits");

    expect(await exit(child, "SIGTERM")).toBe(0);
    expect((await trestle(directory, "list")).stdout).toContain(roomId);
    expect(JSON.parse((await trestle(directory, "queue", "list", "--json")).stdout)).toEqual([]);
    for (const command of [["status"], ["link", "echo", roomId, "x"], ["unlink", "echo", roomId]]) {
      const done = await trestle(directory, ...command);
      expect([done.status, done.stderr]).toEqual([
        20,
        expect.stringMatching(/^trestle: Trestle is not running .*Start it with: trestle run\n$/),
      ]);
    }
  });

  it("refuses a second Trestle on the same data with status 13, and a taken port with 15", async () => {
    await homeserver();
    await running();
    const second = await trestle(directory, "run");
    expect([second.status, second.stderr]).toEqual([13, expect.stringContaining("Another Trestle is running")]);
    await writeFile(
      join(directory, "other.yaml"),
      `${await readFile(join(directory, "trestle.yaml"), "utf8")}dataDirectory: other\n`,
    );
    const taken = await trestle(directory, "run", "-c", "other.yaml");
    expect([taken.status, taken.stderr]).toEqual([15, expect.stringContaining(String(listen))]);
  });

  it("ends with status 16 where the homeserver does not know the registration, and says what to do", async () => {
    await homeserver({ registered: false });
    const done = await trestle(directory, "run");
    expect([done.status, done.stderr]).toEqual([
      16,
      expect.stringMatching(/does not know the as_token.*app_service_config_files.*restart/),
    ]);
    expect(done.stderr).not.toContain("    at ");
  });

  it("ends with status 17 where the homeserver has another name", async () => {
    await homeserver({ serverName: "other.example" });
    const done = await trestle(directory, "run");
    expect([done.status, done.stderr]).toEqual([
      17,
      expect.stringMatching(/so its name is other\.example, not example\.org/),
    ]);
  });

  it("waits for a homeserver that is not there, and stops at SIGINT", async () => {
    const server = await homeserver();
    await server.stop();
    expect(await exit(await running(), "SIGINT")).toBe(0);
  });

  it("ends with the status of what it cannot use", async () => {
    await homeserver();
    const path = join(directory, "trestle.yaml");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("./echo.mjs", "not-a-connector"));
    expect((await trestle(directory, "run")).status).toBe(12);
    await writeFile(path, text);
    await rm(join(directory, "registration-echo.yaml"));
    expect((await trestle(directory, "run")).status).toBe(11);
    await writeFile(path, "nonsense");
    expect((await trestle(directory, "run")).status).toBe(10);
    expect((await trestle(directory, "run", "--config", "gone.yaml")).status).toBe(10);
  });
});

const link: LinkView = {
  bridge: "echo",
  room: RoomId("!r:example.org"),
  channel: ChannelId("c"),
  channelName: "ch\u001b[31man",
  kind: "plumbed",
};
const entry: QueueDetail = {
  seq: 7,
  bridge: "echo",
  direction: "toNetwork",
  state: "dead",
  lane: "!r:example.org",
  source: "$event",
  attempts: 3,
  receivedAt: Date.now() - 7_200_000,
  error: "no such nick\nand more",
  payload: { content: { body: "hello" } },
};
const flow = { queued: 2, dead: 1, oldestMs: 300_000, delivered: 10 };
const status: StatusView = {
  version: "9.9.9",
  startedAt: Date.now() - 3_600_000,
  homeserver: {
    url: "http://hs",
    reachable: true,
    ping: { ok: false, detail: "M_CONNECTION_FAILED", at: Date.now() },
    lastTransactionAt: null,
  },
  bridges: [
    {
      name: "echo",
      network: "echo",
      links: 1,
      connections: [{ connection: "libera", state: "waiting", detail: "throttled" }],
      toNetwork: flow,
      toMatrix: { queued: 0, dead: 0, oldestMs: 0, delivered: 0 },
      policyLists: [
        { list: "#bans:hs", state: "read", bans: 12 },
        { list: "#more:hs", state: "kept", bans: 3, detail: "The bot may not join." },
      ],
    },
  ],
};

const nothingChanged: ReloadView = {
  refused: null,
  changed: [],
  needsRestart: [],
  started: [],
  restarted: [],
  stopped: [],
  failed: [],
};

/** What a running Trestle offers, with answers of the test's own. */
async function answering(
  changes: Partial<Services> = {},
): Promise<{ readonly server: OperationsServer; readonly calls: unknown[][] }> {
  await initialise({ directory, homeserverUrl: "http://127.0.0.1:1", listen, operations });
  const calls: unknown[][] = [];
  const record =
    <Value>(name: string, value: Value) =>
    async (...args: unknown[]): Promise<Value> => {
      calls.push([name, ...args]);
      return value;
    };
  const { payload: _payload, ...listed } = entry;
  const services: Services = {
    link: record("link", link),
    unlink: record("unlink", [link]),
    list: record("list", [link]),
    status: record("status", status),
    reload: record("reload", nothingChanged),
    queue: {
      list: record("queue.list", [listed]),
      show: async (seq) => (seq === 7 ? entry : undefined),
      replay: record("replay", 1),
      drop: record("drop", 2),
    },
    ...changes,
  };
  const token = await ensureAdminToken(join(directory, "data"));
  const server = await startOperationsServer({
    host: "127.0.0.1",
    port: 0,
    readiness: async () => ({ ready: true, checks: [] }),
    metrics: new Registry(),
    admin: adminApi(services, token),
  });
  closers.push(() => server.close());
  await publishOperationsAddress(join(directory, "data"), server.url);
  return { server, calls };
}

describe("commands to a running Trestle", () => {
  it("say what they did, in text and in JSON", async () => {
    const { calls } = await answering();
    expect((await trestle(directory, "unlink", "echo", "#r:example.org", "c")).stdout).toMatch(
      /^Removed the link of !r:example\.org to ch/,
    );
    expect(JSON.parse((await trestle(directory, "link", "echo", "!r:example.org", "c", "--json")).stdout)).toEqual(
      link,
    );
    const shown = await trestle(directory, "status");
    for (const text of [
      "Trestle 9.9.9, up for 1 h",
      "✓ homeserver http://hs answers",
      "✗ the homeserver does not reach Trestle: M_CONNECTION_FAILED",
      "none since the start",
      "✗ libera waiting: throttled",
      "✓ policy list #bans:hs: 12 bans\n",
      "✗ policy list #more:hs: 3 bans, as they were read last: The bot may not join.",
      "10 delivered, 2 wait, the oldest for 5 min, 1 dead letters (trestle queue list)",
    ]) {
      expect(shown.stdout).toContain(text);
    }
    expect(JSON.parse((await trestle(directory, "status", "--json")).stdout)).toEqual(status);
    expect(calls.map(([name]) => name)).toEqual(["unlink", "link", "status", "status"]);
    expect(calls[0]).toEqual(["unlink", "echo", "#r:example.org", "c", "operator"]);
  });

  it("show the queue as a table whose cells cannot move the cursor", async () => {
    const { calls } = await answering();
    const table = await trestle(
      directory,
      "queue",
      "list",
      "--bridge",
      "echo",
      "--state",
      "dead",
      "--direction",
      "toNetwork",
      "--limit",
      "5",
      "--after",
      "0",
    );
    expect(calls).toEqual([
      ["queue.list", { bridge: "echo", state: "dead", direction: "toNetwork", limit: 5, after: 0 }],
    ]);
    expect(table.stdout.split("\n")).toHaveLength(3);
    expect(table.stdout).toMatch(
      /^NUMBER +BRIDGE +WAY +STATE +LANE +AGE +TRIES +ERROR\n7 +echo +Matrix → network +dead +!r:example\.org +2 h +3 +no such nick/,
    );
    const list = await trestle(directory, "list");
    expect(list.stdout).not.toContain("\u001b");
    const detail = await trestle(directory, "queue", "show", "7");
    expect(detail.stdout).toContain('"body": "hello"');
    expect((await trestle(directory, "queue", "show", "8")).status).toBe(21);
  });

  it("replay and drop by number or all, and say where fewer were dead letters", async () => {
    const { calls } = await answering();
    expect(await trestle(directory, "queue", "replay", "7")).toMatchObject({
      status: 0,
      stdout: "Put back: 1 dead letter.\n",
    });
    expect(await trestle(directory, "queue", "drop", "--all")).toMatchObject({
      status: 0,
      stdout: "Dropped: 2 dead letters.\n",
    });
    const fewer = await trestle(directory, "queue", "replay", "7", "8");
    expect([fewer.status, fewer.stderr]).toEqual([21, "trestle: 1 of 2 entries are no dead letters (any more).\n"]);
    expect(calls).toEqual([
      ["replay", [7]],
      ["drop", "all"],
      ["replay", [7, 8]],
    ]);
  });

  it("tell a refusal, a wrong token and a stranger apart by their status", async () => {
    const { server } = await answering({
      link: () => Promise.reject(new ServiceError("notFound", "There is no room #x:example.org.")),
    });
    expect(await trestle(directory, "link", "echo", "#x:example.org", "c")).toMatchObject({
      status: 21,
      stderr: "trestle: There is no room #x:example.org.\n",
    });
    await writeFile(join(directory, "data", "admin-token"), "f".repeat(64));
    expect((await trestle(directory, "status")).status).toBe(22);
    await server.close();
    closers.pop();
    const stranger: Server = createServer((_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => stranger.listen(Number(new URL(server.url).port), "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => stranger.close(resolve)));
    expect((await trestle(directory, "status")).status).toBe(22);
  });
});
