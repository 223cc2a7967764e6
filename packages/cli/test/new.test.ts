import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { patiently, until } from "../../../test/support/bounded.js";
import { Child } from "../../../test/support/servers/child.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TRESTLE = join(ROOT, "packages/cli/bin/trestle.js");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program of Node until it ends. */
function node(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      cwd,
      timeout: patiently(120_000),
      encoding: "utf8" as const,
      env: { ...process.env, NO_COLOR: "1" },
    };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

describe("trestle new", () => {
  jest.setTimeout(180_000);
  let parent: string;
  let directory: string;

  beforeAll(async () => {
    // Within the workspace, whose node_modules stand for an npm install.
    parent = await mkdtemp(join(ROOT, ".scaffold-"));
    directory = join(parent, "chat-o-mat");
    const { code, output } = await node(parent, TRESTLE, "new", "chat-o-mat");
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    await rm(parent, { recursive: true, force: true });
  });

  it("writes a package under its own name, in which nothing of the template's is left", async () => {
    const manifest: unknown = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ name: "trestle-chat-o-mat", type: "module" });
    expect(await readdir(directory)).toEqual(
      expect.arrayContaining([".gitignore", "README.md", "package.json", "src", "test", "tsconfig.json"]),
    );
    for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(await readFile(join(file.parentPath, file.name), "utf8")).not.toMatch(/my-?network|0\.0\.0-trestle/i);
    }
  });

  it("refuses a name that is none, and a directory with something in it", async () => {
    expect(await node(parent, TRESTLE, "new", "Chat O Mat")).toMatchObject({ code: 2 });
    const again = await node(parent, TRESTLE, "new", "chat-o-mat");
    expect(again.code).toBe(31);
    expect(again.output).toContain("is not empty");
  });

  it("writes code that compiles strictly, and tests that pass", async () => {
    expect(await node(directory, TSC)).toEqual({ code: 0, output: "" });
    const tests = await node(directory, "--test", "--test-reporter=tap", "dist/test/relay.test.js");
    expect(tests.output).toMatch(/^# pass 4$/m);
    expect(tests).toMatchObject({ code: 0 });
  });

  it("writes a bridge that relays in the playground", async () => {
    const command = [TRESTLE, "start", "./dist/src/playground.js", "--port", "0"];
    const playground = await Child.start("the playground", process.execPath, command, {
      cwd: directory,
      env: { NO_COLOR: "1" },
    });
    try {
      const url = await until(
        60_000,
        "the playground's address",
        () => (playground.running ? /Open (\S+)/.exec(playground.output)?.[1] : "it ended"),
        () => playground.output,
      );
      expect(playground.output).toContain("a Matrix room and a channel of Chat O Mat");
      await say(url, "matrix", "from Matrix");
      await say(url, "network", "from the network");
      await until(30_000, "both messages on both sides", async () => {
        const { matrix, network } = await snapshot(url);
        const both = ["from Matrix", "from the network"].every(
          (text) => matrix.includes(text) && network.includes(text),
        );
        return both ? true : undefined;
      });
    } finally {
      await playground.stop(40_000);
    }
    expect(playground.ended).toBe("exited with 0");
  });
});

async function say(url: string, side: "matrix" | "network", text: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ side, text });
  const response = await fetch(`${url}/api/say`, { method: "POST", headers, body });
  expect(response.status).toBe(204);
}

/** What both sides show, as JSON: the first event of the page's stream. */
async function snapshot(url: string): Promise<{ readonly matrix: string; readonly network: string }> {
  const abort = new AbortController();
  const response = await fetch(`${url}/events`, { signal: abort.signal });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n\n")) break;
  }
  abort.abort();
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? "{}";
  const { matrix, network } = JSON.parse(data) as { matrix: unknown; network: unknown };
  return { matrix: JSON.stringify(matrix), network: JSON.stringify(network) };
}
