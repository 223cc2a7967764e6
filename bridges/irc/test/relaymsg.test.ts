import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, UserId } from "@trestle/core";
import type { IrcServer, IrcTestClient } from "@trestle/testkit";
import fc from "fast-check";
import { relayNickOf } from "../dist/network/outward/relay-messages.js";
import type { Saying } from "./support/fake-core.js";
import { roomWithCarol, type ServerOptions } from "./support/room-with-carol.js";
import { networkOn, type NetworkOptions, RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("net/#room");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

async function start(more: NetworkOptions = {}, server: ServerOptions = {}): Promise<void> {
  const network = { puppets: false, relaymsg: "{name}{separator}matrix", ...more };
  ({ irc, carol, bridge } = await roomWithCarol({ server, network, caps: ["message-tags", "draft/relaymsg"] }));
}

const say = (more: Partial<Saying>) => bridge.say({ channel: room, name: "Alice", ...more });
const heard = (): string[] => irc.channel("#room").log.map(({ from, text }) => `${from}: ${text}`);
const relayed = (): string[] => irc.linesFrom("trestle").filter((line) => line.includes("RELAYMSG"));

describe("what the bot says for somebody", () => {
  afterEach(async () => {
    await bridge.end();
    carol.close();
    await irc.stop();
  });

  it("is said under their name where the server relays it and the bot is an operator", async () => {
    await start();
    irc.setModes("#room", "+o", "trestle");
    const first = await say({ text: "hello" });
    expect(first).toEqual([{ id: expect.any(String) }]);
    expect(await say({ text: "waves", style: "emote" })).toEqual([{ id: expect.any(String) }]);
    expect(await say({ text: "for people only", style: "notice" })).toEqual([{ id: expect.any(String) }]);
    const [sent] = first;
    const id = sent !== undefined && "id" in sent ? String(sent.id) : "";
    expect(await say({ text: "yes", user: "@bob:example.org", name: "Bob B./ob", answers: id })).toHaveLength(1);
    carol.say("#room", "fine");
    await bridge.core.until("carol", () => bridge.core.texts().includes("fine"));
    // None of it came back as somebody's message.
    expect(bridge.core.texts()).toEqual(["fine"]);
    expect(irc.channel("#room").log.map(({ text }) => text)).toEqual([
      "hello",
      "\x01ACTION waves\x01",
      "<Alice> for people only",
      "yes",
      "fine",
    ]);
    expect(relayed().map((line) => line.replace(/^@\S+ /, ""))).toEqual([
      "RELAYMSG #room Alice/matrix :hello",
      "RELAYMSG #room Alice/matrix :\x01ACTION waves\x01",
      "RELAYMSG #room Bob_Bob/matrix :yes",
    ]);
    expect(relayed()[2]).toContain(`+draft/reply=${id}`);
  });

  it("is said by the bot, once, where it may not, and it is not asked again each time", async () => {
    await start();
    expect(await say({ text: "one" })).toEqual([{ id: expect.any(String) }]);
    expect(await say({ text: "two" })).toEqual([{ id: expect.any(String) }]);
    expect(heard()).toEqual(["trestle: <Alice> one", "trestle: <Alice> two"]);
    expect(relayed()).toHaveLength(1);
  });

  it.each([
    ["without labels", { without: ["labeled-response"] }],
    ["without echoes", { without: ["labeled-response", "echo-message"] }],
  ] as const)("is said once %s", async (_, server) => {
    await start({}, { without: [...server.without] });
    expect(await say({ text: "one" })).toHaveLength(1);
    expect(heard()).toEqual(["trestle: <Alice> one"]);
    await bridge.end();
    irc.setModes("#room", "+o", "carol");
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { puppets: false, relaymsg: "{name}/mx" })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    irc.setModes("#room", "+o", "trestle");
    expect(await say({ text: "two" })).toHaveLength(1);
    expect(irc.channel("#room").log.map(({ text }) => text)).toEqual(["<Alice> one", "two"]);
    expect(bridge.core.texts()).toEqual([]);
  });

  it("is said by the bot where the operator has given no name for it, or the server does not relay", async () => {
    await start({ relaymsg: undefined });
    irc.setModes("#room", "+o", "trestle");
    await say({ text: "one" });
    await bridge.end();
    irc.setCapability("draft/relaymsg", false);
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { puppets: false, relaymsg: "{name}/mx" })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    irc.setModes("#room", "+o", "trestle");
    await say({ text: "two" });
    expect(heard()).toEqual(["trestle: <Alice> one", "trestle: <Alice> two"]);
    expect(relayed()).toEqual([]);
  });

  it("is cut into lines that all arrive whole", async () => {
    await start();
    irc.setModes("#room", "+o", "trestle");
    const text = Array.from({ length: 300 }, (_, number) => `wörd${number}`).join(" ");
    for (const outcome of await say({ text })) expect(outcome).toEqual({ id: expect.any(String) });
    expect(
      irc
        .channel("#room")
        .log.map((each) => each.text)
        .join(" "),
    ).toBe(text);
    expect(relayed().length).toBeGreaterThan(3);
  });
});

describe("a nick to relay under", () => {
  it("has a separator, no character that a nick cannot have, and room enough, whatever the name", () => {
    const capabilities = new Set(["draft/relaymsg", "draft/relaymsg=:/"]);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 12, max: 64 }), (name, bytes) => {
        const author = { name, userId: UserId("@alice:example.org") };
        const nick = relayNickOf("{name}{separator}mx", author, capabilities, bytes) ?? "";
        expect(nick).toMatch(/^[^\s!@,*?+%&~#$./]+:mx$/u);
        expect(nick.replace(/:mx$/, "")).not.toMatch(/[:/]/);
        expect(Buffer.byteLength(nick)).toBeLessThanOrEqual(bytes);
      }),
      { seed: 7 },
    );
  });

  it("is none without the capability, a separator, or room", () => {
    const author = { name: "Alice", userId: UserId("@alice:example.org") };
    const offered = new Set(["draft/relaymsg", "draft/relaymsg=/"]);
    expect(relayNickOf("{name}/mx", author, new Set(), 30)).toBeUndefined();
    expect(relayNickOf("{name}-mx", author, offered, 30)).toBeUndefined();
    expect(relayNickOf("{name}/mx", author, offered, 3)).toBeUndefined();
    expect(relayNickOf("{name}/mx", author, new Set(["draft/relaymsg"]), 30)).toBe("Alice/mx");
  });
});
