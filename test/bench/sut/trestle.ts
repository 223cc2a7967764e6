import type { RunningTrestle } from "@trestle/core";
import { serve } from "../../tools/rpc.js";
import { serverName } from "../load/homeserver.js";
import { hsToken, sutApi, usage } from "./api.js";
import { startBenched } from "../start-trestle.js";
import { relayConnector, storm } from "./relay-connector.js";

let running: RunningTrestle | undefined;

serve(sutApi, {
  start: async ({ homeserverPort, directory, rooms, membership, idempotent }) => {
    const links = Array.from({ length: rooms }, (_, pair) => [
      { room: `!in${pair}:${serverName}`, channel: `in${pair}` },
      { room: `!out${pair}:${serverName}`, channel: `out${pair}` },
    ]).flat();
    running = await startBenched({
      homeserverPort,
      directory,
      connector: relayConnector,
      membership,
      links,
      network: { idempotent },
    });
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
