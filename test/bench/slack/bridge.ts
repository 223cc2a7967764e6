import type { RunningTrestle } from "@trestle/core";
import { slackConnector } from "@trestle/slack";
import { serve } from "../../tools/rpc.js";
import { startBenched } from "../start-trestle.js";
import { bridgeApi, roomOf } from "./api.js";

let running: RunningTrestle | undefined;

serve(bridgeApi, {
  start: async ({ directory, homeserverPort, apiUrl, appToken, botToken, channels }) => {
    running = await startBenched({
      directory,
      homeserverPort,
      connector: slackConnector,
      links: channels.map((channel, index) => ({ room: roomOf(index), channel })),
      network: { apiUrl, appToken, workspaces: [{ botToken }] },
    });
    await running.greeted;
    return {};
  },
  stop: async () => {
    await running?.close();
    return {};
  },
});
