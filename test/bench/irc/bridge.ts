import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import irc from "@trestle/irc";
import { serve } from "../../tools/rpc.js";
import { serverName } from "../load/homeserver.js";
import { asToken, hsToken } from "../sut/api.js";
import { bridgeApi, channelName, roomOf, weigh } from "./api.js";

let running: RunningTrestle | undefined;

serve(bridgeApi, {
  start: async ({ directory, homeserverPort, ircPort, channels, puppets, connects }) => {
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
    const network = {
      name: "net",
      host: "127.0.0.1",
      port: ircPort,
      tls: false,
      maxPuppets: puppets,
      // The server has no flood rules, and what it allows of connections is said.
      flood: { burst: 10_000, linesPerSecond: 100_000 },
      connects,
    };
    // Everything that is not named here is as an operator has it who changes nothing. YAML takes JSON.
    const config = {
      homeserver: { url: `http://127.0.0.1:${homeserverPort}`, name: serverName },
      listen: { port: 0 },
      operations: { port: 0 },
      media: { port: 0 },
      encryptionKey: "a key for the benchmark that is long enough",
      dataDirectory: "data",
      bridges: [
        {
          name: "irc",
          connector: "irc",
          registration: "registration.yaml",
          links: Array.from({ length: channels }, (_, channel) => ({
            room: roomOf(channel),
            channel: `net/${channelName(channel)}`,
          })),
          network: { networks: [network], onStop: "quit" },
        },
      ],
    };
    const file = join(directory, "trestle.yaml");
    writeFileSync(join(directory, "registration.yaml"), JSON.stringify(registration));
    writeFileSync(file, JSON.stringify(config));
    running = await startTrestle(await loadConfig(file), { connectors: { irc } });
    await running.greeted;
    return { port: Number(new URL(running.url).port), token: hsToken };
  },
  weigh,
  stop: async () => {
    await running?.close();
    return {};
  },
});
