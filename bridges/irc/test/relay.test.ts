import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

describe("a message", () => {
  let server: IrcServer;
  let person: IrcTestClient;
  let bridge: RunningBridge;

  beforeEach(async () => {
    server = await IrcServer.start();
    person = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port)],
      channels: ["net/#room"],
      config: { onStop: "keep" },
    });
    await bridge.ready();
  });

  afterEach(async () => {
    await bridge.end();
    person.close();
    await server.stop();
  });

  it("crosses from IRC to Matrix", async () => {
    person.say("#room", "hello there");
    await bridge.core.until("the message", () => bridge.core.texts().includes("hello there"));
    expect(bridge.core.messages()[0]).toMatchObject({
      channel: "net/#room",
      sender: { id: "net/carol", name: "carol" },
    });
  });

  it("crosses from Matrix to IRC by a puppet, once", async () => {
    const [outcome] = await bridge.say({ channel: room, text: "hi carol", name: "Alice" });
    expect(outcome).toEqual({ id: expect.any(String) });
    await person.waitForLine(":hi carol");
    expect(server.channel("#room").log.map(({ from, text }) => [from.replace(/!.*/, ""), text])).toEqual([
      ["Alice[m]", "hi carol"],
    ]);
    expect(bridge.core.texts()).toEqual([]);
  });

  it("crosses after the bridge was restarted, with nobody seen to quit", async () => {
    await bridge.say({ channel: room, text: "one", name: "Alice" });
    const { core } = bridge;
    await bridge.close();
    person.say("#room", "while away");
    bridge = await RunningBridge.start({ networks: [networkOn(server.port)], core, config: { onStop: "quit" } });
    await core.until("the message", () => core.texts().includes("while away"));
    await bridge.say({ channel: room, text: "two", name: "Alice" });
    await person.waitForLine(":two");
    expect(
      person.lines.filter((line) => / (QUIT|JOIN|NICK) /.test(line)).map((line) => line.replace(/!\S+/, "")),
    ).toEqual([":carol JOIN #room", ":trestle JOIN #room", ":Alice[m] JOIN #room"]);
  });
});
