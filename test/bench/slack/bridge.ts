import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { slackConnector } from "@trestle/slack";
import { serve } from "../../tools/rpc.js";
import { serverName } from "../load/homeserver.js";
import { asToken, hsToken } from "../sut/api.js";
import { bridgeApi, roomOf } from "./api.js";

let running: RunningTrestle | undefined;

serve(bridgeApi, {
  start: async ({ directory, homeserverPort, apiUrl, appToken, botToken, channels }) => {
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
          name: "bench",
          connector: "slack",
          registration: "registration.yaml",
          links: channels.map((channel, index) => ({ room: roomOf(index), channel })),
          network: { apiUrl, appToken, workspaces: [{ botToken }] },
        },
      ],
    };
    const file = join(directory, "trestle.yaml");
    writeFileSync(join(directory, "registration.yaml"), JSON.stringify(registration));
    writeFileSync(file, JSON.stringify(config));
    running = await startTrestle(await loadConfig(file), { connectors: { slack: slackConnector } });
    await running.greeted;
    return {};
  },
  stop: async () => {
    await running?.close();
    return {};
  },
});
