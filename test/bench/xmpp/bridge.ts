import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig, startTrestle, type Network, type RunningTrestle } from "@trestle/core";
import { xmppConnector } from "@trestle/xmpp";
import { serve } from "../../tools/rpc.js";
import { serverName } from "../load/homeserver.js";
import { asToken, hsToken } from "../sut/api.js";
import { bridgeDomain, channelOf, matrixRoomOf, takerApi, Taken } from "./api.js";

const taken = new Taken();
let running: RunningTrestle | undefined;

/** The XMPP bridge as it is, and a count of the messages that are on disk. */
const counted: typeof xmppConnector = {
  ...xmppConnector,
  connect: (context) => xmppConnector.connect({ ...context, network: countedNetwork(context.network) }),
};

function countedNetwork(network: Network): Network {
  return {
    ...network,
    receive: async (event) => {
      await network.receive(event);
      if (event.kind === "message") taken.one();
    },
  };
}

serve(takerApi, {
  start: async ({ componentPort, secret, homeserverPort, directory, rooms }) => {
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
          connector: "xmpp",
          registration: "registration.yaml",
          links: Array.from({ length: rooms }, (_, room) => ({ room: matrixRoomOf(room), channel: channelOf(room) })),
          network: { port: componentPort, domain: bridgeDomain, secret },
        },
      ],
    };
    const file = join(directory, "trestle.yaml");
    writeFileSync(join(directory, "registration.yaml"), JSON.stringify(registration));
    writeFileSync(file, JSON.stringify(config));
    running = await startTrestle(await loadConfig(file), { connectors: { xmpp: counted } });
    await running.greeted;
    return {};
  },
  begin: () => taken.begin(),
  taken: ({ count }) => taken.taken(count),
  stop: async () => {
    await running?.close();
    return {};
  },
});
