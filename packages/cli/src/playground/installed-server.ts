import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../failure.js";
import { guardOf } from "./guard.js";

const startsWithinMs = 15_000;
const endsWithinMs = 5_000;
/** Debian keeps servers where the path of ordinary users does not lead. */
const furtherPlaces = [
  "/usr/local/bin",
  "/usr/bin",
  "/usr/local/sbin",
  "/usr/sbin",
  "/opt/homebrew/bin",
  "/opt/homebrew/sbin",
];

/** The path of an installed program. @throws CliError with `missing`, which says how to install it */
export function findProgram(name: string, missing: string): string {
  for (const place of [...(process.env["PATH"] ?? "").split(delimiter), ...furtherPlaces]) {
    const program = join(place, name);
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  throw new CliError("connector", missing);
}

export interface ServerStart {
  /** For people: `the broker`. */
  readonly what: string;
  readonly program: string;
  readonly arguments: readonly string[];
  /** The server has started when it accepts connections at all of them. */
  readonly ports: readonly number[];
}

/** A server that is installed on this machine, run as a process of the playground's own, with which it ends. */
export class InstalledServer {
  private constructor(private readonly child: ChildProcess) {}

  /** @throws CliError where it does not start */
  static async start(start: ServerStart): Promise<InstalledServer> {
    const child = spawn(start.program, start.arguments, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
    child.once("error", (error) => (said += error.message));
    const guard = guardOf(child);
    child.once("exit", () => guard.kill("SIGKILL"));
    const deadline = Date.now() + startsWithinMs;
    while (!(await Promise.all(start.ports.map(accepts))).every(Boolean)) {
      if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new CliError("unexpected", `${start.what} ${start.program} did not start. It said:\n${said}`);
      }
      await delay(20);
    }
    return new InstalledServer(child);
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    const deadline = setTimeout(() => this.child.kill("SIGKILL"), endsWithinMs);
    await ended;
    clearTimeout(deadline);
  }
}

/** Whether somebody listens at a port of this machine. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
