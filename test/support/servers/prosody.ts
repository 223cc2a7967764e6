import { existsSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../bounded.js";
import { makeCertificate } from "./certificate.js";
import { answerOf, findProgram, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";
import { usersOf, xmppNames, type XmppServer, type XmppServerOptions } from "./xmpp-server.js";

export interface ProsodyInstall {
  readonly command: string;
}

export function findProsody(): Found<ProsodyInstall> | Missing {
  const cure = "sudo apt-get install prosody";
  const command = findProgram("prosody");
  const control = findProgram("prosodyctl");
  if (command === undefined || control === undefined) return { found: false, reason: "no program prosody", cure };
  // As root it says first that it should not be.
  const version = /^Prosody ([0-9][0-9.]*)/m.exec(
    answerOf("/bin/sh", ["-c", '"$1" about || true', "sh", control]) ?? "",
  )?.[1];
  if (version === undefined) return { found: false, reason: `${control} does not run`, cure };
  if (!/^(0\.12|[1-9][0-9])/.test(version))
    return { found: false, reason: `Prosody ${version} is older than 0.12, whose configuration the tests write`, cure };
  return { found: true, version: `Prosody ${version}`, where: command, install: { command } };
}

/** What Debian's prosody-modules has is what people install; where it is not installed, the tests' own does the same. */
const roomPictures = existsSync("/usr/lib/prosody/modules/mod_vcard_muc") ? "vcard_muc" : "trestle_room_picture";
const modules = fileURLToPath(new URL("./prosody-modules", import.meta.url));

/** Prosody with its own configuration and data, on loopback. */
export async function startProsody(install: ProsodyInstall, options: XmppServerOptions = {}): Promise<XmppServer> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-prosody-"));
  const [clientPort, componentPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const { domain, rooms, upload, component, secret } = xmppNames;
  const accounts = join(directory, "data", domain, "accounts");
  await mkdir(accounts, { recursive: true });
  for (const { name, password } of usersOf(options))
    await writeFile(join(accounts, `${encoded(name)}.dat`), `return { ["password"] = ${JSON.stringify(password)} };\n`);
  const certificate = options.tls === true ? await makeCertificate(directory) : undefined;
  const configFile = join(directory, "prosody.cfg.lua");
  const config = `
run_as_root = true
data_path = "${directory}/data"
plugin_paths = { ${JSON.stringify(modules)} }
pidfile = "${directory}/prosody.pid"
interfaces = { "127.0.0.1" }
modules_enabled = { "disco", "roster", "saslauth"${certificate ? ', "tls"' : ""}, "ping", "version", "carbons", "mam", "pep", "offline", "smacks", "vcard_legacy" }
modules_disabled = { "s2s"${certificate ? "" : ', "tls"'} }
${certificate ? `ssl = { certificate = "${certificate.certificateFile}"; key = "${certificate.keyFile}" }` : ""}
c2s_ports = { ${clientPort} }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
component_ports = { ${componentPort} }
component_interfaces = { "127.0.0.1" }
http_ports = { ${httpPort} }
http_interfaces = { "127.0.0.1" }
https_ports = {}
http_default_host = "${upload}"
authentication = "internal_plain"
storage = "internal"
archive_expires_after = "never"
limits = {}
log = { { levels = { min = "${process.env["TRESTLE_XMPP_DEBUG"] ? "debug" : "info"}" }, to = "console" } }

VirtualHost "${domain}"

Component "${rooms}" "muc"
  modules_enabled = { "muc_mam", "trestle_moderation", "${roomPictures}" }
  muc_log_by_default = true
  muc_room_locking = false
  muc_room_default_persistent = true
  muc_room_default_change_subject = true

Component "locked.localhost" "muc"
  modules_enabled = { "muc_mam" }
  muc_room_locking = true

Component "${upload}" "http_file_share"
  http_external_url = "http://127.0.0.1:${httpPort}/"
  http_file_share_access = { "${component}", "${domain}" }

${[component, ...(options.components ?? [])].map((name) => `Component "${name}"\n  component_secret = "${secret}"\n`).join("\n")}
`;
  const launched = await LaunchedServer.launch(
    {
      name: "Prosody",
      command: install.command,
      args: ["--config", configFile, "-F"],
      configFile,
      config,
      morePorts: [clientPort, httpPort],
    },
    directory,
    componentPort,
  );
  return {
    name: "Prosody",
    process: launched,
    clientPort,
    componentPort,
    httpPort,
    lockedRooms: "locked.localhost",
    ...xmppNames,
  };
}

/** As Prosody names its files. */
function encoded(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
