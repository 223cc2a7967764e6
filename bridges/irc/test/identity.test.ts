import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, RemoteUserId, RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

const room = ChannelId("net/#room");
const CAPS = ["account-tag", "message-tags", "extended-join", "account-notify"] as const;

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

async function person(nick: string, account?: string): Promise<IrcTestClient> {
  const client = await IrcTestClient.connect({ port: irc.port, nick, caps: [...CAPS] });
  if (account !== undefined) irc.setAccount(nick, account);
  return client;
}

async function start(core?: RunningBridge["core"]): Promise<void> {
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    ...(core ? { core } : { channels: ["net/#room"] }),
  });
  await bridge.ready();
}

beforeEach(async () => {
  irc = await IrcServer.start({ accounts: { carol: "x" } });
  carol = await person("carol", "Carol");
  await carol.join("#room");
  await start();
});

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const sender = (text: string) =>
  bridge.core.until(
    `"${text}"`,
    () => bridge.core.messages().find((_, at) => bridge.core.texts()[at] === text)?.sender,
  );
const membership = () => bridge.core.membership();

describe("somebody with an account", () => {
  it("is known by it from the list of names on", async () => {
    await bridge.core.until("carol", () => membership().length > 0);
    expect(membership()).toEqual(["join net/$carol"]);
    carol.say("#room", "hello");
    expect(await sender("hello")).toEqual({ id: "net/$carol", name: "carol" });
    expect(membership()).toEqual(["join net/$carol"]);
  });

  it("is renamed by a change of nick, and never becomes somebody else", async () => {
    await bridge.core.until("carol", () => membership().length > 0);
    irc.renameClient("carol", "caroline");
    carol.say("#room", "me again");
    expect(await sender("me again")).toEqual({ id: "net/$carol", name: "caroline" });
    expect(bridge.core.received.filter(({ kind }) => kind === "profile")).toEqual([
      expect.objectContaining({ user: { id: "net/$carol", name: "caroline" } }),
    ]);
    expect(membership()).toEqual(["join net/$carol"]);
  });

  it("comes with it into the channel, and stays until their last client has left", async () => {
    const phone = await person("carol_phone", "Carol");
    await phone.join("#room");
    const dave = await person("dave", "Dave");
    await dave.join("#room");
    await bridge.core.until("dave", () => membership().includes("join net/$dave"));
    carol.close();
    dave.close();
    await bridge.core.until("dave's end", () => membership().includes("leave net/$dave"));
    expect(membership().filter((line) => line.includes("carol"))).toEqual(["join net/$carol"]);
    phone.close();
    await bridge.core.until("carol's end", () => membership().includes("leave net/$carol"));
  });

  it("is somebody else before they have signed in, and after", async () => {
    const eve = await person("eve");
    await eve.join("#room");
    await bridge.core.until("eve", () => membership().includes("join net/eve"));
    irc.setAccount("eve", "Carol");
    await bridge.core.until("the change", () => membership().includes("leave net/eve"));
    // The account was there already.
    expect(membership().filter((line) => line === "join net/$carol")).toHaveLength(1);
    irc.setAccount("eve", undefined);
    await bridge.core.until(
      "the change back",
      () => membership().filter((line) => line === "join net/eve").length === 2,
    );
    expect(membership()).not.toContain("leave net/$carol");
    eve.close();
  });

  it("is answered under whatever nick they have now", async () => {
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    carol.say("Alice[m]", "psst");
    const first = await bridge.core.until("the private message", () =>
      bridge.core.messages().find(({ directTo }) => directTo !== undefined),
    );
    expect(first.channel).toBe("net/$carol/@alice:example.org");
    irc.renameClient("carol", "caroline");
    const barrier = await person("barrier");
    await barrier.join("#room");
    await bridge.core.until("the barrier", () => membership().includes("join net/barrier"));
    expect(await bridge.say({ channel: first.channel, text: "yes?", name: "Alice" })).toEqual([
      { id: expect.any(String) },
    ]);
    expect(irc.messagesTo("caroline").at(-1)?.text).toBe("yes?");
    barrier.close();
  });

  it("is not answered under a nick that somebody else has taken", async () => {
    await bridge.say({ channel: room, text: "hi", name: "Alice" });
    carol.say("Alice[m]", "psst");
    const first = await bridge.core.until("the private message", () =>
      bridge.core.messages().find(({ directTo }) => directTo !== undefined),
    );
    carol.close();
    await bridge.core.until("carol's end", () => membership().includes("leave net/$carol"));
    const impostor = await person("carol");
    await impostor.join("#room");
    await bridge.core.until("the impostor", () => membership().includes("join net/carol"));
    expect(await bridge.say({ channel: first.channel, text: "secret", name: "Alice" })).toEqual([
      { failed: "permanent", reason: expect.stringMatching(/nobody who is signed in as carol/) },
    ]);
    expect(irc.messagesTo("carol").map(({ text }) => text)).not.toContain("secret");
    impostor.close();
  });

  it("keeps their identity over a restart of the bridge", async () => {
    await bridge.core.until("carol", () => membership().length > 0);
    const { core } = bridge;
    await bridge.close();
    irc.renameClient("carol", "caroline");
    await start(core);
    carol.say("#room", "still me");
    expect(await sender("still me")).toEqual({ id: "net/$carol", name: "caroline" });
    expect(membership().filter((line) => !line.includes("$carol"))).toEqual([]);
  });

  it("is kicked and banned with all their clients", async () => {
    irc.setModes("#room", "+o", "trestle");
    const phone = await person("carol_phone", "Carol");
    await phone.join("#room");
    const dave = await person("dave", "Dave");
    await dave.join("#room");
    await bridge.core.until("dave", () => membership().includes("join net/$dave"));
    const effect = (id: string, change: "kick" | "ban") => ({
      effect: EffectId(id),
      attempt: 1,
      maybeSent: false,
      channel: room,
      room: RoomId("!r"),
      event: EventId("$e"),
      author: { userId: UserId("@alice:example.org"), name: "Alice" },
      at: 0,
      signal: AbortSignal.timeout(patiently(20_000)),
      change,
      who: { remote: RemoteUserId("net/$carol") },
    });
    expect(await bridge.handlers.membership?.(effect("b1", "ban"))).toEqual({});
    expect(irc.channel("#room").members).toEqual(["trestle", "dave"]);
    phone.close();
    dave.close();
  });
});
