import { afterEach, describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  EffectId,
  EventId,
  type NetworkEvent,
  RemoteUserId,
  type Role,
  type RoleEffect,
  RoomId,
  UserId,
} from "@trestle/core";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { patiently } from "../../../test/support/bounded.js";
import { settle } from "../../../test/support/settle.js";

let irc: IrcServer;
let bridge: RunningBridge;
let carol: IrcTestClient;

type ServerOptions = NonNullable<Parameters<typeof IrcServer.start>[0]>;

async function start(options: ServerOptions = {}, onStop: "quit" | "keep" = "quit"): Promise<void> {
  irc = await IrcServer.start(options);
  carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
  await carol.join("#room");
  await startBridge(onStop);
}

async function startBridge(onStop: "quit" | "keep" = "quit"): Promise<void> {
  bridge = await RunningBridge.start({
    networks: [networkOn(irc.port)],
    channels: ["net/#room"],
    config: { onStop },
  });
  await bridge.ready();
  await bridge.core.until("the list of names", () => ranks().length > 0);
}

afterEach(async () => {
  await bridge.end();
  carol.close();
  await irc.stop();
});

const place = ChannelId("net/#room");
const alice = UserId("@alice:example.org");
let effects = 0;
const effectOf = (): Omit<RoleEffect, "who" | "role" | "before"> => ({
  effect: EffectId(`moderation${++effects}`),
  attempt: 1,
  maybeSent: false,
  channel: place,
  room: RoomId("!r"),
  event: EventId("$e"),
  author: { userId: alice, name: "Alice" },
  at: 0,
  signal: AbortSignal.timeout(patiently(20_000)),
});
const rank = (who: RoleEffect["who"], role: Role, before: Role = "none") =>
  settle(() => bridge.handlers.role?.({ ...effectOf(), who, role, before }));

/** What was said of ranks, in order: `carol moderator`; all of a list in one. */
const ranks = (): string[] =>
  bridge.core.received.flatMap((event) =>
    event.kind === "roles"
      ? [
          event.changes
            .map(({ who, role }) => `${"userId" in who ? who.userId : who.remote.id} ${role}`)
            .sort()
            .join(", ") + (event.complete === true ? " and nobody else" : ""),
        ]
      : [],
  );
const settings = () =>
  bridge.core.received.flatMap((event) => (event.kind === "channel" && event.settings ? [event.settings] : []));
const expulsions = (): Extract<NetworkEvent, { kind: "expulsion" }>[] =>
  bridge.core.received.filter((event) => event.kind === "expulsion");
const done = async (): Promise<void> => {
  const text = `done ${++effects}`;
  carol.say("#room", text);
  await bridge.core.until("what was said behind it", () => bridge.core.texts().includes(text));
};

describe("ranks in a channel", () => {
  it("are told with the list of names, with MODE, and in full: a voice shows again below a rank that is taken", async () => {
    await start({ ranks: "qaohv" });
    expect(ranks()).toEqual(["net/carol moderator and nobody else"]);
    irc.setModes("#room", "+vq-o", "carol", "carol", "carol");
    irc.setModes("#room", "-q", "carol");
    irc.setModes("#room", "-v", "carol");
    await bridge.core.until("all of it", () => ranks().length === 4);
    expect(ranks().slice(1)).toEqual(["net/carol owner", "net/carol speaker", "net/carol none"]);
  });

  it("are those of any PREFIX, also such as nobody has heard of", async () => {
    await start({ ranks: "qaohv", tokens: { PREFIX: "(Yqaohv)!~&@%+" } });
    for (const letter of ["h", "a", "Y"]) irc.sendRaw("trestle", `:carol!c@h MODE #room +${letter} carol`);
    await bridge.core.until("all of it", () => ranks().length === 4);
    // Operator already: half an operator more changes nothing that one sees.
    expect(ranks().slice(1)).toEqual(["net/carol moderator", "net/carol admin", "net/carol owner"]);
  });

  it("end when their people go, and go with who is called otherwise", async () => {
    await start();
    const dave = await IrcTestClient.connect({ port: irc.port, nick: "dave" });
    await dave.join("#room");
    irc.setModes("#room", "+v", "dave");
    irc.renameClient("dave", "david");
    irc.kick("#room", "david", "out");
    await bridge.core.until("all of it", () => ranks().includes("net/david none"));
    expect(ranks().slice(1)).toEqual(["net/dave speaker", "net/dave none", "net/david speaker", "net/david none"]);
    dave.close();
  });

  it("are one person's under all nicks of an account", async () => {
    irc = await IrcServer.start({ accounts: { carol: "secret" } });
    carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    const phone = await IrcTestClient.connect({ port: irc.port, nick: "phone" });
    await carol.join("#room");
    await phone.join("#room");
    for (const nick of ["carol", "phone"]) irc.setAccount(nick, "carol");
    await startBridge();
    irc.setModes("#room", "+v", "phone");
    irc.setModes("#room", "-o", "carol");
    irc.kick("#room", "phone", "out");
    await bridge.core.until("all of it", () => ranks().length === 4);
    expect(ranks()).toEqual([
      "net/$carol moderator and nobody else",
      "net/$carol moderator",
      "net/$carol speaker",
      "net/$carol none",
    ]);
    phone.close();
  });

  it("of puppets are those of their Matrix users, and the bot's own is nobody's", async () => {
    await start();
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    irc.setModes("#room", "+ov", "trestle", "Alice[m]");
    await bridge.core.until("the voice", () => ranks().length === 2);
    expect(ranks()[1]).toBe("@alice:example.org speaker");
  });

  it("survive a restart of the bridge", async () => {
    await start({ ranks: "qaohv" }, "keep");
    irc.setModes("#room", "+v", "carol");
    await done();
    const { core } = bridge;
    await bridge.close();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core });
    await bridge.ready();
    irc.setModes("#room", "-o", "carol");
    await core.until("the voice below", () => ranks().at(-1) === "net/carol speaker");
  });
});

