import { readdirSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "../bounded.js";
import { findProgram, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";
import { usersOf, xmppNames, type XmppServer, type XmppServerOptions } from "./xmpp-server.js";

export interface EjabberdInstall {
  /** The Erlang runtime. */
  readonly command: string;
  readonly ebin: string;
}

export function findEjabberd(): Found<EjabberdInstall> | Missing {
  const cure = "sudo apt-get install ejabberd";
  const command = findProgram("erl");
  const place = ebinOf();
  if (command === undefined || place === undefined) return { found: false, reason: "no program ejabberd", cure };
  return {
    found: true,
    version: `ejabberd ${place.version}`,
    where: place.ebin,
    install: { command, ebin: place.ebin },
  };
}

function ebinOf(): { readonly ebin: string; readonly version: string } | undefined {
  for (const library of ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]) {
    let names: string[];
    try {
      names = readdirSync(library);
    } catch {
      continue;
    }
    for (const name of names) {
      const version = /^ejabberd-([0-9.]+)$/.exec(name)?.[1];
      if (version !== undefined) return { ebin: join(library, name, "ebin"), version };
    }
  }
  return undefined;
}

/** ejabberd with its own configuration and data, on loopback, without a node name (so that it starts no epmd). */
export async function startEjabberd(install: EjabberdInstall, options: XmppServerOptions = {}): Promise<XmppServer> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-ejabberd-"));
  const [clientPort, componentPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const configFile = join(directory, "ejabberd.yml");
  await mkdir(join(directory, "upload"));
  const users = usersOf(options)
    .map(({ name, password }) => `{${erlang(name)},${erlang(password)}}`)
    .join(",");
  const launched = await LaunchedServer.launch(
    {
      name: "ejabberd",
      command: install.command,
      args: [
        ...["-noinput", "-pa", install.ebin, "-mnesia", "dir", JSON.stringify(join(directory, "mnesia"))],
        ...["-s", "ejabberd", "-eval"],
        `[ejabberd_auth:try_register(User, <<"${xmppNames.domain}">>, Password) || {User, Password} <- [${users}]], io:format("accounts made~n").`,
      ],
      configFile,
      morePorts: [clientPort, httpPort],
      config: JSON.stringify(configOf({ clientPort, componentPort, httpPort }, directory, options)),
      env: { EJABBERD_CONFIG_PATH: configFile, EJABBERD_LOG_PATH: join(directory, "ejabberd.log"), HOME: directory },
    },
    directory,
    componentPort,
  );
  await until(45_000, "ejabberd's accounts", () => launched.output.includes("accounts made") || undefined);
  return {
    name: "ejabberd",
    process: launched,
    clientPort,
    componentPort,
    httpPort,
    lockedRooms: xmppNames.rooms,
    ...xmppNames,
  };
}

/** A binary of Erlang. */
function erlang(text: string): string {
  return `<<${JSON.stringify(text)}>>`;
}

interface Ports {
  readonly clientPort: number;
  readonly componentPort: number;
  readonly httpPort: number;
}

/** JSON is YAML. */
function configOf(ports: Ports, directory: string, options: XmppServerOptions): unknown {
  const { domain, rooms, upload, component, secret } = xmppNames;
  const listen = { ip: "127.0.0.1" };
  const names = [component, ...(options.components ?? [])];
  const hosts: Readonly<Record<string, unknown>> = Object.fromEntries(
    names.map((name) => [name, { password: secret }] as const),
  );
  return {
    hosts: [domain],
    loglevel: process.env["TRESTLE_XMPP_DEBUG"] ? "debug" : "info",
    auth_method: "internal",
    default_db: "mnesia",
    certfiles: [],
    listen: [
      { ...listen, port: ports.clientPort, module: "ejabberd_c2s", starttls: false, shaper: "none" },
      {
        ...listen,
        port: ports.componentPort,
        module: "ejabberd_service",
        access: "all",
        // Otherwise every component gets what is for any of them.
        global_routes: false,
        hosts,
      },
      { ...listen, port: ports.httpPort, module: "ejabberd_http", request_handlers: { "/upload": "mod_http_upload" } },
    ],
    shaper: {},
    modules: {
      mod_disco: {},
      mod_roster: {},
      mod_ping: {},
      mod_vcard: {},
      mod_carboncopy: {},
      mod_offline: {},
      mod_stream_mgmt: {},
      mod_mam: { default: "always", assume_mam_usage: true },
      mod_muc: {
        host: rooms,
        access_create: "all",
        default_room_options: { mam: true, persistent: true, public: true, max_users: 5000 },
        min_message_interval: 0,
        min_presence_interval: 0,
        max_users: 5000,
        max_users_admin_threshold: 100,
        max_users_presence: 5000,
      },
      mod_http_upload: {
        host: upload,
        access: "all",
        external_secret: "",
        docroot: join(directory, "upload"),
        put_url: `http://127.0.0.1:${ports.httpPort}/upload`,
        max_size: 100 * 1024 * 1024,
      },
    },
  };
}
