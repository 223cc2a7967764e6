import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { IrcTestClient } from "../dist/irc/index.js";

const main = fileURLToPath(new URL("../dist/irc/main.js", import.meta.url));

let child: ChildProcess;
let port: number;
let control: string;

beforeEach(async () => {
  child = spawn(process.execPath, [main, "--without", "echo-message", "--account", "alice:sesame", "--with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const ports = JSON.parse(line) as { port: number; controlPort: number };
  port = ports.port;
  control = `http://127.0.0.1:${ports.controlPort}/_testkit`;
});

afterEach(async () => {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.stdin!.end();
  expect((await exited)[0]).toBe(0);
});

async function post(name: string, body?: unknown): Promise<[status: number, body: unknown]> {
  const response = await fetch(`${control}/${name}`, {
    method: "POST",
    body: body === undefined ? null : JSON.stringify(body),
  });
  return [response.status, await response.json()];
}

describe("the IRC server in a process of its own", () => {
  it("serves, shows its log and obeys faults over HTTP", async () => {
    const alice = await IrcTestClient.connect({ port, nick: "alice", account: { name: "alice", password: "sesame" } });
    await alice.join("#x");
    alice.say("#x", "one");
    alice.say("#x", "two");
    await alice.sync();
    const view = (await (await fetch(`${control}/channel?name=%23x&after=1`)).json()) as Record<string, unknown>;
    expect(view).toMatchObject({ count: 2, members: ["alice"], log: [{ from: "alice", text: "two" }] });
    expect(await post("setTopic", { channel: "#x", text: "news" })).toEqual([200, {}]);
    await alice.waitForLine("TOPIC #x :news");
    expect((await post("disconnect", { nick: "alice", reason: "out" }))[0]).toBe(200);
    await alice.waitForLine("ERROR :Closing link: (alice@127.0.0.1) [out]");
    expect((await post("stop"))[0]).toBe(200);
    await expect(IrcTestClient.connect({ port, nick: "alice" })).rejects.toThrow("ECONNREFUSED");
    expect((await post("start"))[0]).toBe(200);
    (await IrcTestClient.connect({ port, nick: "alice" })).close();
  });

  it("says what is wrong with a request", async () => {
    expect(await post("lag", { ms: "long" })).toEqual([400, { error: '"ms" must be a number, 0 or more.' }]);
    expect((await post("nonsense"))[1]).toMatchObject({ error: expect.stringContaining("floodKill") });
    expect((await post("disconnect", { nick: "ghost" }))[1]).toMatchObject({
      error: expect.stringContaining("Nobody has the nick ghost"),
    });
  });
});
