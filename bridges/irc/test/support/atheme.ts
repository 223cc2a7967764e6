import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, patiently } from "../../../../test/support/bounded.js";
import { type InspircdInstall, startInspircd } from "../../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../../test/support/servers/launched-server.js";

const MODULES = [
  "protocol/inspircd",
  "backend/opensex",
  "crypto/pbkdf2",
  "nickserv/main",
  "nickserv/register",
  "nickserv/identify",
  "saslserv/main",
  "saslserv/plain",
];
const WAIT_MS = patiently(30_000);

/** InspIRCd with Atheme behind it. */
export class NetworkWithServices {
  private constructor(
    readonly server: LaunchedServer,
    private readonly services: ChildProcess,
    private readonly directory: string,
  ) {}

  /** `sasl: false`: a server that offers none, and has the command NICKSERV. */
  static async start(
    install: InspircdInstall,
    command: string,
    { sasl = true }: { readonly sasl?: boolean } = {},
  ): Promise<NetworkWithServices> {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), "trestle-atheme-"));
    const server = await startInspircd(install, { extra: (sasl ? SASL : NICKSERV) + linkTo(port) });
    await writeFile(join(directory, "atheme.conf"), servicesConfig(port));
    // It refuses to run as root.
    await chmod(directory, 0o777);
    const files = ["-c", join(directory, "atheme.conf"), "-D", directory];
    const args = ["-n", ...files, "-l", join(directory, "log"), "-p", join(directory, "pid")];
    const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const services = spawn(command, args, { stdio: "ignore", cwd: directory, ...nobody });
    const network = new NetworkWithServices(server, services, directory);
    await network.#linked();
    return network;
  }

  async #linked(): Promise<void> {
    const log = join(this.directory, "log");
    const end = Date.now() + WAIT_MS;
    while (Date.now() < end) {
      if (existsSync(log) && /finished synching/.test(await readFile(log, "utf8"))) return;
      await delay(50);
    }
    throw new Error(`Atheme did not link to InspIRCd within ${WAIT_MS} ms; see ${log}`);
  }

  async stop(): Promise<void> {
    this.services.kill();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const SASL = `<module name="sasl"><sasl target="services.test" requiressl="no">`;
const NICKSERV = `<module name="alias"><alias text="NICKSERV" replace="PRIVMSG $requirement :$2-" requires="NickServ" uline="yes">`;

function linkTo(port: number): string {
  return `<module name="spanningtree">
<bind address="127.0.0.1" port="${port}" type="servers">
<link name="services.test" ipaddr="127.0.0.1" port="${port}" allowmask="127.0.0.1" sendpass="link" recvpass="link">
<uline server="services.test" silent="yes">`;
}

function servicesConfig(port: number): string {
  return `${MODULES.map((module) => `loadmodule "modules/${module}";`).join("\n")}
serverinfo { name = "services.test"; desc = "Services"; numeric = "00A"; recontime = 1; netname = "TestNet";
  adminname = "nobody"; adminemail = "nobody@irc.test"; registeremail = "nobody@irc.test"; auth = none; mta = "/bin/true";
  loglevel = { error; info; }; maxlogins = 5; maxusers = 50; mdlimit = 30; emaillimit = 10; emailtime = 300; casemapping = rfc1459; };
uplink "irc.test" { host = "127.0.0.1"; port = ${port}; send_password = "link"; receive_password = "link"; };
nickserv { nick = "NickServ"; user = "NickServ"; host = "services.test"; real = "NickServ"; };
saslserv { nick = "SaslServ"; user = "SaslServ"; host = "services.test"; real = "SaslServ"; };
general { };
`;
}
