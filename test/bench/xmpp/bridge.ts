import type { Network, RunningTrestle } from "@trestle/core";
import { xmppConnector } from "@trestle/xmpp";
import { serve } from "../../tools/rpc.js";
import { startBenched } from "../start-trestle.js";
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
    running = await startBenched({
      directory,
      homeserverPort,
      connector: counted,
      links: Array.from({ length: rooms }, (_, room) => ({ room: matrixRoomOf(room), channel: channelOf(room) })),
      network: { port: componentPort, domain: bridgeDomain, secret },
    });
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
