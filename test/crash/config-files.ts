import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const serverName = "crash.test";
export const botNick = "trestle";
const network = "test";

export interface RegistrationFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly bot: string;
}

/** Writes the registration, which both sides read. YAML takes JSON. */
export function writeRegistration(directory: string, port: number, id: "irc" | "slack" | "xmpp"): RegistrationFile {
  const content = {
    id,
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-crash-suite",
    hs_token: "hs-token-of-the-crash-suite",
    sender_localpart: `${id}bot`,
    rate_limited: false,
    receive_ephemeral: true,
    "de.sorunome.msc2409.push_ephemeral": true,
    namespaces: {
      users: [{ exclusive: true, regex: `^@${id}_.*:crash\\.test$` }],
      aliases: [{ exclusive: true, regex: `^#${id}_.*:crash\\.test$` }],
      rooms: [],
    },
  };
  const path = join(directory, "registration.yaml");
  write(path, content);
  return { path, content, bot: `@${id}bot:${serverName}` };
}

export interface Ports {
  readonly homeserver: number;
  readonly listen: number;
  readonly operations: number;
}

export interface BridgeSection {
  readonly name: string;
  readonly connector: string;
  readonly registration: string;
  readonly links: readonly { readonly room: string; readonly channel: string }[];
  readonly network: Readonly<Record<string, unknown>>;
}

const puppetToken = "as-token-of-the-double-puppets";

/** Lets a bridge speak as the Matrix users themselves. */
export const puppetRegistration: RegistrationFile["content"] = {
  id: "double-puppet",
  url: null,
  as_token: puppetToken,
  hs_token: "hs-token-of-the-double-puppets",
  sender_localpart: "trestle-double-puppet",
  rate_limited: false,
  namespaces: { users: [{ exclusive: false, regex: `^@.*:crash\\.test$` }], aliases: [], rooms: [] },
};

/** Writes the configuration of a Trestle with one bridge, which speaks as Matrix users where `asUsers`. */
export function writeConfig(directory: string, ports: Ports, bridge: BridgeSection, asUsers = false): string {
  const config = join(directory, "trestle.yaml");
  write(config, {
    homeserver: {
      url: `http://127.0.0.1:${ports.homeserver}`,
      name: serverName,
      ...(asUsers && { doublePuppetToken: puppetToken }),
    },
    listen: { port: ports.listen },
    operations: { port: ports.operations },
    media: { port: 0, allowPrivate: ["127.0.0.1"] },
    permissions: { "*": "user" },
    encryptionKey: "a key for the crash suite that is long enough",
    dataDirectory: join(directory, "data"),
    log: { level: "debug", format: "json" },
    bridges: [bridge],
  });
  return config;
}

/** The IRC bridge, with a link for every place. */
export function ircBridge(registration: string, port: number, links: BridgeSection["links"]): BridgeSection {
  return {
    name: "irc",
    connector: "irc",
    registration,
    links: links.map(({ room, channel }) => ({ room, channel: `${network}/${channel}` })),
    network: {
      networks: [
        {
          name: network,
          host: "127.0.0.1",
          port,
          tls: false,
          nick: botNick,
          // The server has no flood rules, and neither has the bridge: what counts here is what gets through.
          flood: { burst: 1_000, linesPerSecond: 10_000 },
          connects: { burst: 100, perSecond: 100 },
          reconnect: { min: 0.1, max: 1 },
        },
      ],
    },
  };
}

function write(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
