import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CliError } from "../../failure.js";
import { findFreePort, onFreePort } from "../free-port.js";
import { guardOf } from "../guard.js";

const STARTS_WITHIN_MS = 15_000;
const ENDS_WITHIN_MS = 5_000;

/** Domains that mean something to this server alone. */
export const domains = {
  people: "localhost",
  rooms: "rooms.localhost",
  bridge: "matrix.localhost",
  /** Where the people of the page are. */
  page: "page.localhost",
} as const;

export const secret = "playground";

export interface ProsodyOptions {
  /** For clients; any free one where it is taken. */
  readonly port: number;
  /** Of files, which somebody else removes. */
  readonly directory: string;
  /** An account for a client of one's own, whose password is its name. */
  readonly visitor: string;
}

/** An XMPP server of its own on the loopback interface. */
export class Prosody {
  private constructor(
    private readonly child: ChildProcess,
    readonly clientPort: number,
    readonly componentPort: number,
  ) {}

  /** @throws CliError where the program is not installed, or does not start */
  static async start({ port, directory, visitor }: ProsodyOptions): Promise<Prosody> {
    const program = findProsody();
    const home = join(directory, "prosody");
    const accounts = join(home, domains.people, "accounts");
    await mkdir(accounts, { recursive: true, mode: 0o700 });
    await writeFile(join(accounts, `${visitor}.dat`), `return { ["password"] = "${visitor}" };\n`, { mode: 0o600 });
    const clientPort = await onFreePort(port, async (free) => (free === 0 ? findFreePort() : isFree(free)));
    const componentPort = await findFreePort();
    const file = join(home, "prosody.cfg.lua");
    await writeFile(file, configOf(home, clientPort, componentPort), { mode: 0o600 });
    const child = spawn(program, ["--config", file, "-F"], { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
    child.once("error", (error) => (said += error.message));
    const guard = guardOf(child);
    child.once("exit", () => guard.kill("SIGKILL"));
    const deadline = Date.now() + STARTS_WITHIN_MS;
    while (!((await accepts(componentPort)) && (await accepts(clientPort)))) {
      if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new CliError("unexpected", `The XMPP server ${program} did not start. It said:\n${said}`);
      }
      await delay(20);
    }
    return new Prosody(child, clientPort, componentPort);
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

/** Debian keeps it where the path of some users does not lead. */
function findProsody(): string {
  const places = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/bin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/opt/homebrew/bin",
  ];
  for (const place of places) {
    const program = join(place, "prosody");
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  throw new CliError(
    "connector",
    "The playground for XMPP runs the server Prosody, which is not installed here. Install it with: sudo apt-get install prosody (macOS: brew install prosody/prosody/prosody)",
  );
}

function configOf(home: string, clientPort: number, componentPort: number): string {
  return `${process.getuid?.() === 0 ? "run_as_root = true\n" : ""}data_path = ${quoted(home)}
pidfile = ${quoted(join(home, "prosody.pid"))}
interfaces = { "127.0.0.1" }
modules_enabled = { "disco", "roster", "saslauth", "ping", "carbons", "mam", "pep", "offline", "smacks" }
modules_disabled = { "s2s", "tls" }
c2s_ports = { ${clientPort} }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
component_ports = { ${componentPort} }
component_interfaces = { "127.0.0.1" }
http_ports = {}
https_ports = {}
authentication = "internal_plain"
storage = "internal"
limits = {}
log = { { levels = { min = "info" }, to = "console" } }

VirtualHost "${domains.people}"

Component "${domains.rooms}" "muc"
  modules_enabled = { "muc_mam" }
  muc_log_by_default = true
  muc_room_locking = false
  muc_room_default_persistent = true
  muc_room_default_change_subject = true

Component "${domains.bridge}"
  component_secret = "${secret}"

Component "${domains.page}"
  component_secret = "${secret}"
`;
}

/** A text as Lua has it. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Rejects as a server does where the port is taken. */
async function isFree(port: number): Promise<number> {
  if (await accepts(port)) throw Object.assign(new Error(`Port ${port} is taken`), { code: "EADDRINUSE" });
  return port;
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
