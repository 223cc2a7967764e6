import { afterEach, describe, expect, it } from "@jest/globals";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Counter, Registry } from "prom-client";
import { ChannelId, RoomId } from "../dist/connector/ids.js";
import {
  AdminAccessError,
  adminApi,
  AdminClient,
  ensureAdminToken,
  forgetOperationsAddress,
  NotRunningError,
  publishOperationsAddress,
  readAdminAccess,
  ServiceError,
  startOperationsServer,
} from "../dist/services/index.js";
import type {
  LinkView,
  OperationsServer,
  QueueDetail,
  QueueFilter,
  Readiness,
  ReloadView,
  Services,
  StatusView,
} from "../dist/services/index.js";

const token = "t".repeat(64);

const link: LinkView = {
  bridge: "irc",
  room: RoomId("!r:example.org"),
  channel: ChannelId("libera/#a b&c"),
  channelName: "#a",
  kind: "plumbed",
};
const entry: QueueDetail = {
  seq: 7,
  bridge: "irc",
  direction: "toNetwork",
  state: "dead",
  lane: "!r:example.org",
  source: "$e",
  attempts: 3,
  receivedAt: 1_700_000_000_000,
  error: "nick in use",
  payload: { type: "m.room.message", content: { body: "hi" } },
};
const flow = { queued: 1, dead: 2, oldestMs: 3, delivered: 4 };
const status: StatusView = {
  version: "0.1.0",
  startedAt: 1,
  homeserver: { url: "http://h", reachable: true, ping: { ok: true, detail: "12 ms", at: 2 }, lastTransactionAt: null },
  bridges: [
    {
      name: "irc",
      network: "irc",
      links: 1,
      connections: [
        { connection: "libera", state: "waiting", detail: "in 3 s" },
        { connection: "x", state: "connected" },
      ],
      toNetwork: flow,
      toMatrix: flow,
      policyLists: [
        { list: "#bans:h", state: "read", bans: 12 },
        { list: "#more:h", state: "unread", bans: 0, detail: "The bot may not join." },
      ],
    },
  ],
};

const reloaded: ReloadView = {
  refused: { why: "registration", message: "registration.yaml: there is no such file" },
  changed: ["log.level", "listen.port"],
  needsRestart: ["listen.port"],
  started: ["a"],
  restarted: ["b"],
  stopped: ["c"],
  failed: [{ bridge: "d", reason: "the port is taken", runs: true }],
};

class FakeServices implements Services {
  readonly calls: unknown[][] = [];
  failure: Error | undefined;

  readonly queue = {
    list: (filter: QueueFilter) =>
      this.#answer(
        ["queue.list", filter],
        [entry].map(({ payload: _payload, ...rest }) => rest),
      ),
    show: (seq: number) => this.#answer(["queue.show", seq], seq === entry.seq ? entry : undefined),
    replay: (selection: readonly number[] | "all") => this.#answer(["queue.replay", selection], 2),
    drop: (selection: readonly number[] | "all") => this.#answer(["queue.drop", selection], 0),
  };

  link(...args: Parameters<Services["link"]>) {
    return this.#answer(["link", ...args], link);
  }
  unlink(...args: Parameters<Services["unlink"]>) {
    return this.#answer(["unlink", ...args], [link]);
  }
  list(bridge?: string) {
    return this.#answer(["list", bridge], [link]);
  }
  status() {
    return this.#answer(["status"], status);
  }
  reload() {
    return this.#answer(["reload"], reloaded);
  }

  async #answer<Value>(call: unknown[], value: Value): Promise<Value> {
    this.calls.push(call);
    if (this.failure !== undefined) throw this.failure;
    return value;
  }
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(
  options: { services?: Services; readiness?: () => Promise<Readiness>; port?: number } = {},
): Promise<OperationsServer> {
  const metrics = new Registry();
  new Counter({ name: "trestle_test_total", help: "a test", registers: [metrics] }).inc(3);
  const server = await startOperationsServer({
    host: "127.0.0.1",
    port: options.port ?? 0,
    readiness: options.readiness ?? (async () => ({ ready: true, checks: [] })),
    metrics,
    admin: adminApi(options.services ?? new FakeServices(), token),
    readinessTimeout: 50,
  });
  closers.push(() => server.close());
  return server;
}

