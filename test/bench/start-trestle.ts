import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, startTrestle, type Connector, type RunningTrestle } from "@trestle/core";
import { serverName } from "./load/homeserver.js";
import { asToken, hsToken } from "./sut/api.js";

export interface BenchedBridge {
  /** Where the configuration and the database are. */
  readonly directory: string;
  readonly homeserverPort: number;
  readonly connector: Connector;
  readonly links: readonly { readonly room: string; readonly channel: string }[];
  readonly membership?: "lazy" | "full";
  /** The settings of the network. */
  readonly network: Readonly<Record<string, unknown>>;
}

/** Starts Trestle in this process with one bridge. Everything that is not named is as an operator has it who changes nothing. */
export async function startBenched(bridge: BenchedBridge): Promise<RunningTrestle> {
  const { directory, homeserverPort, connector, links, membership, network } = bridge;
  const registration = {
    id: "bench",
    url: "http://127.0.0.1:9",
    as_token: asToken,
    hs_token: hsToken,
    sender_localpart: "benchbot",
    rate_limited: false,
    namespaces: {
      users: [{ exclusive: true, regex: `^@bench_.*:${serverName.replaceAll(".", "\\.")}$` }],
      aliases: [],
      rooms: [],
    },
  };
  const config = {
    homeserver: { url: `http://127.0.0.1:${homeserverPort}`, name: serverName },
    listen: { port: 0 },
    operations: { port: 0 },
    media: { port: 0 },
    encryptionKey: "a key for the benchmark that is long enough",
    dataDirectory: "data",
    bridges: [
      {
        name: "bench",
        connector: connector.network,
        registration: "registration.yaml",
        ...(membership && { membership }),
        links,
        network,
      },
    ],
  };
  const file = join(directory, "trestle.yaml");
  // YAML takes JSON.
  writeFileSync(join(directory, "registration.yaml"), JSON.stringify(registration));
  writeFileSync(file, JSON.stringify(config));
  return startTrestle(await loadConfig(file), { connectors: { [connector.network]: connector } });
}
