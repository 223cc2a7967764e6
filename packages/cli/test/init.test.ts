import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { trestle, workplace } from "./support/cli.js";

// Each test starts several processes, one after the other.
jest.setTimeout(120_000);

let directory: string;
let remove: () => Promise<void>;
beforeEach(async () => ({ directory, remove } = await workplace()));
afterEach(async () => remove());

const flags = ["--homeserver-url", "http://localhost:8008", "--server-name", "example.org"];
const echo = ["--bridge", "echo=./echo.mjs", "--network", "echo={host: here}"];

async function yaml(name: string): Promise<Record<string, unknown>> {
  return load(await readFile(join(directory, name), "utf8")) as Record<string, unknown>;
}

describe("trestle init", () => {
  it("writes a configuration, a registration and a key that check accepts, and says what to do on each homeserver", async () => {
    const done = await trestle(
      directory,
      "init",
      "--yes",
      ...flags,
      ...echo,
      "--admin",
      "@me:example.org",
      "--listen",
      "0.0.0.0:9000",
      "--url",
      "http://bridge:9000",
    );
    expect(done).toMatchObject({ status: 0, stderr: "" });
    const registration = join(directory, "registration-echo.yaml");
    for (const text of [
      "app_service_config_files:",
      "app_service_api:",
      "register-appservice",
      "!admin appservices register",
      registration,
      "trestle doctor",
      "trestle run",
    ]) {
      expect(done.stdout).toContain(text);
    }
    expect(await yaml("trestle.yaml")).toEqual({
      homeserver: { url: "http://localhost:8008", name: "example.org" },
      listen: { host: "0.0.0.0", port: 9000 },
      encryptionKey_FILE: "./encryption.key",
      permissions: { "*": "relay", "example.org": "user", "@me:example.org": "admin" },
      bridges: [
        { name: "echo", connector: "./echo.mjs", registration: "./registration-echo.yaml", network: { host: "here" } },
      ],
    });
    expect(await yaml("registration-echo.yaml")).toMatchObject({
      url: "http://bridge:9000",
      sender_localpart: "echobot",
      rate_limited: false,
      protocols: ["echo"],
    });
    for (const secret of ["registration-echo.yaml", "encryption.key"]) {
      expect((await stat(join(directory, secret))).mode & 0o077).toBe(0);
    }
    expect(await trestle(directory, "check")).toMatchObject({ status: 0, stderr: "" });
    expect(await trestle(directory, "registration", "check")).toMatchObject({ status: 0, stderr: "" });
  });

  it("bridges IRC where nothing else is asked for", async () => {
    expect((await trestle(directory, "init", "--yes", ...flags)).status).toBe(0);
    const checked = await trestle(directory, "check", "--json");
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, bridges: ["irc"] });
  });

  it("bridges Slack with tokens to be filled in, or with those that are given", async () => {
    expect((await trestle(directory, "init", "--yes", ...flags, "--bridge", "slack")).status).toBe(0);
    const network = { appToken: "xapp-1-A012AB3CD-1-CHANGE-ME", workspaces: [{ botToken: "xoxb-CHANGE-ME" }] };
    expect(await yaml("trestle.yaml")).toMatchObject({ bridges: [{ name: "slack", connector: "slack", network }] });
    expect(await yaml("registration-slack.yaml")).toMatchObject({ sender_localpart: "slackbot", protocols: ["slack"] });
    const http = "slack={mode: http, signingSecret: a-secret, workspaces: [{botToken: xoxb-1}]}";
    expect((await trestle(directory, "init", "--yes", "--force", ...flags, "--network", http)).status).toBe(0);
    expect(await trestle(directory, "check")).toMatchObject({ status: 0, stderr: "" });
    const without = "slack={workspaces: [{botToken: xoxb-1}]}";
    const refused = await trestle(directory, "init", "--yes", "--force", ...flags, "--network", without);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain("app-level token");
  });

  it("overwrites nothing, and with --force keeps the tokens and the encryption key", async () => {
    await trestle(directory, "init", "--yes", ...flags, ...echo);
    const before = await Promise.all(
      ["trestle.yaml", "registration-echo.yaml", "encryption.key"].map((name) =>
        readFile(join(directory, name), "utf8"),
      ),
    );
    const again = await trestle(directory, "init", "--yes", ...flags, ...echo, "--admin", "@me:example.org");
    expect(again.status).toBe(31);
    expect(again.stderr).toContain(join(directory, "trestle.yaml"));
    expect(await readFile(join(directory, "trestle.yaml"), "utf8")).toBe(before[0]);
    const forced = await trestle(
      directory,
      "init",
      "--yes",
      "--force",
      ...flags,
      ...echo,
      "--admin",
      "@me:example.org",
    );
    expect(forced.status).toBe(0);
    expect(await yaml("trestle.yaml")).toMatchObject({ permissions: { "@me:example.org": "admin" } });
    expect(await readFile(join(directory, "registration-echo.yaml"), "utf8")).toBe(before[1]);
    expect(await readFile(join(directory, "encryption.key"), "utf8")).toBe(before[2]);
  });

  it.each([
    [
      "a server name with a scheme",
      ["--homeserver-url", "http://h", "--server-name", "https://example.org"],
      10,
      /homeserver\.name: expected a server name such as example\.org/,
    ],
    ["a url without scheme", [...flags, "--url", "localhost:9993"], 11, /has no scheme/],
    ["an admin that is no user id", [...flags, "--admin", "me@example.org"], 10, /permissions\["me@example\.org"\]/],
    [
      "a network section the connector refuses",
      [...flags, "--bridge", "echo=./echo.mjs", "--network", "echo={hots: x}"],
      10,
      /network\.hots: there is no such key; did you mean host\?/,
    ],
    ["a connector that is not there", [...flags, "--bridge", "x=./gone.mjs"], 12, /gone\.mjs/],
    ["no server name", ["--homeserver-url", "http://h"], 2, /--server-name/],
    [
      "a network for no bridge",
      [...flags, "--bridge", "echo=./echo.mjs", "--network", "other={a: 1}"],
      2,
      /there is no --bridge other/,
    ],
    ["a network that is no YAML section", [...flags, "--network", "echo=[1"], 2, /not YAML/],
    ["a port beyond all", [...flags, "--listen", "127.0.0.1:99999"], 2, /Expected host:port/],
  ])("writes nothing where given %s", async (_name, args, status, message) => {
    const done = await trestle(directory, "init", "--yes", ...args);
    expect([done.status, done.stderr]).toEqual([status, expect.stringMatching(message)]);
    expect(await readdir(directory)).toEqual(["echo.mjs"]);
  });
});

