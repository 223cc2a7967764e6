import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Homeserver } from "@trestle/testkit";
import { dump, load } from "js-yaml";
import { freePorts, initialise, start, trestle, workplace, written } from "./support/cli.js";

// Each test starts several processes, one after the other.
jest.setTimeout(120_000);

interface Found {
  readonly check: string;
  readonly state: string;
  readonly text: string;
  readonly cure?: string;
}

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

type Document = Record<string, unknown>;

async function registration(): Promise<Document> {
  return load(await readFile(join(directory, "registration-echo.yaml"), "utf8")) as Document;
}

async function changeRegistration(changes: Document): Promise<void> {
  await writeFile(join(directory, "registration-echo.yaml"), dump({ ...(await registration()), ...changes }));
}

async function changeConfig(from: string | RegExp, to: string): Promise<void> {
  const path = join(directory, "trestle.yaml");
  await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
}

/** A real homeserver that has the registration, with these differences in its copy. */
async function homeserver(
  changes: Document = {},
  serverName = "example.org",
  expectDeviations = false,
): Promise<Homeserver> {
  const server = await Homeserver.start({ serverName, expectDeviations });
  closers.push(() => server.stop());
  await initialise({ directory, homeserverUrl: server.url, listen, operations });
  server.addAppService({ ...(await registration()), ...changes });
  return server;
}

async function diagnose(): Promise<{ readonly status: number | null; readonly findings: readonly Found[] }> {
  const done = await trestle(directory, "doctor", "--json");
  expect(done.stderr).toBe("");
  return { status: done.status, findings: (JSON.parse(done.stdout) as { findings: Found[] }).findings };
}

async function wrong(): Promise<readonly Found[]> {
  const { status, findings } = await diagnose();
  const failed = findings.filter((each) => each.state === "failed");
  expect(status).toBe(failed.length > 0 ? 30 : 0);
  for (const each of findings) if (each.state === "failed" || each.state === "warning") expect(each.cure).toBeTruthy();
  return failed;
}

const finding = (check: string, text: RegExp, cure: RegExp) =>
  expect.objectContaining({ check, text: expect.stringMatching(text), cure: expect.stringMatching(cure) });

