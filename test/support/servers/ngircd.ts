import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../bounded.js";
import { answerOf, findProgram, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";

export interface NgircdInstall {
  readonly command: string;
}

export interface NgircdOptions {
  /** Keeps ngIRCd's own slowing down of clients; off where absent. */
  readonly penalties?: boolean;
}

export function findNgircd(): Found<NgircdInstall> | Missing {
  const cure = "sudo apt-get install ngircd";
  const command = findProgram("ngircd");
  if (command === undefined) return { found: false, reason: "no program ngircd", cure };
  const version = /^ngIRCd [0-9.]+/m.exec(answerOf(command, ["--version"]) ?? "")?.[0];
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  return { found: true, version, where: command, install: { command } };
}

export async function startNgircd(install: NgircdInstall, options: NgircdOptions = {}): Promise<LaunchedServer> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-ngircd-"));
  const port = await freePort();
  const configFile = join(directory, "ngircd.conf");
  const config = `
[Global]
Name = irc.ng.test
Info = Test server
Network = NgNet
Listen = 127.0.0.1
Ports = ${port}
MotdPhrase = Welcome
${process.getuid?.() === 0 ? "ServerUID = root\nServerGID = root" : ""}

[Limits]
ConnectRetry = 60
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
${options.penalties === true ? "" : "MaxPenaltyTime = 0"}

[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
`;
  return LaunchedServer.launch(
    { name: "ngIRCd", command: install.command, args: ["--nodaemon", "--config", configFile], configFile, config },
    directory,
    port,
  );
}
