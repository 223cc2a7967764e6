import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { serve } from "../../tools/rpc.js";
import { serverName } from "../load/homeserver.js";
import { asToken, hsToken, sutApi, usage } from "./api.js";
import { relayConnector, storm } from "./relay-connector.js";

let running: RunningTrestle | undefined;

interface Settings {
  readonly homeserverPort: number;
  readonly directory: string;
  readonly rooms: number;
  readonly membership: "lazy" | "full";
  readonly idempotent: boolean;
}

/** Everything that is not named here is as an operator has it who changes nothing. YAML takes JSON. */
function writeFiles({ homeserverPort, directory, rooms, membership, idempotent }: Settings): string {
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
  writeFileSync(join(directory, "registration.yaml"), JSON.stringify(registration));
  const links = Array.from({ length: rooms }, (_, pair) => [
    { room: `!in${pair}:${serverName}`, channel: `in${pair}` },
    { room: `!out${pair}:${serverName}`, channel: `out${pair}` },
  ]).flat();
  const config = {
    homeserver: { url: `http://127.0.0.1:${homeserverPort}`, name: serverName },
    listen: { port: 0 },
    operations: { port: 0 },
    media: { port: 0 },
    dataDirectory: "data",
    bridges: [
      {
        name: "bench",
        connector: "bench",
        registration: "registration.yaml",
        membership,
        links,
        network: { idempotent },
      },
    ],
  };
  const file = join(directory, "trestle.yaml");
  writeFileSync(file, JSON.stringify(config));
  return file;
}

serve(sutApi, {
  start: async (settings) => {
    const loaded = await loadConfig(writeFiles(settings));
    running = await startTrestle(loaded, { connectors: { bench: relayConnector } });
    return { port: Number(new URL(running.url).port), token: hsToken };
  },
  greeted: async () => {
    await running?.greeted;
    return {};
  },
  usage,
  storm: async ({ people }) => {
    await storm(people);
    return {};
  },
  stop: async () => {
    await running?.close();
    return {};
  },
});
