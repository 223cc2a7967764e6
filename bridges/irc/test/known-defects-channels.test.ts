import { afterEach, describe, expect, it } from "@jest/globals";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { freePort } from "../../../test/support/bounded.js";
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

  it("who goes while the bot is away stays in the room for ever", async () => {
    irc = await IrcServer.start({ port: await freePort() });
    carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    await carol.join("#one");
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port)],
      channels: ["net/#one"],
      config: { onStop: "quit" },
    });
    const { core } = await bridge.ready();
    await core.until("that she is seen", () => core.membership().includes("join net/carol"));
    // Nobody is left to be told of her leaving; she does not come back.
    await irc.stop();
    await irc.start();
    await core.until("that she is gone", () => core.membership().includes("leave net/carol"));
    expect(core.membership()).toEqual(["join net/carol", "leave net/carol"]);
  });
});
