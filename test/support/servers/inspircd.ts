import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../bounded.js";
import { makeCertificate } from "./certificate.js";
import { answerOf, findProgram, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";

export interface InspircdInstall {
  readonly command: string;
  /** Absolute, where modules are not found by themselves. */
  readonly modules: string | undefined;
}

export interface InspircdOptions {
  /** Keeps InspIRCd's own slowing down of clients; off where absent. */
  readonly fakelag?: boolean;
  /** Closes the connection ("Excess Flood") of who sends more than `burst` commands and `perSecond` after them. */
  readonly floodKill?: { readonly burst: number; readonly perSecond: number };
  /** Also listens with TLS, on a port of its own. */
  readonly tls?: boolean;
  /** Asks clients' machines for their user names (RFC 1413), at port 113. */
  readonly ident?: boolean;
  /** Modules that are left out, of `MODULES` below: a server that can do less. */
  readonly without?: readonly string[];
  /** Its name and id in a network of several; `irc.test` and `1TS` where absent. */
  readonly server?: { readonly name: string; readonly id: string };
  /** Further configuration in its own format. */
  readonly extra?: string;
}

const MODULES = [
  "cap",
  "ircv3",
  "ircv3_accounttag",
  "ircv3_batch",
  "ircv3_capnotify",
  "ircv3_chghost",
  "ircv3_ctctags",
  "ircv3_echomessage",
  "ircv3_invitenotify",
  "ircv3_labeledresponse",
  "ircv3_msgid",
  "ircv3_servertime",
  "namesx",
  "uhnames",
  "setname",
  "botmode",
  "deaf",
  "services_account",
  "monitor",
];

export function findInspircd(): Found<InspircdInstall> | Missing {
  const cure = "sudo apt-get install inspircd";
  const command = findProgram("inspircd");
  if (command === undefined) return { found: false, reason: "no program inspircd", cure };
  const version = answerOf(command, ["--version"]);
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  if (!version.startsWith("InspIRCd-3."))
    return { found: false, reason: `${version} is not of the 3.x series, whose configuration the tests write`, cure };
  const modules = ["/usr/lib/inspircd/modules", "/usr/local/lib/inspircd/modules"].find(existsSync);
  return { found: true, version: version.replaceAll("-", " "), where: command, install: { command, modules } };
}

export async function startInspircd(install: InspircdInstall, options: InspircdOptions = {}): Promise<LaunchedServer> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-inspircd-"));
  const port = await freePort();
  const tls =
    options.tls === true ? { port: await freePort(), certificate: await makeCertificate(directory) } : undefined;
  const configFile = join(directory, "inspircd.conf");
  const modules = [...MODULES, ...(options.ident === true ? ["ident"] : [])].filter(
    (module) => !(options.without ?? []).includes(module),
  );
  const { name, id } = options.server ?? { name: "irc.test", id: "1TS" };
  const config = `
<config format="xml">
<path ${install.modules === undefined ? "" : `moduledir="${install.modules}"`} configdir="${directory}" datadir="${directory}" logdir="${directory}" runtimedir="${directory}">
<server name="${name}" description="Test server" network="TestNet" id="${id}">
<admin name="nobody" nick="nobody" email="nobody@irc.test">
<bind address="127.0.0.1" port="${port}" type="clients">
<connect name="all" allow="*" timeout="30" pingfreq="120" hardsendq="16M" softsendq="8M" recvq="1M" localmax="10000" globalmax="10000" maxchans="1000" maxconnwarn="no" resolvehostnames="no" useconnectban="no" useconnflood="no" useident="${options.ident === true ? "yes" : "no"}" ${floodRules(options)}>
<performance softlimit="20000" netbuffersize="65534" somaxconn="1024" quietbursts="yes">
<options prefixquit="Quit: " defaultmodes="not">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="inspircd.log">
<pid file="${join(directory, "inspircd.pid")}">
${modules.map((module) => `<module name="${module}">`).join("\n")}
${
  tls === undefined
    ? ""
    : `<module name="ssl_gnutls">
<sslprofile name="clients" provider="gnutls" certfile="${tls.certificate.certificateFile}" keyfile="${tls.certificate.keyFile}">
<bind address="127.0.0.1" port="${tls.port}" type="clients" sslprofile="clients">`
}
${options.extra ?? ""}
`;
  return LaunchedServer.launch(
    {
      name: "InspIRCd",
      command: install.command,
      args: ["--runasroot", "--nofork", "--config", configFile],
      configFile,
      config,
    },
    directory,
    port,
    tls,
  );
}

function floodRules({ fakelag, floodKill }: InspircdOptions): string {
  if (fakelag === true) return "";
  const { burst, perSecond } = floodKill ?? { burst: 1_000_000, perSecond: 1_000 };
  return `fakelag="no" commandrate="${perSecond * 1_000}" threshold="${burst}"`;
}
