import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, createWriteStream, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { within } from "../tools/wait.js";

/** What the servers print once they listen. */
const started = z.union([
  z
    .object({ port: z.int(), controlPort: z.int() })
    .transform(({ port, controlPort }) => ({ port, control: `http://127.0.0.1:${controlPort}/_testkit` })),
  z
    .object({ url: z.url(), controlUrl: z.url() })
    .transform(({ url, controlUrl }) => ({ port: Number(new URL(url).port), control: controlUrl })),
]);

/** It says so when it cannot start; a busy machine takes its time. */
const startWithinMs = 60_000;

/** A server of the test kit in a process of its own, with its control endpoint. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly controlUrl: string,
  ) {}

  static async start(program: string, args: readonly string[], log: string): Promise<ServerProcess> {
    const errors = openSync(log, "a");
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", errors] });
    closeSync(errors);
    if (!child.stdout) throw new Error(`${program} has no output`);
    const lines = createInterface({ input: child.stdout });
    const first = new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      child.once("exit", (code, signal) =>
        reject(new Error(`${program} ended at its start (${signal ?? String(code)}); ${log} says why`)),
      );
    });
    const line = await within(`The start of ${program}`, startWithinMs, first).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw error;
    });
    const { port, control } = started.parse(JSON.parse(line));
    const rest = createWriteStream(log, { flags: "a" });
    lines.on("line", (line) => rest.write(`${line}\n`));
    lines.on("close", () => rest.end());
    return new ServerProcess(child, port, control);
  }

  /** Switches a fault, or asks for a view. */
  async control(method: "GET" | "POST", path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = await fetch(`${this.controlUrl}/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }
}