describe("trestle doctor with a homeserver", () => {
  it("finds nothing wrong with what init wrote, takes no events, and leaves nothing behind", async () => {
    const server = await homeserver();
    const { status, findings } = await diagnose();
    expect(status).toBe(0);
    const states = Object.fromEntries(findings.map((each) => [each.check, each.state]));
    expect(states).toEqual({
      configuration: "ok",
      data: "ok",
      connector: "ok",
      registration: "ok",
      address: "ok",
      homeserver: "ok",
      clock: "ok",
      as_token: "ok",
      identity: "ok",
      sender: "warning",
      namespaces: "ok",
      listener: "skipped",
      ping: "ok",
      hs_token: "ok",
    });
    expect(await readdir(directory)).toEqual(["echo.mjs", "encryption.key", "registration-echo.yaml", "trestle.yaml"]);
    const person = server.createClient("person");
    await person.createRoom({ invite: ["@echobot:example.org"] });
    const text = await trestle(directory, "doctor");
    expect(text.stdout).toContain("✓ echo: The homeserver reaches Trestle in ");
    expect(text.stdout.trimEnd().endsWith("Nothing is wrong.")).toBe(true);
    expect(server.pushState("trestle-echo")).toMatchObject({ accepted: 0, pending: 1 });
  });

  it("says of each policy list whether the bot is in it, and joins none", async () => {
    const server = await homeserver();
    const person = server.createClient("person");
    const inside = await person.createRoom({ room_alias_name: "inside", preset: "public_chat" });
    const outside = await person.createRoom({ room_alias_name: "outside", preset: "public_chat" });
    const lists = ["#inside:example.org", "#outside:example.org", "#gone:example.org", inside];
    await changeConfig(/^homeserver:/m, `policyLists: ${JSON.stringify(lists)}\nhomeserver:`);
    const headers = {
      authorization: `Bearer ${String((await registration())["as_token"])}`,
      "content-type": "application/json",
    };
    const post = (path: string, body: Document): Promise<Response> =>
      fetch(`${server.url}/_matrix/client/v3${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const type = "m.login.application_service";
    await post("/register", { type, username: "echobot", inhibit_login: true });
    await post(`/join/${encodeURIComponent(inside)}`, {});
    const { findings } = await diagnose();
    expect(findings.filter(({ check }) => check === "policyLists").map(({ state, text }) => [state, text])).toEqual([
      ["ok", "@echobot:example.org is in the policy list #inside:example.org."],
      [
        "warning",
        "@echobot:example.org is not in the policy list #outside:example.org, so nobody new is banned by it.",
      ],
      ["failed", "There is no room #gone:example.org."],
      ["ok", `@echobot:example.org is in the policy list ${inside}.`],
    ]);
    expect(server.room(outside).members()["@echobot:example.org"]).toBeUndefined();
  });

  it("asks the connector what it finds on its network", async () => {
    await homeserver();
    const echo = join(directory, "echo.mjs");
    const plain = await readFile(echo, "utf8");
    const withDoctor = (body: string): Promise<void> =>
      writeFile(echo, plain.replace("connect:", `doctor: async ({ config, signal }) => { ${body} },\n  connect:`));
    await withDoctor(`return [
      { check: "reach", state: "ok", text: config.host + " answers, " + signal.aborted },
      { check: "account", state: "failed", text: "No account.", cure: "Make one." },
    ];`);
    const found = await diagnose();
    expect(found.status).toBe(30);
    expect(found.findings.slice(-2)).toEqual([
      { check: "network.reach", bridge: "echo", state: "ok", text: "here answers, false" },
      { check: "network.account", bridge: "echo", state: "failed", text: "No account.", cure: "Make one." },
    ]);
    await withDoctor(`throw new Error("Nobody is here.");`);
    expect(await wrong()).toEqual([finding("network.answer", /Nobody is here\./, /report it/)]);
  });

  it("asks the running Trestle instead of listening in its place", async () => {
    await homeserver();
    const child = start(directory, ["run"]);
    const gone = new Promise((resolve) => child.once("close", resolve));
    closers.push(async () => {
      child.kill("SIGTERM");
      await gone;
    });
    await written(child, /Trestle is running/);
    const { status, findings } = await diagnose();
    expect(status).toBe(0);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "listener", state: "ok", text: expect.stringContaining("Trestle runs") }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: "ping", state: "ok" }));
  });

  it("sees that the homeserver does not know the token", async () => {
    await homeserver();
    await changeRegistration({ as_token: "0".repeat(64) });
    expect(await wrong()).toEqual([
      finding("as_token", /does not know the as_token.*401 M_UNKNOWN_TOKEN/, /app_service_config_files.*restart/),
    ]);
  });

  it("sees that the homeserver sends another hs_token", async () => {
    await homeserver({ hs_token: "1".repeat(64) });
    expect(await wrong()).toEqual([
      finding("hs_token", /another hs_token than that of the registration/, /copy the file to it again/),
    ]);
  });

  it("sees that the homeserver has another name", async () => {
    await homeserver({}, "other.example");
    expect(await wrong()).toContainEqual(
      finding("identity", /its name is other\.example, not example\.org/, /Set homeserver\.name to other\.example/),
    );
  });

  it("sees that the homeserver has another bot", async () => {
    await homeserver({ sender_localpart: "oldbot" });
    expect(await wrong()).toContainEqual(
      finding(
        "identity",
        /the bot is @oldbot:example\.org, but sender_localpart makes it @echobot/,
        /copy the file to it again/,
      ),
    );
  });

  it("sees that the homeserver has another url, and cannot connect to it", async () => {
    const [nobody = 0] = await freePorts(1);
    await homeserver({ url: `http://127.0.0.1:${nobody}` });
    expect(await wrong()).toEqual([
      finding(
        "ping",
        /cannot connect to Trestle \(M_CONNECTION_FAILED/,
        /In a container localhost is the container itself/,
      ),
    ]);
  });

  it("sees that the url leads elsewhere than where Trestle listens", async () => {
    await homeserver();
    const [elsewhere = 0] = await freePorts(1);
    await changeConfig(`port: ${listen}`, `port: ${elsewhere}`);
    expect(await wrong()).toContainEqual(
      finding(
        "address",
        /is told http:\/\/127\.0\.0\.1:\d+, but Trestle listens on port/,
        new RegExp(`Set listen\\.port to ${listen}`),
      ),
    );
  });

  it("sees that another program has the port, and says how to find it", async () => {
    await homeserver({}, "example.org", true);
    const other = createServer((_request, response) => response.writeHead(404).end("nothing here"));
    await new Promise<void>((resolve) => other.listen(listen, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => other.close(resolve)));
    const failed = await wrong();
    expect(failed).toContainEqual(finding("listener", /Another program listens on 127\.0\.0\.1/, /ss -ltnp/));
    expect(failed).toContainEqual(
      finding("ping", /with status 404 \(M_BAD_STATUS\): that is not Trestle/, /Correct the port and path/),
    );
  });

  it("warns of ephemeral events that are off and of rate limiting", async () => {
    await homeserver();
    await changeRegistration({
      receive_ephemeral: false,
      "de.sorunome.msc2409.push_ephemeral": false,
      rate_limited: true,
    });
    const { status, findings } = await diagnose();
    expect(status).toBe(0);
    const warnings = findings.filter((each) => each.check === "registration");
    expect(warnings.map((each) => [each.state, each.text])).toEqual([
      ["warning", expect.stringContaining("receive_ephemeral")],
      ["warning", expect.stringContaining("rate_limited")],
    ]);
  });

  it("names mistakes in namespaces, and goes on with what can still be examined", async () => {
    await homeserver();
    await changeRegistration({ namespaces: { users: [{ exclusive: true, regex: "@echo_.*" }] } });
    const { findings } = await diagnose();
    expect(findings).toContainEqual(
      finding("registration", /does not name the server/, /Correct the file, copy it to the homeserver/),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: "homeserver", state: "ok" }));
  });
});

