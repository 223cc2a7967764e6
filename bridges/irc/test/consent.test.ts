import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;
const people: IrcTestClient[] = [];
const channel = ChannelId("net/#room");
const room = RoomId("!wanted:example.org");

async function person(nick: string): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick });
  people.push(client);
  return client;
}

async function start(more: Parameters<typeof networkOn>[1] = {}): Promise<void> {
  irc = await IrcServer.start();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, more)],
    channels: ["net/#home"],
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  for (const client of people.splice(0)) client.close();
  await irc.stop();
});

const ask = () =>
  bridge.handlers.consent?.({ channel, room, by: UserId("@alice:example.org"), signal: AbortSignal.timeout(20_000) });
/** The code in the latest notice of the bot. */
async function code(): Promise<string> {
  return await irc.waitFor(() => /agree (\d{6})/.exec(irc.channel("#room").log.at(-1)?.text ?? "")?.[1]);
}

describe("linking a channel", () => {
  it("is asked of its operators, and only of them: a code that they say in the channel or to the bot", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    const dave = await person("dave");
    await dave.join("#room");
    expect(await ask()).toBe("asked");
    const said = await code();
    const asked = irc.channel("#room").log.at(-1);
    expect(asked).toMatchObject({ from: "trestle", command: "NOTICE" });
    expect(asked?.text).toContain("@alice:example.org on Matrix asks");
    dave.say("trestle", `agree ${said}`);
    await dave.waitForLine(/NOTICE dave :Only an operator of #room/);
    carol.say("#room", "trestle: agree 000000x");
    carol.say("#room", "I agree");
    carol.say("#room", `trestle: agree ${said}`);
    await bridge.core.until("their word", () => bridge.core.consents.length > 0);
    expect(bridge.core.consents).toEqual([{ channel, room, agreed: true, by: "carol on net" }]);
    // It counts once.
    carol.say("trestle", `agree ${said}`);
    await carol.sync();
    expect(bridge.core.consents).toHaveLength(1);
  });

  it("can be refused, in private as well, and the bot is gone then", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    await ask();
    carol.say("trestle", `refuse ${await code()}`);
    await bridge.core.until("their word", () => bridge.core.consents.length > 0);
    expect(bridge.core.consents).toMatchObject([{ agreed: false }]);
    await irc.waitFor(() => !irc.channel("#room").members.includes("trestle"));
  });

  it("needs nobody's consent where nobody is, or where the operator of the bridge wants that", async () => {
    await start();
    expect(await ask()).toBe("given");
    await bridge.end();
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { consent: false })],
      channels: [],
      config: { onStop: "quit" },
    });
    const carol = await person("carol");
    await carol.join("#room");
    expect(await ask()).toBe("given");
  });

  it("is asked for in words where the bot cannot come in, and not again and again", async () => {
    await start();
    const carol = await person("carol");
    await carol.join("#room");
    irc.setModes("#room", "+i");
    await expect(ask()).rejects.toThrow(/cannot come into #room/);
    irc.setModes("#room", "-i");
    expect([await ask(), await ask()]).toEqual(["asked", "asked"]);
    await expect(ask()).rejects.toThrow(/asked too often/);
  });
});
