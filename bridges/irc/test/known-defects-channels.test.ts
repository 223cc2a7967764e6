import { afterEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

describe("defects of matrix-appservice-irc in channels that this bridge does not have", () => {
  it("a reason for parting grows with every room and channel", async () => {
    irc = await IrcServer.start();
    carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    const channels = ["#one", "#two"];
    for (const channel of channels) await carol.join(channel);
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port)],
      channels: channels.map((channel) => `net/${channel}`),
      config: { onStop: "quit" },
    });
    await bridge.ready();
    const left = () =>
      bridge.core.received.flatMap((event) =>
        event.kind === "membership" && event.change === "leave" ? [`${event.channel} ${event.reason ?? ""}`] : [],
      );
    for (const channel of channels) {
      carol.say(channel, "here");
      await bridge.core.until("that she is seen", () => bridge.core.texts(`net/${channel}`).includes("here"));
      carol.part(channel, "bye");
    }
    await bridge.core.until("both parts", () => left().length === 2);
    expect(left()).toEqual(["net/#one bye", "net/#two bye"]);
  });
});
