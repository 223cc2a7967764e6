import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { call } from "./support/client.js";

const bin = fileURLToPath(new URL("../bin/slack-emulator.js", import.meta.url));
const started = z.object({
  url: z.string(),
  apiUrl: z.string(),
  appToken: z.string(),
  botToken: z.string(),
  signingSecret: z.string(),
});
const answerSchema = z.object({ ok: z.boolean(), result: z.json().optional(), error: z.string().optional() });

interface Output {
  readonly child: ChildProcess;
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
  readonly exit: Promise<number | null>;
}

function runCli(...args: string[]): Output {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const read = (stream: NodeJS.ReadableStream) =>
    new Promise<string>((resolve) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (text.includes("\n")) resolve(text);
      });
      stream.on("end", () => resolve(text));
    });
  return {
    child,
    stdout: read(child.stdout),
    stderr: read(child.stderr),
    exit: new Promise((resolve) => child.on("exit", resolve)),
  };
}

let cli: Output;
let slack: z.output<typeof started>;

async function control(method: string, path: string, body?: object): Promise<z.output<typeof answerSchema>> {
  const response = await fetch(`${slack.url}/control${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answerSchema.parse(await response.json());
}

beforeAll(async () => {
  cli = runCli("--port", "0", "--json");
  slack = started.parse(JSON.parse(await cli.stdout));
});

afterAll(async () => {
  cli.child.kill("SIGTERM");
  await cli.exit;
});

describe("the emulator in a process of its own", () => {
  it("lets people act and shows what came of it", async () => {
    const posted = await control("POST", "/workspaces/acme/people/alice/post", { channel: "general", text: "hello" });
    const message = z.object({ channel: z.string(), ts: z.string() }).parse(posted.result);
    expect(await control("POST", "/workspaces/acme/people/bob/react", { ...message, name: "tada" })).toEqual({
      ok: true,
      result: true,
    });
    await control("POST", "/workspaces/acme/people/alice/upload", {
      channel: "general",
      name: "a.txt",
      contentBase64: Buffer.from("abc").toString("base64"),
      comment: "see",
    });
    await control("POST", "/workspaces/acme/addChannel", { name: "extra", private: true });
    const { result } = await control("GET", "/workspaces/acme/channels/general");
    expect(result).toMatchObject({
      name: "general",
      messages: [
        { text: "hello", reactions: [{ name: "tada", count: 1 }] },
        { text: "see", subtype: "file_share", files: [{ name: "a.txt", size: 3 }] },
      ],
    });
    expect((await control("GET", "/state")).result).toMatchObject({
      apiUrl: slack.apiUrl,
      workspaces: [
        { domain: "acme", channels: [{ name: "general" }, { name: "random" }, { name: "extra", private: true }] },
      ],
      apps: [{ appToken: slack.appToken, botTokens: { acme: { token: slack.botToken } } }],
    });
  });

  it("logs calls, sets faults and lifts them, advances the clock", async () => {
    const { result: id } = await control("POST", "/faults/api", {
      kind: "error",
      method: "auth.test",
      error: "internal_error",
    });
    expect(await call(slack.apiUrl, slack.botToken, "auth.test")).toEqual({ ok: false, error: "internal_error" });
    expect((await control("GET", "/faults")).result).toEqual([
      { id, hits: 1, kind: "error", method: "auth.test", error: "internal_error" },
    ]);
    expect(await control("DELETE", `/faults/${z.string().parse(id)}`)).toEqual({ ok: true, result: true });
    expect(await call(slack.apiUrl, slack.botToken, "auth.test")).toMatchObject({ ok: true });
    expect((await control("GET", "/calls?method=auth.test")).result).toMatchObject([
      { status: 200, tokenKind: "bot" },
      { status: 200 },
    ]);
    const before = z.number().parse((await control("POST", "/clock/advance", { ms: 0 })).result);
    const after = z.number().parse((await control("POST", "/clock/advance", { ms: 3_600_000 })).result);
    expect(after - before).toBeGreaterThanOrEqual(3_600_000);
  });

  it("acts on apps", async () => {
    const uninstalled = await control("POST", "/apps/Test%20App/uninstall", { workspace: "acme" });
    expect(uninstalled.ok).toBe(true);
    expect(await call(slack.apiUrl, slack.botToken, "auth.test")).toMatchObject({ ok: false, error: "token_revoked" });
    await control("POST", "/apps/Test%20App/install", { workspace: "acme", channels: ["general"] });
    expect((await control("GET", "/state")).result).toMatchObject({
      apps: [{ botTokens: { acme: { token: expect.stringMatching(/^xoxb-/) } } }],
    });
  });

  it("says what is wrong with a request", async () => {
    expect(await control("POST", "/workspaces/acme/people/nobody/post", { channel: "general", text: "x" })).toEqual({
      ok: false,
      error: "There is no user nobody in the workspace acme",
    });
    expect((await control("POST", "/workspaces/acme/people/alice/post", { channel: "general" })).error).toContain(
      "text",
    );
    expect((await control("POST", "/workspaces/acme/people/alice/dance", {})).error).toContain(
      "There is no action dance; there is post,",
    );
  });
});

describe("the command line", () => {
  it("prints the tokens and how to use them, and takes a file with options", async () => {
    const folder = await mkdtemp(join(tmpdir(), "slack-emulator-"));
    const file = join(folder, "options.json");
    await writeFile(
      file,
      JSON.stringify({
        workspaces: [{ domain: "mine", users: [{ name: "zoe" }], channels: [{ name: "lobby" }] }],
        apps: [
          {
            name: "Mine",
            appToken: "xapp-mine",
            installations: [{ workspace: "mine", channels: ["lobby"], botToken: "xoxb-mine" }],
          },
        ],
      }),
    );
    const mine = runCli("--port", "0", "--options", file);
    const printed = await mine.stdout;
    mine.child.kill("SIGTERM");
    expect(await mine.exit).toBe(0);
    for (const part of ["xapp-mine", "xoxb-mine  (mine)", "slackApiUrl", "/control/workspaces/mine/people/zoe/post"])
      expect(printed).toContain(part);
    await rm(folder, { recursive: true });
  });

  it("says what is wrong with the options", async () => {
    const folder = await mkdtemp(join(tmpdir(), "slack-emulator-"));
    const file = join(folder, "options.json");
    await writeFile(file, JSON.stringify({ workspaces: [{ domain: "mine", chanels: [] }] }));
    const wrong = runCli("--options", file);
    expect(await wrong.stderr).toMatch(/chanels/);
    expect(await wrong.exit).toBe(1);
    await rm(folder, { recursive: true });
  });
});
