import { afterEach, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { startInspircd } from "../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(180_000);

const PUPPETS = 300;
const CHANNELS = 10;
/** How often each of them speaks. */
const TURNS = 3;

const inspircd = await realServer("inspircd");
let server: LaunchedServer | undefined;
let bridge: RunningBridge | undefined;
let person: IrcPerson | undefined;

afterEach(async () => {
  await bridge?.end();
  await person?.quit();
  await server?.stop();
});

inspircd.describe(`${PUPPETS} puppets on one InspIRCd`, (install) => {
  it("all connect, join and speak in order, and nobody leaves", async () => {
    server = await startInspircd(install);
    person = await IrcPerson.connect({ port: server.port, nick: "carol" });
    const names = Array.from({ length: CHANNELS }, (_, index) => `#c${index}`);
    for (const name of names) await person.join(name);
    const running = (bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { maxPuppets: PUPPETS, connects: { burst: PUPPETS, perSecond: 1_000 } })],
      channels: names.map((name) => `net/${name}`),
      config: { onStop: "quit" },
    }));
    await running.ready();

    const usersOf = (channel: number) =>
      Array.from({ length: PUPPETS / CHANNELS }, (_, index) => channel + index * CHANNELS);
    const script = names.map((_, channel) =>
      Array.from({ length: TURNS }, (_turn, turn) =>
        usersOf(channel).map((user) => ({ user, text: `user ${user} turn ${turn}` })),
      ).flat(),
    );
    // Like the core: one message after the other in each channel, all channels at once.
    await Promise.all(
      script.map(async (lines, channel) => {
        for (const { user, text } of lines) {
          const outcomes = await running.say(
            { channel: ChannelId(`net/#c${channel}`), text, user: `@u${user}:example.org`, name: `u${user}` },
            { timeoutMs: patiently(60_000) },
          );
          expect(outcomes.filter((outcome) => outcome && "failed" in outcome)).toEqual([]);
        }
      }),
    );

    await person.barrier();
    const heard = person.utterances();
    for (const [channel, name] of names.entries()) {
      const lines = heard.filter(({ target }) => target === name).map(({ from, text }) => ({ from, text }));
      expect(lines).toEqual(script[channel]!.map(({ user, text }) => ({ from: `u${user}[m]`, text })));
      const there = await person.names(name);
      expect(there.filter((nick) => nick.endsWith("[m]")).sort()).toEqual(
        usersOf(channel)
          .map((user) => `u${user}[m]`)
          .sort(),
      );
    }
    expect(person.lines(({ command }) => ["QUIT", "PART", "KICK"].includes(command))).toEqual([]);
  });
});