describe("a power level that became a rank", () => {
  it("is given by the bot, where it may, and taken again", async () => {
    await start({ ranks: "qaohv" });
    irc.setModes("#room", "+qo", "trestle", "trestle");
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    expect(await rank({ userId: alice, name: "Alice" }, "admin")).toEqual({});
    expect(await rank({ userId: alice, name: "Alice" }, "speaker", "admin")).toEqual({});
    expect(await rank({ remote: RemoteUserId("net/carol") }, "none", "moderator")).toEqual({});
    const modes = irc.linesFrom("trestle").filter((line) => line.startsWith("MODE #room "));
    expect(modes).toEqual(["MODE #room +a :Alice[m]", "MODE #room +v-a Alice[m] :Alice[m]", "MODE #room -o :carol"]);
  });

  it("is the next lower one where the server has no such rank", async () => {
    await start({ ranks: "ov" });
    irc.setModes("#room", "+o", "trestle");
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    await rank({ userId: alice, name: "Alice" }, "owner");
    await rank({ userId: alice, name: "Alice" }, "helper", "owner");
    const modes = irc.linesFrom("trestle").filter((line) => line.startsWith("MODE #room "));
    expect(modes).toEqual(["MODE #room +o :Alice[m]", "MODE #room +v-o Alice[m] :Alice[m]"]);
  });

  it("waits for a client that is not there yet, also over a restart", async () => {
    await start({}, "keep");
    irc.setModes("#room", "+o", "trestle");
    expect(await rank({ userId: alice, name: "Alice" }, "moderator")).toBeUndefined();
    const { core } = bridge;
    await bridge.close();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core });
    await bridge.ready();
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    await core.until("her rank", () => ranks().includes("@alice:example.org moderator"));
  });

  it("is refused in words where the bot is no operator, and where nobody is there by that name", async () => {
    await start();
    const failed = await rank({ remote: RemoteUserId("net/carol") }, "none", "moderator");
    expect(failed).toEqual({ failed: "permanent", reason: expect.stringMatching(/#room.*operator/i) });
    expect(await rank({ remote: RemoteUserId("net/nobody") }, "moderator")).toEqual({
      failed: "permanent",
      reason: "net/nobody is not in #room",
    });
  });
});

describe("how a channel is set", () => {
  it("is told when the bot comes, and when it changes", async () => {
    irc = await IrcServer.start();
    carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    await carol.join("#room");
    irc.setModes("#room", "+s");
    await startBridge();
    await bridge.core.until("the modes", () => settings().length === 1);
    expect(settings()[0]).toMatchObject({ secret: true, moderated: false, inviteOnly: false, keyed: false });
    irc.setModes("#room", "+mik-s", "sesame");
    irc.setModes("#room", "-t");
    await bridge.core.until("the changes", () => settings().length === 3);
    expect(settings().slice(1)).toEqual([
      { moderated: true, inviteOnly: true, keyed: true, secret: false },
      { topicLocked: false },
    ]);
  });

  it("is changed for Matrix where the bot may", async () => {
    await start();
    const set = (wanted: object) => settle(() => bridge.handlers.settings?.({ ...effectOf(), settings: wanted }));
    expect(await set({ moderated: true })).toMatchObject({ failed: "permanent" });
    irc.setModes("#room", "+o", "trestle");
    expect(await set({ moderated: true, inviteOnly: true, topicLocked: false })).toEqual({});
    expect(await set({ inviteOnly: false })).toEqual({});
    expect(irc.channel("#room").modes).toMatch(/m/);
    expect(irc.channel("#room").modes).not.toMatch(/[it]/);
  });
});

describe("a room that lets the members of other rooms in", () => {
  const set = (wanted: object) => settle(() => bridge.handlers.settings?.({ ...effectOf(), settings: wanted }));
  const notices = () =>
    bridge.core.received.flatMap((event) => (event.kind === "channel" && event.notice ? [event.notice] : []));

  it("has a channel with a key, which is told there, kept, used, and taken away when the room opens", async () => {
    await start({ limits: { key: 12 } }, "keep");
    irc.setModes("#room", "+oi", "trestle");
    await done();
    const before = settings().length;
    expect(await set({ inviteOnly: true, keyed: true, secret: true })).toEqual({});
    const line = irc.linesFrom("trestle").find((each) => each.startsWith("MODE #room -i"));
    const key = /^MODE #room -i\+s\+k :([a-z2-9]{12})$/.exec(line ?? "")?.[1] ?? "no key";
    await bridge.core.until("the notice", () => notices().length > 0);
    expect(notices()).toEqual([expect.stringContaining(`#room has a key now: ${key}`)]);
    // What Matrix has decided is no news there.
    await done();
    expect(settings()).toHaveLength(before);
    expect(bridge.core.stored.get("key:net/#room")).toBe(key);
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    expect(irc.channel("#room").log.at(-1)).toMatchObject({ from: "Alice[m]" });
    // It has one: another would keep those out who know it.
    expect(await set({ inviteOnly: true, keyed: true })).toEqual({});
    expect(bridge.core.stored.get("key:net/#room")).toBe(key);
    const { core } = bridge;
    await bridge.close();
    core.statuses.clear();
    bridge = await RunningBridge.start({ networks: [networkOn(irc.port)], core, config: { onStop: "quit" } });
    await bridge.ready();
    expect(await set({ inviteOnly: false, keyed: false, secret: false })).toEqual({});
    expect(irc.channel("#room").modes).not.toMatch(/^\S*[iks]/);
    expect(bridge.core.stored.has("key:net/#room")).toBe(false);
  });

  it("leaves a channel without a key alone when it opens, and says why where the bot may not", async () => {
    await start();
    expect(await set({ keyed: false })).toBeUndefined();
    expect(await set({ keyed: true, inviteOnly: true })).toMatchObject({ failed: "permanent" });
    expect(irc.channel("#room").modes).not.toMatch(/k/);
    expect(bridge.core.stored.has("key:net/#room")).toBe(false);
  });
});

describe("what operators do to puppets", () => {
  it("kick, ban and unban is done to their Matrix users; not what Matrix did itself", async () => {
    await start();
    irc.setModes("#room", "+o", "trestle");
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    carol.raw("MODE #room +b alice[m]!*@*");
    carol.raw("KICK #room Alice[m] :spam");
    carol.raw("MODE #room -b alice[m]!*@*");
    await bridge.core.until("all three", () => expulsions().length === 3);
    expect(expulsions().map(({ change, userId, by, reason }) => [change, userId, by?.name, reason])).toEqual([
      ["ban", alice, "carol", undefined],
      ["kick", alice, "carol", "spam"],
      ["unban", alice, "carol", undefined],
    ]);
  });

  it("a ban that hits the bot or several of them is the bridge's, not theirs", async () => {
    await start();
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    await bridge.say({ channel: place, text: "hello", name: "Bob", user: "@bob:example.org" });
    for (const mask of ["*[m]!*@*", "*!*@*", "m:Alice[m]!*@*", "nobody!*@*"]) irc.setModes("#room", "+b", mask);
    await done();
    expect(expulsions()).toEqual([]);
  });

  it("a ban of an account is one of who is signed in to it", async () => {
    irc = await IrcServer.start({ accounts: { alice: "secret" } });
    carol = await IrcTestClient.connect({ port: irc.port, nick: "carol" });
    await carol.join("#room");
    await startBridge();
    await bridge.say({ channel: place, text: "hello", name: "Alice" });
    irc.setModes("#room", "+b", "R:alice");
    await done();
    expect(expulsions()).toEqual([]);
  });
});
