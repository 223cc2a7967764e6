import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, EffectId, EventId, RemoteUserId, RoomId, UserId } from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";
import { settle } from "../../../test/support/settle.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;
let isRanked: Promise<void>;

const room = ChannelId("net/#room");
const alice = UserId("@alice:example.org");
const remote = RemoteUserId("net/$carol");
let effects = 0;
const effectOf = () => ({
  effect: EffectId(`early${++effects}`),
  attempt: 1,
  maybeSent: false,
  channel: room,
  room: RoomId("!r"),
  event: EventId("$e"),
  author: { userId: alice, name: "Alice" },
  at: 0,
  signal: AbortSignal.timeout(patiently(20_000)),
});

/** Carol is in the channel; nothing of it is known to the bridge, which has just been started. */
beforeEach(async () => {
  irc = await IrcServer.start({ accounts: { carol: "secret" } });
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
  irc.setAccount("carol", "carol");
  await carol.join("#room");
  // What the server says of who is there takes its time; as with services, the bot gets its rank before.
  irc.lag(100);
  const ranked = irc.waitFor(() => irc.channel("#room").members.includes("trestle"));
  isRanked = ranked.then(() => irc.setModes("#room", "+o", "trestle"));
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: [room],
    config: { onStop: "quit" },
  });
});
afterEach(async () => {
  await isRanked;
  await bridge.end();
  carol.close();
  await irc.stop();
});

describe("what waited on Matrix while the bridge was away, and comes before it is known who is on IRC", () => {
  it("puts somebody out of the channel", async () => {
    const kick = { ...effectOf(), who: { remote }, change: "kick" } as const;
    expect(await settle(() => bridge.handlers.membership?.(kick))).toEqual({});
    await irc.waitFor(() => !irc.channel("#room").members.includes("carol"));
  });

  it("gives somebody a rank, and takes one", async () => {
    const rank = { ...effectOf(), who: { remote }, role: "none", before: "moderator" } as const;
    expect(await settle(() => bridge.handlers.role?.(rank))).toEqual({});
    await carol.waitForLine(/^\S+ MODE #room -o carol/);
  });

  it("reaches somebody alone who is known by their account", async () => {
    const channel = ChannelId("net/$carol/@alice:example.org");
    expect(await bridge.say({ channel, text: "psst", name: "Alice" })).toEqual([
      expect.not.objectContaining({ failed: "permanent" }),
    ]);
    await carol.waitForLine(/PRIVMSG carol :psst/);
  });

  it("asks nobody to come who is there already", async () => {
    const invite = { ...effectOf(), who: remote };
    await settle(() => bridge.handlers.invite?.(invite));
    expect(bridge.core.received.filter(({ kind }) => kind === "declined")).toEqual([]);
    await bridge.core.until("her ghost", () =>
      bridge.core.received.some((event) => event.kind === "membership" && event.intoRoom === true),
    );
  });

  it("is refused when all who are there are known, and somebody is not", async () => {
    await bridge.ready();
    const kick = { ...effectOf(), who: { remote: RemoteUserId("net/$dave") }, change: "kick" } as const;
    expect(await settle(() => bridge.handlers.membership?.(kick))).toMatchObject({
      failed: "permanent",
      reason: "$dave is not in #room",
    });
  });
});