describe("trestle doctor before it asks anybody", () => {
  beforeEach(async () => initialise({ directory, homeserverUrl: "http://127.0.0.1:1", listen, operations }));

  it("lists what is wrong in the configuration", async () => {
    await changeConfig("homeserver:", "homeservr: {}\nhomeserver:");
    expect(await wrong()).toEqual([
      finding("configuration", /^trestle\.yaml:\d+: homeservr: .*did you mean homeserver\?/, /docs\/configuration\.md/),
    ]);
  });

  it("says that the homeserver is not there, and stops there", async () => {
    const failed = await wrong();
    expect(failed).toEqual([finding("homeserver", /http:\/\/127\.0\.0\.1:1 cannot be reached/, /./)]);
  });

  it("says that the connector does not take its settings", async () => {
    await changeConfig("host: here", "hots: here");
    expect(await wrong()).toContainEqual(
      finding("connector", /network\.hots: there is no such key; did you mean host\?/, /network section/),
    );
  });

  it("says that the registration is for an address only this machine reaches", async () => {
    await changeRegistration({ url: "http://bridge.example.org:9993" });
    const { findings } = await diagnose();
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "address",
        state: "warning",
        cure: expect.stringContaining("listen.host to 0.0.0.0"),
      }),
    );
  });

  it("says that the database cannot be written", async () => {
    if (process.getuid?.() === 0) {
      // Root may write everywhere but where there is no such place.
      await changeConfig("bridges:", "dataDirectory: /proc/trestle\nbridges:");
    } else {
      await mkdir(join(directory, "data"));
      await chmod(join(directory, "data"), 0o500);
    }
    expect(await wrong()).toContainEqual(finding("data", /cannot be written/, /chown/));
  });
});

