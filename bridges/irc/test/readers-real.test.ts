import { afterEach, expect, it, jest } from "@jest/globals";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChannelId, EffectId, EventId, UserId } from "@trestle/core";
import { patiently } from "../../../test/support/bounded.js";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { startInspircd } from "../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { FakeCore } from "./support/fake-core.js";
import { linkOf, networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(120_000);

const inspircd = await realServer("inspircd");
const room = ChannelId("net/#room");

let server: LaunchedServer;
let bridge: RunningBridge | undefined;
let person: IrcPerson;

afterEach(async () => {
  await bridge?.end();
  await person.quit();
  await server.stop();
});

inspircd.describe("with InspIRCd", (install) => {
  it("everybody who reads along on Matrix is in the list of names, and no longer when they have left", async () => {
    server = await startInspircd(install);
    person = await IrcPerson.connect({ port: server.port, nick: "carol" });
    await person.join("#room");
    const core = new FakeCore(mkdtempSync(join(tmpdir(), "trestle-irc-")));
    const names = Array.from({ length: 12 }, (_, number) => `reader${number}`);
    core.members.set(
      linkOf(room).room,
      names.map((name) => ({ userId: UserId(`@${name}:example.org`), name, power: 0 })),
    );
    const running = (bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { readers: "shown" })],
      channels: [room],
      core,
      config: { onStop: "quit" },
    }));
    for (const name of names)
      await person.waitForLine(`${name} to come`, ({ command, nick }) => command === "JOIN" && nick === `${name}[m]`);
    await running.say({
      channel: room,
      text: "I read, and now I speak",
      name: "reader7",
      user: "@reader7:example.org",
    });
    await person.waitForUtterance("what a reader says", ({ from }) => from === "reader7[m]");
    const who = { userId: UserId("@reader3:example.org"), name: "reader3" };
    await running.handlers.membership?.({
      effect: EffectId("left"),
      attempt: 1,
      maybeSent: false,
      channel: room,
      room: linkOf(room).room,
      event: EventId("$left"),
      author: who,
      at: 0,
      signal: AbortSignal.timeout(patiently(10_000)),
      change: "leave",
      who,
    });
    await person.waitForLine("reader3 to go", ({ command, nick }) => command === "QUIT" && nick === "reader3[m]");
    const present = (await person.names("#room")).map((nick) => nick.replace(/^[@+]/, ""));
    expect(present.sort()).toEqual(
      [...names.filter((name) => name !== "reader3").map((name) => `${name}[m]`), "carol", "trestle"].sort(),
    );
  });
});