describe("trestle check", () => {
  beforeEach(async () => {
    await trestle(directory, "init", "--yes", ...flags, ...echo);
  });

  it("names file, line and key of what is wrong, without a stack", async () => {
    await writeFile(
      join(directory, "trestle.yaml"),
      `${await readFile(join(directory, "trestle.yaml"), "utf8")}listn: {}\n`,
    );
    const done = await trestle(directory, "check");
    expect(done.status).toBe(10);
    expect(done.stderr).toMatch(
      /^trestle: The configuration cannot be used:\ntrestle\.yaml:\d+: listn: there is no such key; did you mean listen\?\n$/,
    );
    const asJson = await trestle(directory, "check", "--json");
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      error: "configuration",
      exitCode: 10,
      problems: [{ path: ["listn"], line: expect.any(Number) }],
    });
    expect((await trestle(directory, "check", "--debug")).stderr).toContain("    at ");
  });

  it("tells registrations from the configuration by its status", async () => {
    await writeFile(join(directory, "registration-echo.yaml"), "id: x\n");
    const done = await trestle(directory, "check");
    expect(done.status).toBe(11);
    expect(done.stderr).toContain("as_token: is missing");
  });

  it("validates the connector's section", async () => {
    const text = await readFile(join(directory, "trestle.yaml"), "utf8");
    await writeFile(join(directory, "trestle.yaml"), text.replace("host: here", "host: 3"));
    expect((await trestle(directory, "check")).stderr).toMatch(
      /trestle\.yaml:\d+: bridges\[0\]\.network\.host: expected text, found the number 3/,
    );
  });
});

