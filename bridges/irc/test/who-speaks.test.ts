import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer } from "@trestle/testkit";
import { networkOn, type NetworkOptions, RunningBridge } from "./support/running-bridge.js";

let irc: IrcServer;
let bridge: RunningBridge;

async function start(more: NetworkOptions): Promise<void> {
  irc = await IrcServer.start();
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, more)],
    channels: ["net/#room", "net/#quiet"],
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  await irc.stop();
});

const says = async (user: string, channel = "#room"): Promise<string> => {
  const name = user.replace(/^@|:.*$/g, "");
  await bridge.say({ channel: ChannelId(`net/${channel}`), user, name, text: "hello" });
  const last = irc.channel(channel).log.at(-1);
  return `${last?.from} ${last?.text}`;
};

describe("whoever speaks", () => {
  it("speaks through the bot where the operator wants it, in some channels, and for some people", async () => {
    await start({ relayed: { channels: ["#QUIET"], users: ["@carol:*", "*:relayed.example"] } });
    expect(await says("@ann:one.example")).toBe("ann[m] hello");
    expect(await says("@ann:one.example", "#quiet")).toBe("trestle <ann> hello");
    expect(await says("@carol:one.example")).toBe("trestle <carol> hello");
    expect(await says("@bob:relayed.example")).toBe("trestle <bob> hello");
    expect(await says("@bob:not-relayed.example.org")).toBe("bob[m] hello");
    expect([...irc.nicks].sort()).toEqual(["ann[m]", "bob[m]", "trestle"]);
  });

  it("has sent what the operator wants the server to be told, before coming into a channel", async () => {
    await start({ commands: { bot: ["MODE {nick} +x"], puppets: ["mode {nick} :+w", "WHO {nick} %a"] } });
    await says("@ann:one.example");
    const of = (nick: string) => irc.linesFrom(nick).map((line) => line.replace(/^@\S+ /, ""));
    const bot = of("trestle");
    expect(bot.indexOf("MODE trestle :+x")).toBeGreaterThan(-1);
    expect(bot.indexOf("MODE trestle :+x")).toBeLessThan(bot.findIndex((line) => line.startsWith("JOIN")));
    const puppet = of("ann[m]");
    const at = puppet.findIndex((line) => line === "MODE ann[m] :+w");
    expect(puppet[at + 1]).toMatch(/^WHO ann\[m\] :?%a$/);
    expect(at).toBeLessThan(puppet.findIndex((line) => line.startsWith("JOIN")));
  });
});
