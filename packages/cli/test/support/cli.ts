import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../../test/tools/free-port.js";

const program = fileURLToPath(new URL("../../bin/trestle.js", import.meta.url));
const zod = new URL("../../../../node_modules/zod/index.js", import.meta.url).href;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a command may take before it is killed; a bound for a broken test, not an expectation. */
const limitMs = 60_000;

/** The built command as a child process, with no terminal and no input. */
export function start(
  directory: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcess {
  return spawn(program, args, {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: directory, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMs,
  });
}

export async function ended(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}

export function trestle(directory: string, ...args: readonly string[]): Promise<Ended> {
  return ended(start(directory, args));
}

/** Resolves once the child has written a line that matches; rejects with all it wrote when it ends before. */
export function written(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const take = (chunk: string): void => {
      text += chunk;
      if (pattern.test(text)) resolve();
    };
    child.stdout?.setEncoding("utf8").on("data", take);
    child.stderr?.setEncoding("utf8").on("data", take);
    child.once("close", () => reject(new Error(`the command ended without ${pattern}:\n${text}`)));
  });
}

/** A directory with a connector `./echo.mjs`, removed by `remove`. */
export async function workplace(): Promise<{ readonly directory: string; readonly remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-cli-"));
  const connector = `import { z } from ${JSON.stringify(zod)};
export default {
  network: "echo",
  displayName: "Echo",
  config: z.strictObject({ host: z.string().describe("Where"), greeting: z.string().default("echo") }),
  connect: () => ({ message: async () => ({}) }),
};`;
  await writeFile(join(directory, "echo.mjs"), connector);
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

export interface Setup {
  readonly directory: string;
  readonly homeserverUrl: string;
  readonly listen: number;
  readonly operations: number;
  readonly serverName?: string;
}

/** Writes a configuration and its registration by `trestle init`, with ports of one's own. */
export async function initialise({
  directory,
  homeserverUrl,
  listen,
  operations,
  serverName = "example.org",
}: Setup): Promise<void> {
  const done = await trestle(
    directory,
    "init",
    "--yes",
    "--homeserver-url",
    homeserverUrl,
    "--server-name",
    serverName,
    "--listen",
    `127.0.0.1:${listen}`,
    "--url",
    `http://127.0.0.1:${listen}`,
    "--bridge",
    "echo=./echo.mjs",
    "--network",
    "echo={host: here}",
    "--admin",
    `@admin:${serverName}`,
  );
  if (done.status !== 0) throw new Error(done.stderr);
  const { readFile } = await import("node:fs/promises");
  const path = join(directory, "trestle.yaml");
  await writeFile(path, `${await readFile(path, "utf8")}operations: { port: ${operations} }\n`);
}
