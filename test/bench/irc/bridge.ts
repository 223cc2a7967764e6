import type { RunningTrestle } from "@trestle/core";
import irc from "@trestle/irc";
import { serve } from "../../tools/rpc.js";
import { hsToken } from "../sut/api.js";
import { startBenched } from "../start-trestle.js";
import { bridgeApi, channelName, roomOf, weigh } from "./api.js";

let running: RunningTrestle | undefined;

serve(bridgeApi, {
  start: async ({ directory, homeserverPort, ircPort, channels, puppets, connects }) => {
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
    running = await startBenched({
      directory,
      homeserverPort,
      connector: irc,
      links: Array.from({ length: channels }, (_, channel) => ({
        room: roomOf(channel),
        channel: `net/${channelName(channel)}`,
      })),
      network: { networks: [network], onStop: "quit" },
    });
    await running.greeted;
    return { port: Number(new URL(running.url).port), token: hsToken };
  },
  weigh,
  stop: async () => {
    await running?.close();
    return {};
  },
});