describe("trestle doctor with a homeserver that is not as it should be", () => {
  type Answer = { readonly status: number; readonly body: unknown; readonly clockOffsetMs?: number };

  /** Answers `/versions` and whoami well, and the rest as told. */
  async function odd(answers: Readonly<Record<string, Answer>>): Promise<void> {
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      request.resume();
      const path = (request.url ?? "").split("?")[0] ?? "";
      const standard: Readonly<Record<string, Answer>> = {
        versions: { status: 200, body: { versions: ["v1.12"] } },
        whoami: { status: 200, body: { user_id: "@echobot:example.org" } },
        "@echobot": { status: 200, body: {} },
      };
      const find = (table: Readonly<Record<string, Answer>>): Answer | undefined =>
        Object.entries(table).find(([part]) => decodeURIComponent(path).includes(part))?.[1];
      const { status, body, clockOffsetMs } = find(answers) ??
        find(standard) ?? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "no" } };
      if (clockOffsetMs !== undefined) response.setHeader("date", new Date(Date.now() + clockOffsetMs).toUTCString());
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    await initialise({
      directory,
      homeserverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      listen,
      operations,
    });
  }
  const ping = (status: number, body: unknown) => odd({ "/ping": { status, body } });

  it.each<[string, number, unknown, RegExp, RegExp]>([
    [
      "M_CONNECTION_TIMEOUT",
      504,
      { errcode: "M_CONNECTION_TIMEOUT", error: "t" },
      /gets no answer from Trestle in time/,
      /firewall/,
    ],
    [
      "M_CONNECTION_FAILED",
      502,
      { errcode: "M_CONNECTION_FAILED", error: "refused" },
      /cannot connect to Trestle \(M_CONNECTION_FAILED: refused\)/,
      /listen\.host 0\.0\.0\.0/,
    ],
    [
      "M_BAD_STATUS 502",
      502,
      { errcode: "M_BAD_STATUS", error: "s", status: 502, body: "<html>" },
      /with status 502.*a proxy without Trestle/,
      /proxy/,
    ],
    [
      "M_BAD_STATUS 302",
      502,
      { errcode: "M_BAD_STATUS", error: "s", status: 302, body: "" },
      /with status 302/,
      /what is at that address/,
    ],
    [
      "M_URL_NOT_SET",
      400,
      { errcode: "M_URL_NOT_SET", error: "u" },
      /copy of the registration has no url/,
      /restart it/,
    ],
    [
      "M_FORBIDDEN",
      403,
      { errcode: "M_FORBIDDEN", error: "not yours" },
      /refuses to ping the registration trestle-echo/,
      /another id/,
    ],
    ["M_UNKNOWN", 500, { errcode: "M_UNKNOWN", error: "boom" }, /The ping failed \(500 M_UNKNOWN: boom\)/, /log/],
  ])("explains a ping that ended in %s", async (_name, status, body, text, cure) => {
    await ping(status, body);
    expect(await wrong()).toEqual([finding("ping", text, cure)]);
  });

  it("explains an M_BAD_STATUS 403 as another hs_token", async () => {
    await ping(502, { errcode: "M_BAD_STATUS", error: "s", status: 403, body: "{}" });
    expect(await wrong()).toEqual([finding("hs_token", /another hs_token/, /copy the file/)]);
  });

  it("does not blame a homeserver without ping, and warns of a clock that is off and of a bot that is not registered", async () => {
    await odd({
      versions: { status: 200, body: { versions: [] }, clockOffsetMs: -300_000 },
      "@echobot": { status: 404, body: { errcode: "M_NOT_FOUND", error: "n" } },
    });
    const { status, findings } = await diagnose();
    expect(status).toBe(0);
    expect(findings).toContainEqual(expect.objectContaining({ check: "ping", state: "skipped" }));
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "clock",
        state: "warning",
        text: expect.stringMatching(/\d+ s behind this machine's/),
      }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "sender",
        state: "warning",
        cure: expect.stringContaining("trestle run registers it"),
      }),
    );
  });

  it.each<[string, Answer]>([
    ["HTML", { status: 200, body: "<html>" }],
    ["404", { status: 404, body: "not found" }],
    ["another JSON", { status: 200, body: { hello: 1 } }],
  ])("knows that what answers %s is no homeserver", async (_name, answer) => {
    await odd({ versions: answer });
    expect(await wrong()).toEqual([finding("homeserver", /answers, but not as a homeserver does/, /client API/)]);
  });
});
