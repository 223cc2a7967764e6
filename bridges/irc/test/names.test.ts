import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";

const room = ChannelId("net/#room");
const alice = UserId("@alice:example.org");

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

type Server = NonNullable<Parameters<typeof IrcServer.start>[0]>;

async function start(network: Parameters<typeof networkOn>[1] = {}, server: Server = {}): Promise<void> {
  irc = await IrcServer.start({ accounts: { carol: "x" }, ...server });
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol", caps: ["message-tags"] });
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port, network)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  await bridge.ready();
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const say = (text: string) => bridge.say({ channel: room, text, name: "Alice" });
const rename = (id: string, name: string) =>
  bridge.handlers.membership?.({
    effect: EffectId(id),
    attempt: 1,
    maybeSent: false,
    channel: room,
    room: RoomId("!r"),
    event: EventId("$e"),
    author: { userId: alice, name },
    at: 0,
    signal: AbortSignal.timeout(patiently(20_000)),
    change: "rename",
    who: { userId: alice, name },
  });
const setnames = (): string[] => irc.linesFrom("Alicia[m]").filter((line) => line.startsWith("SETNAME"));

describe("a display name that changes on Matrix", () => {
  it("becomes the puppet's real name, where that is made of it", async () => {
    await start({ puppetRealname: "{name} ({user})" });
    await say("hello");
    await rename("r1", "Alicia\r\nQUIT :x");
    await irc.waitFor(() => irc.nicks.includes("AliciaQUITx[m]"));
    await rename("r2", "Alicia");
    await irc.waitFor(() => setnames().length === 2);
    expect(setnames()).toEqual([
      "SETNAME :Alicia QUIT :x (@alice:example.org)",
      "SETNAME :Alicia (@alice:example.org)",
    ]);
    await rename("r3", "x".repeat(500));
    await say("after");
    const last = irc
      .linesFrom(irc.nicks.find((nick) => nick.startsWith("xxx")) ?? "")
      .findLast((line) => line.startsWith("SETNAME"));
    expect(last).toBe(`SETNAME ${"x".repeat(128)}`);
  });

  it("leaves it alone where it is not, or where the server cannot change it", async () => {
    await start();
    await say("hello");
    await rename("r1", "Alicia");
    await irc.waitFor(() => irc.nicks.includes("Alicia[m]"));
    await say("after");
    expect(setnames()).toEqual([]);
    await bridge.end();
    irc.setCapability("setname", false);
    bridge = await RunningBridge.start({
      networks: [networkOn(irc.port, { puppetRealname: "{name}" })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    await say("hello");
    await rename("r2", "Alicia");
    await irc.waitFor(() => irc.nicks.includes("Alicia[m]"));
    await say("after");
    expect(setnames()).toEqual([]);
  });
});

describe("somebody on IRC", () => {
  for (const account of [undefined, "carol"]) {
    const id = account === undefined ? "net/carol" : "net/$carol";
    it(`is the same ghost after another host, user name and real name, ${account === undefined ? "without" : "with"} an account`, async () => {
      await start();
      if (account !== undefined) irc.setAccount("carol", account);
      await carol.join("#room");
      carol.say("#room", "one");
      await bridge.core.until("one", () => bridge.core.texts().includes("one"));
      irc.changeHost("carol", "other", "elsewhere.example");
      carol.raw("SETNAME :Carol the Great");
      carol.say("#room", "two");
      await bridge.core.until("two", () => bridge.core.texts().includes("two"));
      expect(bridge.core.messages().map(({ sender }) => sender)).toEqual([
        { id, name: "carol" },
        { id, name: "carol" },
      ]);
      expect(bridge.core.membership()).toEqual([`join ${id}`]);
      // A ghost is called by its nick: the real name changes nothing on Matrix.
      expect(bridge.core.received.filter(({ kind }) => kind === "profile")).toEqual([]);
    });
  }

  it("is the same ghost on a server that shows a new host by a quit and a join", async () => {
    await start({}, { without: ["chghost"] });
    irc.setAccount("carol", "carol");
    await carol.join("#room");
    carol.say("#room", "one");
    await bridge.core.until("one", () => bridge.core.texts().includes("one"));
    irc.changeHost("carol", "other", "elsewhere.example");
    carol.say("#room", "two");
    await bridge.core.until("two", () => bridge.core.texts().includes("two"));
    expect(new Set(bridge.core.messages().map(({ sender }) => sender.id))).toEqual(new Set(["net/$carol"]));
    expect(new Set(bridge.core.membership().map((line) => line.split(" ")[1]))).toEqual(new Set(["net/$carol"]));
  });
});