async function connected() {
  const services = new FakeServices();
  const server = await serve({ services });
  return { services, server, client: new AdminClient({ url: server.url, token }) };
}

describe("the operations API and its client", () => {
  it("carry every service both ways", async () => {
    const { services, client } = await connected();
    expect(await client.status()).toEqual(status);
    expect(await client.list("irc")).toEqual([link]);
    expect(await client.list()).toEqual([link]);
    expect(await client.link("irc", "!r:example.org", "#a")).toEqual(link);
    expect(await client.unlink("irc", "!r:example.org", "#a")).toEqual([link]);
    expect(await client.unlink("irc", "#alias:example.org", undefined)).toEqual([link]);
    const { payload: _payload, ...listed } = entry;
    expect(await client.queue.list({})).toEqual([listed]);
    expect(
      await client.queue.list({ bridge: "irc", state: "dead", direction: "toMatrix", limit: 5, after: 0 }),
    ).toEqual([listed]);
    expect(await client.queue.show(7)).toEqual(entry);
    expect(await client.queue.show(8)).toBeUndefined();
    expect(await client.queue.replay([1, 2])).toBe(2);
    expect(await client.queue.drop("all")).toBe(0);
    expect(await client.reload()).toEqual(reloaded);
    expect(services.calls).toEqual([
      ["status"],
      ["list", "irc"],
      ["list", undefined],
      ["link", "irc", "!r:example.org", "#a", "operator"],
      ["unlink", "irc", "!r:example.org", "#a", "operator"],
      ["unlink", "irc", "#alias:example.org", undefined, "operator"],
      ["queue.list", {}],
      ["queue.list", { bridge: "irc", state: "dead", direction: "toMatrix", limit: 5, after: 0 }],
      ["queue.show", 7],
      ["queue.show", 8],
      ["queue.replay", [1, 2]],
      ["queue.drop", "all"],
      ["reload"],
    ]);
  });

  it.each(["notFound", "forbidden", "conflict", "invalid", "unavailable"] as const)(
    "carry a ServiceError %s",
    async (code) => {
      const { services, client } = await connected();
      services.failure = new ServiceError(code, "The room is not there.");
      await expect(client.link("irc", "!r", "#a")).rejects.toMatchObject({
        name: "ServiceError",
        code,
        message: "The room is not there.",
      });
      if (code !== "notFound") await expect(client.queue.show(1)).rejects.toThrow(ServiceError);
    },
  );

  it("report an unexpected error without ending the connection", async () => {
    const { services, client } = await connected();
    services.failure = new Error("disk on fire");
    await expect(client.status()).rejects.toThrow("Trestle reports: disk on fire");
    services.failure = undefined;
    expect(await client.status()).toEqual(status);
  });

  it("refuse a missing, a wrong and a shortened token, and call no service", async () => {
    const { services, server } = await connected();
    for (const wrong of ["wrong", token.slice(1), `${token}x`]) {
      await expect(new AdminClient({ url: server.url, token: wrong }).status()).rejects.toThrow(AdminAccessError);
    }
    expect((await fetch(`${server.url}/admin/v1/status`)).status).toBe(401);
    expect((await fetch(`${server.url}/admin/v1/status?access_token=${token}`)).status).toBe(401);
    expect(services.calls).toEqual([]);
  });

  it.each<[string, string, string, string | undefined, number]>([
    ["broken JSON", "POST", "links", "{", 400],
    ["no body", "POST", "links", undefined, 400],
    ["a missing key", "POST", "links", '{"bridge":"irc","room":"!r"}', 400],
    ["an unknown key", "POST", "links", '{"bridge":"irc","room":"!r","channel":"c","by":"@x:y"}', 400],
    ["a room that is none", "POST", "links", '{"bridge":"irc","room":"r","channel":"c"}', 400],
    ["an empty selection", "POST", "queue/drop", '{"seqs":[]}', 400],
    ["all as text", "POST", "queue/drop", '{"all":"yes"}', 400],
    ["a number that is none", "GET", "queue/abc", undefined, 400],
    ["a limit beyond 1000", "GET", "queue?limit=1001", undefined, 400],
    ["an unknown state", "GET", "queue?state=lost", undefined, 400],
    ["an unknown path", "GET", "nothing", undefined, 404],
    ["a body of a megabyte", "POST", "links", `{"bridge":"${"x".repeat(1_000_000)}"}`, 413],
  ])("answer %s with an explanation", async (_name, method, path, body, expected) => {
    const { services, server } = await connected();
    const response = await fetch(`${server.url}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body }),
    });
    const answer = (await response.json()) as { error: string; message: string };
    expect(answer.message).not.toBe("");
    expect([response.status, answer.error]).toEqual([expected, expected === 404 ? "notFound" : "invalid"]);
    expect(services.calls).toEqual([]);
  });

  it("tell apart that nothing answers and that something else does", async () => {
    const { server } = await connected();
    await closers.pop()!();
    await expect(new AdminClient({ url: server.url, token }).status()).rejects.toThrow(NotRunningError);
    await expect(new AdminClient({ url: server.url, token }).status()).rejects.toThrow("connection refused");
    const other = await serve();
    await expect(new AdminClient({ url: `${other.url}/elsewhere`, token }).status()).rejects.toThrow(AdminAccessError);
  });
});

describe("the operations listener", () => {
  it("serves /live, /ready and /metrics without a token", async () => {
    const server = await serve();
    expect(await (await fetch(`${server.url}/live`)).json()).toEqual({ live: true });
    expect(await (await fetch(`${server.url}/ready`)).json()).toEqual({ ready: true, checks: [] });
    const metrics = await fetch(`${server.url}/metrics`);
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await metrics.text()).toContain("trestle_test_total 3");
  });

  it.each<[string, () => Promise<Readiness>, string]>([
    ["a check that fails", async () => ({ ready: false, checks: [{ name: "ping", ok: false, detail: "no" }] }), "no"],
    ["a check that throws", () => Promise.reject(new Error("the store is gone")), "the store is gone"],
    ["a check that hangs", () => new Promise(() => undefined), "no answer within 50 ms"],
  ])("is not ready because of %s", async (_name, readiness, detail) => {
    const server = await serve({ readiness });
    const response = await fetch(`${server.url}/ready`);
    expect(response.status).toBe(503);
    expect(JSON.stringify(await response.json())).toContain(detail);
    expect((await fetch(`${server.url}/live`)).status).toBe(200);
  });

  it("says which port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(serve({ port })).rejects.toMatchObject({
      name: "StartError",
      failure: "portInUse",
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe("what a running Trestle leaves for the command line", () => {
  it("is a token for its owner alone, made once, and an address while it runs", async () => {
    const directory = await mkdtemp(join(tmpdir(), "trestle-access-"));
    closers.push(() => rm(directory, { recursive: true }));
    expect(await readAdminAccess(join(directory, "data"))).toEqual({ url: undefined, token: undefined });
    const made = await ensureAdminToken(join(directory, "data"));
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(await ensureAdminToken(join(directory, "data"))).toBe(made);
    expect((await stat(join(directory, "data", "admin-token"))).mode & 0o777).toBe(0o600);
    await publishOperationsAddress(join(directory, "data"), "http://127.0.0.1:1234");
    expect(await readAdminAccess(join(directory, "data"))).toEqual({ url: "http://127.0.0.1:1234", token: made });
    await forgetOperationsAddress(join(directory, "data"));
    expect(await readAdminAccess(join(directory, "data"))).toEqual({ url: undefined, token: made });
    await writeFile(join(directory, "data", "admin-token"), "");
    const again = await ensureAdminToken(join(directory, "data"));
    expect((await readFile(join(directory, "data", "admin-token"), "utf8")).trim()).toBe(again);
    expect(again).toHaveLength(64);
  });
});
