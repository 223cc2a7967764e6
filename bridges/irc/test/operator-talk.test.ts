import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;
let dave: IrcTestClient;

afterEach(async () => {
  await bridge.end();
  carol.close();
  dave.close();
  await irc.stop();
});

const says = (name: string) =>
  bridge.say({ channel: room, user: `@${name.toLowerCase()}:example.org`, name, text: "hello" });

/** Alice and Bob are operators, Eve has a voice, and so has the channel's other half. */
async function start(ops: readonly string[] = ["trestle", "carol", "Alice[m]", "Bob[m]"]): Promise<void> {
  irc = await IrcServer.start();
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
  dave = await IrcTestClient.connect({ port: irc.port, nick: "dave" });
  await carol.join("#Room");
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: [room],
    config: { onStop: "quit" },
  });
  await bridge.ready();
  for (const name of ["Alice", "Bob", "Eve"]) await says(name);
  for (const nick of ops) irc.setModes("#room", "+o", nick);
  irc.setModes("#room", "+v", "Eve[m]");
}

const marker = async (): Promise<void> => {
  carol.say("#room", "marker");
  await bridge.core.until("the marker", () => bridge.core.texts("net/#room").includes("marker"));
};
const told = () =>
  bridge.core.messages().flatMap(({ channel, sender, content, directTo }) => {
    const style = content.type === "text" ? content.style : "";
    return channel === room ? [] : [[channel, sender.name, directTo, style, bridge.core.texts(channel).join("|")]];
  });

describe("what is said to a channel's operators alone", () => {
  it("is told in private to those whose clients are operators, and to nobody else", async () => {
    await start();
    carol.raw("PRIVMSG @#room :who bans him?");
    await marker();
    expect(told()).toEqual([
      ["net/carol/@alice:example.org", "carol", "@alice:example.org", "text", "[@#Room] who bans him?"],
      ["net/carol/@bob:example.org", "carol", "@bob:example.org", "text", "[@#Room] who bans him?"],
    ]);
    expect(bridge.core.texts("net/#room")).toEqual(["marker"]);
  });

  it("keeps its style, and is told of notices too", async () => {
    await start(["trestle", "carol", "Alice[m]"]);
    carol.raw("NOTICE @#room :beep");
    await marker();
    expect(told()).toEqual([
      ["net/carol/@alice:example.org", "carol", "@alice:example.org", "notice", "[@#Room] beep"],
    ]);
  });

  it("stays on IRC where it is for all with a voice, of a channel that is not linked, or from outside", async () => {
    await start();
    await dave.join("#other");
    carol.raw("PRIVMSG +#room :for voices");
    carol.raw("PRIVMSG @#other :elsewhere");
    dave.raw("NOTICE @#room :from outside");
    await dave.sync();
    await marker();
    expect(told()).toEqual([]);
    expect(bridge.core.texts("net/#room")).toEqual(["marker"]);
  });

  it("stays on IRC where the bot does not hear it", async () => {
    await start(["carol", "Alice[m]"]);
    carol.raw("PRIVMSG @#room :who bans him?");
    await marker();
    expect(told()).toEqual([]);
  });
});
