import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort, onFreePort } from "../free-port.js";
import { accepts, findProgram, InstalledServer } from "../installed-server.js";

const missing =
  "The playground for XMPP runs the server Prosody, which is not installed here. Install it with: sudo apt-get install prosody (macOS: brew install prosody/prosody/prosody)";

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
    private readonly server: InstalledServer,
    readonly clientPort: number,
    readonly componentPort: number,
  ) {}

  /** @throws CliError where the program is not installed, or does not start */
  static async start({ port, directory, visitor }: ProsodyOptions): Promise<Prosody> {
    const program = findProgram("prosody", missing);
    const home = join(directory, "prosody");
    const accounts = join(home, domains.people, "accounts");
    await mkdir(accounts, { recursive: true, mode: 0o700 });
    await writeFile(join(accounts, `${visitor}.dat`), `return { ["password"] = "${visitor}" };\n`, { mode: 0o600 });
    const clientPort = await onFreePort(port, async (free) => (free === 0 ? findFreePort() : isFree(free)));
    const componentPort = await findFreePort();
    const file = join(home, "prosody.cfg.lua");
    await writeFile(file, configOf(home, clientPort, componentPort), { mode: 0o600 });
    const server = await InstalledServer.start({
      what: "The XMPP server",
      program,
      arguments: ["--config", file, "-F"],
      ports: [componentPort, clientPort],
    });
    return new Prosody(server, clientPort, componentPort);
  }

  close(): Promise<void> {
    return this.server.close();
  }
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
