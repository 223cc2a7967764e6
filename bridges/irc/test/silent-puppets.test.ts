import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
let server: IrcServer;
let person: IrcTestClient;
let bridge: RunningBridge;

beforeEach(async () => {
  server = await IrcServer.start();
  person = await IrcTestClient.connect({ port: server.port, nick: "Carol" });
  await person.join("#room");
});
afterEach(async () => {
  await bridge.end();
  person.close();
  await server.stop();
});

async function start(more: Parameters<typeof networkOn>[1]): Promise<void> {
  const networks = [networkOn(server.port, more)];
  bridge = await RunningBridge.start({ networks, channels: ["net/#room"], config: { onStop: "quit" } });
  await bridge.ready();
}

const said = () =>
  server
    .channel("#room")
    .log.filter(({ from }) => from !== "Carol")
    .map(({ from, text }) => [from, text]);

describe("a puppet whose person is silent", () => {
  it("for longest makes room for another", async () => {
    await start({ maxPuppets: 2 });
    for (const name of ["A", "B", "C"]) await bridge.say({ channel: room, text: "hi", name, user: `@${name}:x` });
    await server.waitFor(() => !server.nicks.includes("A[m]"));
    expect(server.nicks).toEqual(expect.arrayContaining(["B[m]", "C[m]"]));
  });

  it("for too long quits where the operator wants that, and is back when its person speaks", async () => {
    await start({ idle: 0.3 });
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    await server.waitFor(() => !server.nicks.includes("Alice[m]"));
    await person.waitForLine(/:Alice\[m\]!\S+ QUIT :.*Silent for a while/);
    await bridge.say({ channel: room, text: "again", name: "Alice" });
    expect(said()).toEqual([
      ["Alice[m]", "hi"],
      ["Alice[m]", "again"],
    ]);
    // Nobody is removed on Matrix for it.
    expect(bridge.core.received.filter(({ kind }) => kind === "expulsion")).toEqual([]);
    expect(bridge.core.membership()).toEqual(["join net/carol"]);
  });
});
