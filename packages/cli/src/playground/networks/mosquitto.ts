import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../../failure.js";
import { findFreePort } from "../free-port.js";
import { guardOf } from "../guard.js";

const STARTS_WITHIN_MS = 10_000;
const ENDS_WITHIN_MS = 5_000;

/** A broker of its own on the loopback interface, which keeps its files in `directory`. */
export class Mosquitto {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** @throws CliError where the program is not installed, or does not start */
  static async start(directory: string): Promise<Mosquitto> {
    const program = findMosquitto();
    const port = await findFreePort();
    const file = join(directory, "mosquitto.conf");
    await writeFile(file, configOf(directory, port), { mode: 0o600 });
    const child = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "pipe"], detached: true });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
    child.once("error", (error) => (said += error.message));
    const guard = guardOf(child);
    child.once("exit", () => guard.kill("SIGKILL"));
    const deadline = Date.now() + STARTS_WITHIN_MS;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new CliError("unexpected", `The broker ${program} did not start. It said:\n${said}`);
      }
      await delay(20);
    }
    return new Mosquitto(child, port);
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    const deadline = setTimeout(() => this.child.kill("SIGKILL"), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(deadline);
  }
}

/** Debian keeps it where the path of ordinary users does not lead. */
function findMosquitto(): string {
  const places = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/opt/homebrew/sbin",
  ];
  for (const place of places) {
    const program = join(place, "mosquitto");
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  throw new CliError(
    "connector",
    "The playground for MQTT runs the broker Mosquitto, which is not installed here. Install it with: sudo apt-get install mosquitto (macOS: brew install mosquitto)",
  );
}

function configOf(directory: string, port: number): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence true",
    `persistence_location ${directory}/`,
    // Nothing is dropped that waits for a bridge that was killed.
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
