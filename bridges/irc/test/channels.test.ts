import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { linkOf, networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

beforeEach(async () => {
  irc = await IrcServer.start();
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
});

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

async function start(channels: readonly string[], core?: RunningBridge["core"]): Promise<void> {
  bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], ...(core ? { core } : { channels }) });
}

/** Does what the core does when somebody types `link`. */
async function link(text: string): Promise<void> {
  const info = await bridge.handlers.resolveChannel?.(text);
  if (!info) throw new Error("no such channel");
  bridge.core.links = [...bridge.core.links, linkOf(info.id)];
  await bridge.handlers.linked?.(linkOf(info.id));
  await bridge.ready();
}

describe("a channel with a key", () => {
  beforeEach(async () => {
    await carol.join("#room");
    irc.setModes("#room", "+k", "sesame");
  });

  it("is joined with the key that was typed, by the bot and by puppets, also after a restart", async () => {
    await start([]);
    await link("net/#Room sesame");
    expect(bridge.core.links.map(({ channel }) => channel)).toEqual(["net/#room"]);
    await bridge.say({ channel: ChannelId("net/#room"), text: "hello", name: "Alice" });
    expect(irc.channel("#room").log.at(-1)).toMatchObject({ from: "Alice[m]", text: "hello" });
    const { core } = bridge;
    await bridge.close();
    irc.disconnect("trestle");
    await start([], core);
    await irc.waitFor(() => irc.channel("#room").members.includes("trestle"), { timeoutMs: patiently(20_000) });
  });

  it("is joined again with the key that was set while the bot was there", async () => {
    await start([]);
    await link("net/#room sesame");
    irc.setModes("#room", "-k", "sesame");
    irc.setModes("#room", "+k", "another");
    carol.say("#room", "done");
    await bridge.core.until("the changes", () => bridge.core.texts().includes("done"));
    irc.disconnect("trestle");
    await irc.waitFor(() => irc.channel("#room").members.includes("trestle"), { timeoutMs: patiently(20_000) });
  });

  it.each(["net/#room two words", "net/#room a,b", "net/#room :x"])("takes no key like that of %j", async (text) => {
    await start([]);
    await expect(bridge.handlers.resolveChannel?.(text)).rejects.toThrow(/is no key/);
  });
});

describe("a channel that forwards", () => {
  it("takes its links with it, and tells the rooms", async () => {
    irc.forwardJoins("#old", "#New");
    const core = await movingCore();
    await start([], core);
    const notice = await bridge.core.until("the notice", () =>
      bridge.core.received.find((event) => event.kind === "channel" && event.notice !== undefined),
    );
    expect(notice).toMatchObject({
      channel: "net/#new",
      notice: "#old sends everybody to #new: this room is linked to #new now.",
    });
    await bridge.core.until("the channel", () => bridge.core.statuses.get("net/#new")?.state === "connected");
    await carol.join("#New");
    carol.say("#New", "hello");
    await bridge.core.until("the message", () => bridge.core.texts("net/#new").includes("hello"));
  });

  it("that sends only strangers away keeps its link, and its strangers do not stay elsewhere", async () => {
    await start(["net/#old"]);
    await bridge.ready();
    irc.forwardJoins("#old", "#lobby");
    await bridge.say({ channel: ChannelId("net/#old"), text: "hello", name: "Alice" });
    // The bot, which is there, speaks for them.
    expect(irc.channel("#old").log.at(-1)).toMatchObject({ from: "trestle" });
    await irc.waitFor(() => irc.channel("#lobby").members.length === 0, { timeoutMs: patiently(20_000) });
  });
});

/** A core with a link to #old that can move it. */
async function movingCore(): Promise<RunningBridge["core"]> {
  await start([]);
  const { core } = bridge;
  await bridge.close();
  core.links = [linkOf("net/#old")];
  core.moveChannel = async (from, to) => {
    core.links = [linkOf(to)];
    await bridge.handlers.unlinked?.(linkOf(from));
    await bridge.handlers.linked?.(linkOf(to));
    return core.links;
  };
  return core;
}