describe("trestle registration", () => {
  beforeEach(async () => {
    await trestle(directory, "init", "--yes", ...flags, ...echo);
  });

  it("shows a registration without its secrets unless asked", async () => {
    const { as_token: token } = await yaml("registration-echo.yaml");
    const shown = await trestle(directory, "registration", "show");
    expect(shown.stdout).toContain("as_token: (hidden)");
    expect(shown.stdout).not.toContain(String(token));
    expect((await trestle(directory, "registration", "show", "echo", "--secrets")).stdout).toContain(String(token));
  });

  it("generates again with the same tokens and foreign keys, or with new tokens", async () => {
    const path = join(directory, "registration-echo.yaml");
    await writeFile(path, `${await readFile(path, "utf8")}org.example.flag: true\n`);
    const before = await yaml("registration-echo.yaml");
    expect((await trestle(directory, "registration", "generate")).status).toBe(31);
    expect((await trestle(directory, "registration", "generate", "--force", "--url", "http://bridge:1")).status).toBe(
      0,
    );
    expect(await yaml("registration-echo.yaml")).toEqual({ ...before, url: "http://bridge:1" });
    const printed = await trestle(directory, "registration", "generate", "--stdout", "--new-tokens", "--json");
    expect(JSON.parse(printed.stdout)).toMatchObject({ "org.example.flag": true });
    expect(printed.stdout).not.toContain(String(before["as_token"]));
  });

  it("refuses to generate what homeservers would refuse", async () => {
    const done = await trestle(directory, "registration", "generate", "--force", "--id", "a|b", "--bot", "echo_bot");
    expect(done.status).toBe(11);
    expect(done.stderr).toMatch(/contains \|, which Synapse refuses/);
    expect(done.stderr).toMatch(/begins like a ghost \(echo_\)/);
  });

  it("checks any file for a server name, and files together", async () => {
    const path = join(directory, "registration-echo.yaml");
    await writeFile(join(directory, "copy.yaml"), await readFile(path, "utf8"));
    expect(
      (await trestle(directory, "registration", "check", "copy.yaml", "--server-name", "example.com")).stderr,
    ).toMatch(/homeserver\.name is example\.com/);
    const both = await trestle(
      directory,
      "registration",
      "check",
      "registration-echo.yaml",
      "copy.yaml",
      "--server-name",
      "example.org",
    );
    expect(both.status).toBe(11);
    expect(both.stderr).toMatch(/copy\.yaml: id: "trestle-echo" is also the id in/);
  });

  it("asks which bridge where there are several", async () => {
    const text = await readFile(join(directory, "trestle.yaml"), "utf8");
    await writeFile(
      join(directory, "trestle.yaml"),
      `${text}\n  - { name: two, connector: ./echo.mjs, registration: ./two.yaml, network: { host: x } }\n`,
    );
    expect(await trestle(directory, "registration", "generate")).toMatchObject({
      status: 2,
      stderr: "trestle: Say which bridge: echo, two.\n",
    });
    expect((await trestle(directory, "registration", "generate", "two")).status).toBe(0);
    expect((await trestle(directory, "check")).status).toBe(0);
  });
});

describe("the command line", () => {
  it.each([
    ["an unknown command", ["chek"], /Did you mean check\?/],
    ["an unknown option", ["check", "--confg", "x"], /Did you mean --config\?/],
    ["a missing argument", ["link", "irc"], /missing required argument/],
    ["a number that is none", ["queue", "show", "x"], /whole number/],
    ["neither numbers nor --all", ["queue", "drop"], /either the numbers of entries or --all/],
    ["both numbers and --all", ["queue", "replay", "1", "--all"], /either the numbers of entries or --all/],
  ])("answers %s with status 2", async (_name, args, message) => {
    const done = await trestle(directory, ...args);
    expect([done.status, done.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("prints its version and its help with status 0", async () => {
    expect(await trestle(directory, "--version")).toMatchObject({ status: 0, stdout: "0.1.0\n" });
    const help = await trestle(directory, "--help");
    expect(help.status).toBe(0);
    for (const command of [
      "init",
      "registration",
      "check",
      "doctor",
      "run",
      "start",
      "link",
      "unlink",
      "list",
      "status",
      "queue",
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    }
  });
});
