import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, RoomId, UserId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { patiently } from "../../../test/support/bounded.js";
import { Renames } from "../dist/network/nicks/renames.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

describe("changes of a name that follow each other shortly", () => {
  it("are the first few and the last of them, for each person", async () => {
    const renames = new Renames({ atOnce: 2, everyMs: 100 });
    const done: string[] = [];
    const last = new Promise<void>((resolve) => {
      for (const name of ["a", "b", "c", "d"]) renames.take("ann", () => done.push(`ann ${name}`));
      renames.take("bob", () => done.push("bob x"));
      renames.take("ann", () => {
        done.push("ann e");
        // That one counts as a first.
        for (const name of ["f", "g"]) renames.take("ann", () => done.push(`ann ${name}`));
        renames.take("ann", () => {
          done.push("ann h");
          resolve();
        });
      });
    });
    expect(done).toEqual(["ann a", "ann b", "bob x"]);
    await last;
    expect(done).toEqual(["ann a", "ann b", "bob x", "ann e", "ann f", "ann h"]);
    renames.close();
    renames.take("ann", () => done.push("ann i"));
    expect(done).toHaveLength(6);
  });
});

describe("a puppet whose person plays with their name", () => {
  let irc: IrcServer;
  let bridge: RunningBridge;
  afterEach(async () => {
    await bridge.end();
    await irc.stop();
  });

  it("changes its nick at once, and not again for every other name", async () => {
    irc = await IrcServer.start();
    const room = ChannelId("net/#room");
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port)],
      channels: [room],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    const userId = UserId("@alice:example.org");
    await bridge.say({ channel: room, text: "hello", user: userId, name: "Alice" });
    for (const name of ["Alicia", "Alison", "Alison2", "Alison3", "Ally"])
      await bridge.handlers.membership?.({
        effect: EffectId(name),
        attempt: 1,
        maybeSent: false,
        channel: room,
        room: RoomId("!r"),
        event: EventId("$e"),
        author: { userId, name },
        at: 0,
        signal: AbortSignal.timeout(patiently(10_000)),
        change: "rename",
        who: { userId, name },
      });
    await bridge.say({ channel: room, text: "it is me", user: userId, name: "Ally" });
    expect(irc.channel("#room").log.at(-1)?.from).toBe("Alison2[m]");
  });
});
