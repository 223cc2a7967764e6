import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ChildProcess } from "node:child_process";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ReloadView } from "@trestle/core";
import { Homeserver, type TestClient } from "@trestle/testkit";
import { load } from "js-yaml";
import { until } from "../../../test/support/bounded.js";
import { ended, freePorts, initialise, start, trestle, workplace, written } from "./support/cli.js";

// Each test starts several processes, one after the other.
jest.setTimeout(120_000);

let directory: string;
let remove: () => Promise<void>;
let listen: number;
let other: number;
let homeserver: Homeserver;
let child: ChildProcess;
let person: TestClient;
let room: string;
let output: string;

beforeEach(async () => {
  ({ directory, remove } = await workplace());
  const [first = 0, second = 0, operations = 0] = await freePorts(3);
  [listen, other] = [first, second];
  homeserver = await Homeserver.start({ serverName: "example.org" });
  await initialise({ directory, homeserverUrl: homeserver.url, listen, operations });
  homeserver.addAppService(load(await readFile(join(directory, "registration-echo.yaml"), "utf8")));
  person = homeserver.createClient("person");
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await gone;
  }
  await homeserver.stop();
  await remove();
});

const file = (): string => join(directory, "trestle.yaml");

async function edit(change: (text: string) => string): Promise<void> {
  const text = await readFile(file(), "utf8");
  const changed = change(text);
  if (changed === text) throw new Error(`Nothing was changed in:\n${text}`);
  // Whole or not at all, as editors do: it may be read at any moment.
  await writeFile(`${file()}.new`, changed);
  await rename(`${file()}.new`, file());
}

const setPrefix = (prefix: string) =>
  edit((text) =>
    text
      .replace(/ *commandPrefix: .*\n/, "")
      .replace("connector: ./echo.mjs", `connector: ./echo.mjs\n    commandPrefix: "${prefix}"`),
  );

function run(): void {
  child = start(directory, ["run"]);
  output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text: Buffer) => (output += text.toString()));
}

async function running(): Promise<void> {
  run();
  await written(child, /Trestle is running/);
  room = await person.createRoom({ invite: ["@echobot:example.org"] });
  await until(20_000, "the bot", () => homeserver.room(room).members()["@echobot:example.org"] === "join" || undefined);
}

function said(text: RegExp, times = 1): Promise<true> {
  return until(
    30_000,
    String(text),
    () => (output.split("\n").filter((line) => text.test(line)).length >= times ? true : undefined),
    () => output,
  );
}

async function answered(line: string): Promise<boolean> {
  const event = await person.sendText(room, line);
  return until(20_000, `an answer to ${line}`, () =>
    homeserver
      .room(room)
      .messages()
      .some(({ content }) => JSON.stringify(content).includes(`"event_id":"${event}"`))
      ? true
      : undefined,
  );
}

/** Says it until it is answered: nobody tells from outside when the last of several changes is in effect. */
async function answeredAtLast(line: string): Promise<void> {
  const before = answersSoFar();
  await until(20_000, `an answer to ${line}`, async () => {
    await person.sendText(room, line);
    await homeserver.settled();
    return answersSoFar() > before || undefined;
  });
}

function answersSoFar(): number {
  const messages = homeserver.room(room).messages();
  return messages.filter(({ content }) => JSON.stringify(content).includes("This is the bridge")).length;
}

describe("SIGHUP", () => {
  it("has the configuration read again, and what changed is in effect", async () => {
    await running();
    await setPrefix("!other");
    child.kill("SIGHUP");
    await said(
      /The configuration is in force.*"restarted":\["echo"\]|"restarted":\["echo"\].*The configuration is in force/,
    );
    expect(output).toMatch(/"changed":\["bridges\[0\]\.commandPrefix"\]/);
    expect(await answered("!other help")).toBe(true);
    await edit((text) => `${text}log: { level: warn }\n`);
    child.kill("SIGHUP");
    await said(/"changed":\["log\.level"\]/);
    await setPrefix("!third");
    child.kill("SIGHUP");
    await answeredAtLast("!third help");
    expect(output.match(/in force/g)).toHaveLength(1);
    const done = ended(child);
    child.kill("SIGTERM");
    expect((await done).status).toBe(0);
  });

  it("changes nothing where the file cannot be used, and says what is wrong in it", async () => {
    await running();
    await edit((text) => text.replace("connector: ./echo.mjs", 'connector: ./echo.mjs\n    membership: "all"'));
    child.kill("SIGHUP");
    await said(/not taken up.*/);
    expect(output).toMatch(/trestle\.yaml:\d+: bridges\[0\]\.membership: expected .*lazy.*full/);
    expect(await answered("!echo help")).toBe(true);
    expect(child.exitCode).toBeNull();
  });

  it("is not lost while the last one is worked on", async () => {
    await running();
    for (const prefix of ["!a", "!b", "!c", "!d"]) {
      await setPrefix(prefix);
      child.kill("SIGHUP");
    }
    await answeredAtLast("!d help");
    expect(output).not.toMatch(/"level":"(error|fatal)"/);
  });

  it("is not lost before Trestle runs", async () => {
    const connector = join(directory, "echo.mjs");
    const waiting = `let first = true;
const hungUp = async () => {
  if (!first) return;
  first = false;
  console.log("connecting");
  await new Promise((resolve) => process.once("SIGHUP", resolve));
};
`;
    const text = await readFile(connector, "utf8");
    await writeFile(connector, waiting + text.replace("connect: () => (", "connect: async () => (await hungUp(), "));
    run();
    await written(child, /connecting/);
    await setPrefix("!early");
    child.kill("SIGHUP");
    await said(/"changed":\["bridges\[0\]\.commandPrefix"\]/);
    await said(/The configuration is in force/);
  });

  it("and SIGTERM right behind it end in order", async () => {
    await running();
    await setPrefix("!other");
    const done = ended(child);
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    expect((await done).status).toBe(0);
    expect(output).toContain("Stopped");
  });
});

describe("trestle reload", () => {
  it("says what changed and ends with 0", async () => {
    await running();
    expect(await trestle(directory, "reload")).toMatchObject({ status: 0, stdout: "Nothing has changed.\n" });
    await setPrefix("!other");
    await edit((text) => text.replace(String(listen), String(other)).replace(/\n$/, "\nmedia: { expire: 1d }\n"));
    const { status, stdout } = await trestle(directory, "reload");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Changed:\n {2}listen\.port \(read when Trestle starts: restart it for this\)\n {2}media\.expire \(read .*\)\n {2}bridges\[0\]\.commandPrefix\n✓ echo runs with its new settings\n$/,
    );
    expect(await answered("!other help")).toBe(true);
    const json = await trestle(directory, "reload", "--json");
    expect(JSON.parse(json.stdout) as ReloadView).toMatchObject({ needsRestart: ["listen.port", "media.expire"] });
  });

  it("ends with the status of what is wrong, and with 20 where none runs", async () => {
    await running();
    await rm(join(directory, "registration-echo.yaml"));
    const done = await trestle(directory, "reload");
    expect([done.status, done.stderr]).toEqual([11, expect.stringContaining("the old one stays in force")]);
    await edit((text) => text.replace("./echo.mjs", "./gone.mjs"));
    await edit((text) => text.replace("homeserver:", "nonsense: 1\nhomeserver:"));
    expect((await trestle(directory, "reload")).status).toBe(10);
    const ending = ended(child);
    child.kill("SIGTERM");
    await ending;
    await edit((text) => text.replace("nonsense: 1\n", ""));
    expect((await trestle(directory, "reload")).status).toBe(20);
  });
});
