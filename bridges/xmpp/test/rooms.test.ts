import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ChannelId, type RemoteUserId } from "@trestle/core";
import { until } from "../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../test/support/xmpp-person.js";
import { onEachServer } from "./support/each-server.js";
import { effectOf } from "./support/fake-core.js";
import { RunningBridge, type BridgeOptions } from "./support/running-bridge.js";
import { WireSpy } from "./support/wire-spy.js";

const USERS = ["alice", "bob"];

await onEachServer("rooms of $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let spy: WireSpy;
  let alice: XmppPerson;
  let bridge: RunningBridge | undefined;
  let rooms = 0;

  beforeAll(async () => {
    server = await start();
    spy = await WireSpy.before(server.componentPort);
    alice = await XmppPerson.connect(install, server, "alice");
  }, 60_000);
  afterEach(async () => {
    spy.admit();
    await bridge?.close();
    bridge = undefined;
  });
  afterAll(async () => {
    await alice.end();
    await spy.stop();
    await server.process.stop();
  }, 60_000);

  /** A room that alice has made. */
  async function aRoom(): Promise<ChannelId> {
    const room = ChannelId(`room${++rooms}@${server.rooms}`);
    await alice.join(room, "alice");
    return room;
  }
  async function bridged(room: ChannelId, more: Partial<BridgeOptions> = {}): Promise<RunningBridge> {
    bridge = await RunningBridge.start({ server, port: spy.port, rooms: [room], ...more });
    return bridge.ready();
  }
  const said = (room: string, body: string) =>
    alice.sees(body, (stanza) => stanza.body === body && stanza.from?.startsWith(room) === true);

  it("carries what is said both ways, by an occupant for each Matrix user", async () => {
    const room = await aRoom();
    const { core, ...running } = await bridged(room);
    await alice.say(room, "hello Matrix", { type: "groupchat" });
    await core.until("alice's message", () => core.texts(room).includes("hello Matrix"));
    const [message] = core.messages(room);
    expect(message?.sender.name).toBe("alice");
    const outcome = await bridge?.say({ channel: room, text: "hello XMPP", user: "@bob:example.org", name: "Bob 🦊" });
    const seen = await said(room, "hello XMPP");
    expect(seen.from).toBe(`${room}/Bob`);
    // What edits and reactions will point to is the room's own id.
    expect(seen.xml).toContain(`id="${String((outcome as { id?: string }).id)}"`);
    await bridge?.say({ channel: room, text: "waves", style: "emote", user: "@bob:example.org", name: "Bob" });
    await said(room, "/me waves");
    await alice.say(room, "/me waves back", { type: "groupchat" });
    await core.until("alice's wave", () => core.texts(room).includes("waves back"));
    expect(core.texts(room)).toEqual(["hello Matrix", "waves back"]);
    expect(running).toBeDefined();
  });

  it("speaks for all where it is told to", async () => {
    const room = await aRoom();
    await bridged(room, { config: { ghosts: false } });
    await bridge?.say({ channel: room, text: "hi", name: "Bob" });
    expect((await said(room, "<Bob> hi")).from).toBe(`${room}/Matrix`);
  });

  it("takes another nick where one is taken", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    await bridge?.say({ channel: room, text: "I am not she", name: "alice" });
    expect((await said(room, "I am not she")).from).toBe(`${room}/alice[m]`);
    await bridge?.say({ channel: room, text: "again", name: "alice" });
    const notices = core.done.flatMap((event) => (event.kind === "channel" ? [event.notice] : []));
    expect(notices).toEqual([expect.stringContaining("alice is called alice[m]")]);
  });

  it("knows a person again under another nick", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    await alice.say(room, "one", { type: "groupchat" });
    await alice.raw(`<presence to="${room}/alicia"/>`);
    await alice.sees("the new nick", ({ name, from }) => name === "presence" && from === `${room}/alicia`);
    await alice.say(room, "two", { type: "groupchat" });
    await core.until("both", () => core.texts(room).includes("two"));
    const [one, two] = core.messages(room);
    expect([one?.sender.name, two?.sender.name]).toEqual(["alice", "alicia"]);
    const id: RemoteUserId | undefined = one?.sender.id;
    expect(two?.sender.id).toBe(id);
    // Of the two only Prosody 0.12 has ids of occupants (XEP-0421), so that they are the same when the bridge comes back.
    expect(id?.startsWith(server.name === "Prosody" ? "occupant:" : "nick:")).toBe(true);
  });

  it("takes from the archive exactly what was said while it was away, in order", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    await alice.say(room, "before", { type: "groupchat" });
    await core.until("the first", () => core.texts(room).includes("before"));
    await bridge?.say({ channel: room, text: "from Matrix" });
    for (let round = 0; round < 3; round++) {
      spy.refuse();
      await core.until("the loss noticed", () => core.statuses.get(server.component)?.state === "waiting");
      for (let number = 0; number < 5; number++)
        await alice.say(room, `away ${round}.${number}`, { type: "groupchat" });
      spy.admit();
      await core.until("what was missed", () => core.texts(room).includes(`away ${round}.4`));
      await alice.say(room, `live ${round}`, { type: "groupchat" });
      await core.until("what is live", () => core.texts(room).includes(`live ${round}`));
    }
    const missed = [0, 1, 2].flatMap((round) => [...[0, 1, 2, 3, 4].map((n) => `away ${round}.${n}`), `live ${round}`]);
    expect(core.texts(room)).toEqual(["before", ...missed]);
  });

  it("takes more than a page from the archive, while people go on talking, after a new start", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    await alice.say(room, "before", { type: "groupchat" });
    await core.until("the first", () => core.texts(room).includes("before"));
    await bridge?.close();
    const texts = Array.from({ length: 260 }, (_, number) => `t${number}`);
    for (const text of texts.slice(0, 230)) await alice.say(room, text, { type: "groupchat" });
    await said(room, "t229");
    bridge = await RunningBridge.start({ server, rooms: [room], core, tuning: { rooms: { maxBuffered: 5 } } });
    for (const text of texts.slice(230)) await alice.say(room, text, { type: "groupchat" });
    await core.until("all", () => core.texts(room).includes("t259"));
    expect(core.texts(room)).toEqual(["before", ...texts]);
  }, 60_000);

  it("misses nothing of a room in which nothing was said yet when it went away", async () => {
    const room = await aRoom();
    await alice.say(room, "before the link", { type: "groupchat" });
    const { core } = await bridged(room);
    await bridge?.close();
    await alice.say(room, "while away", { type: "groupchat" });
    await said(room, "while away");
    bridge = await RunningBridge.start({ server, rooms: [room], core });
    await core.until("it", () => core.texts(room).length > 0);
    expect(core.texts(room)).toEqual(["while away"]);
  });

  it("delivers each message once and in order while the connection is cut again and again", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    const texts = Array.from({ length: 120 }, (_, number) => `out ${number}`);
    const progress = { delivered: false };
    const sending = (async () => {
      for (const [number, text] of texts.entries())
        await bridge?.say({ channel: room, text, user: `@u${number % 3}:example.org` });
      progress.delivered = true;
    })();
    const answers: string[] = [];
    const shown = () =>
      alice.seen.filter(({ from, body }) => from?.startsWith(room) === true && body?.startsWith("out ") === true);
    let cuts = 0;
    while (!progress.delivered) {
      const before = shown().length;
      await alice.say(room, `in ${answers.length}`, { type: "groupchat" });
      answers.push(`in ${answers.length}`);
      await until(60_000, "progress", () => (shown().length >= before + 10 || progress.delivered ? true : undefined));
      spy.cut();
      cuts += 1;
    }
    await sending;
    expect(cuts).toBeGreaterThan(2);
    await said(room, texts.at(-1) ?? "");
    const seen = alice.seen.filter(
      ({ type, from, body }) =>
        type === "groupchat" && from?.startsWith(room) === true && body?.startsWith("out ") === true,
    );
    expect(seen.map(({ body }) => body)).toEqual(texts);
    await core.until("all answers", () => core.texts(room).includes(answers.at(-1) ?? ""));
    expect(core.texts(room)).toEqual(answers);
  }, 120_000);

  it("takes again what the disk refused", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    let refusals = 3;
    core.beforeReceive = async (event) => {
      if (event.kind === "message" && refusals-- > 0) throw new Error("the disk is full");
    };
    for (const text of ["one", "two", "three"]) await alice.say(room, text, { type: "groupchat" });
    await core.until("all", () => core.texts(room).includes("three"));
    expect(core.texts(room)).toEqual(["one", "two", "three"]);
  });

  it("finds what it has sent in the archive", async () => {
    const room = await aRoom();
    await bridged(room);
    const effect = effectOf({ channel: room, text: "sent before the crash" });
    const sent = await bridge?.handlers.message(effect);
    await bridge?.close();
    await bridged(room);
    expect(await bridge?.handlers.findSent?.({ ...effect, maybeSent: true })).toEqual(sent);
    expect(await bridge?.handlers.findSent?.(effectOf({ channel: room, text: "never sent" }))).toBeNull();
    // It was said by the bridge: Matrix has it already.
    expect(bridge?.core.texts(room)).toEqual([]);
  });

  it("enters again where it was removed", async () => {
    const room = await aRoom();
    await bridged(room);
    await bridge?.say({ channel: room, text: "first", name: "Bob" });
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="Matrix" role="none"/></query>`,
    );
    await alice.sees("the bridge removed", ({ xml, from }) => from === `${room}/Matrix` && xml.includes("307"));
    await bridge?.say({ channel: room, text: "second", name: "Bob" });
    await said(room, "second");
    await bridge?.ready();
    await alice.say(room, "third", { type: "groupchat" });
    await bridge?.core.until("the third", () => bridge?.core.texts(room).includes("third") === true);
  });

  it("shows who comes to the Matrix room, who is renamed and who leaves", async () => {
    const room = await aRoom();
    const { handlers } = await bridged(room);
    const { content: _, ...effect } = effectOf({ channel: room, text: "", name: "Dora" });
    const { userId } = effect.author;
    const shows = (nick: string, type: string | null) =>
      alice.sees(
        `${nick} ${type ?? "there"}`,
        (stanza) => stanza.name === "presence" && stanza.from === `${room}/${nick}` && stanza.type === type,
      );
    expect(await handlers.membership?.({ ...effect, change: "join", who: { userId, name: "Dora" } })).toBeUndefined();
    await shows("Dora", null);
    expect(
      await handlers.membership?.({ ...effect, change: "rename", who: { userId, name: "Theodora" } }),
    ).toBeUndefined();
    await shows("Theodora", null);
    // A restart brings her back without a word of hers.
    const { core } = bridge!;
    await bridge?.close();
    await shows("Theodora", "unavailable");
    alice.seen.length = 0;
    bridge = await RunningBridge.start({ server, rooms: [room], core });
    await shows("Theodora", null);
    expect(
      await bridge.handlers.membership?.({ ...effect, change: "leave", who: { userId, name: "Theodora" } }),
    ).toBeUndefined();
    await shows("Theodora", "unavailable");
  });

  it("removes somebody who was removed from the Matrix room", async () => {
    const room = await aRoom();
    const { core, handlers } = await bridged(room);
    // Who made the room is its owner: the bridge must be an admin to remove others.
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item jid="bridge@${server.component}" affiliation="admin"/></query>`,
    );
    const bob = await XmppPerson.connect(install, server, "bob");
    try {
      await bob.join(room, "bob");
      await bob.say(room, "spam", { type: "groupchat" });
      await core.until("it", () => core.texts(room).includes("spam"));
      const { id } = core.messages(room)[0]!.sender;
      const { content: _, ...effect } = effectOf({ channel: room, text: "" });
      expect(
        await handlers.membership?.({ ...effect, change: "kick", who: { remote: id }, reason: "spam" }),
      ).toBeUndefined();
      await bob.sees("the removal", ({ xml }) => xml.includes("307") && xml.includes("spam"));
    } finally {
      await bob.end();
    }
  });

  it("notices that a room has lost it without a word, and what it missed by that", async () => {
    const room = await aRoom();
    const { core } = await bridged(room, { tuning: { rooms: { selfPingMs: 300 } } });
    await alice.say(room, "before", { type: "groupchat" });
    await core.until("the first", () => core.texts(room).includes("before"));
    spy.deafen();
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="Matrix" role="none"/></query>`,
    );
    await alice.sees("the removal", ({ xml, from }) => from === `${room}/Matrix` && xml.includes("307"));
    await alice.say(room, "unheard", { type: "groupchat" });
    await said(room, "unheard");
    spy.hear();
    await core.until("what was missed", () => core.texts(room).includes("unheard"));
    expect(core.texts(room)).toEqual(["before", "unheard"]);
  });

  it("says why somebody may not speak", async () => {
    const room = await aRoom();
    await bridged(room);
    await bridge?.say({ channel: room, text: "first", name: "Bob" });
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="Bob" role="visitor"/></query>`,
    );
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field><field var="muc#roomconfig_moderatedroom"><value>1</value></field></x></query>`,
    );
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="Bob" role="visitor"/></query>`,
    );
    expect(await bridge?.say({ channel: room, text: "psst", name: "Bob" })).toMatchObject({
      failed: "permanent",
      reason: expect.stringContaining("may not speak"),
    });
  });

  it("carries the subject both ways, once", async () => {
    const room = await aRoom();
    const { core, handlers } = await bridged(room);
    await alice.raw(`<message to="${room}" type="groupchat"><subject>tea</subject></message>`);
    const topics = () => core.done.flatMap((event) => (event.kind === "channel" ? [event.topic] : []));
    await core.until("the subject", () => topics().length > 0);
    expect(
      await handlers.topic?.({ ...effectOf({ channel: room, text: "", name: "Bob" }), topic: "coffee" }),
    ).not.toHaveProperty("failed");
    await alice.sees("the new subject", ({ subject, from }) => subject === "coffee" && from === `${room}/Bob`);
    spy.cut();
    await alice.say(room, "after the cut", { type: "groupchat" });
    await core.until("the message after", () => core.texts(room).includes("after the cut"));
    expect(topics()).toEqual(["tea"]);
  });

  it("tells who left while nobody looked", async () => {
    const room = await aRoom();
    const { core } = await bridged(room);
    await alice.say(room, "hi", { type: "groupchat" });
    await core.until("her message", () => core.messages(room).length > 0);
    const { id } = core.messages(room)[0]!.sender;
    core.ghosts.add(id);
    await bridge?.close();
    await alice.raw(`<presence type="unavailable" to="${room}/alice"/>`);
    await alice.sees("her leave", ({ type, from }) => type === "unavailable" && from === `${room}/alice`);
    bridge = await RunningBridge.start({ server, rooms: [room], core });
    await core.until("her leave", () => core.received.some((event) => event.kind === "membership"));
    expect(core.done.at(-1)).toMatchObject({ kind: "membership", change: "leave", user: { id } });
  });

  it("leaves with everybody when the link ends, and takes nothing that is said until the next", async () => {
    const room = await aRoom();
    const { core, handlers } = await bridged(room);
    await alice.say(room, "linked", { type: "groupchat" });
    await core.until("it", () => core.texts(room).includes("linked"));
    await bridge?.say({ channel: room, text: "me too", name: "Bob" });
    const [link] = core.links;
    core.links = [];
    await handlers.unlinked?.(link!);
    for (const nick of ["Bob", "Matrix"])
      await alice.sees(`${nick} gone`, ({ type, from }) => type === "unavailable" && from === `${room}/${nick}`);
    expect([...core.stored.keys()].filter((key) => key.includes(room))).toEqual([]);
    await alice.say(room, "among ourselves", { type: "groupchat" });
    await said(room, "among ourselves");
    core.links = [link!];
    await handlers.linked?.(link!);
    await bridge?.ready();
    await alice.say(room, "linked again", { type: "groupchat" });
    await core.until("it", () => core.texts(room).includes("linked again"));
    expect(core.texts(room)).toEqual(["linked", "linked again"]);
  });

  it("makes a room that is not there, open to others", async () => {
    const room = ChannelId(`made${++rooms}@${server.lockedRooms}`);
    await bridged(room);
    await alice.join(room, "alice");
    await alice.say(room, "nice place", { type: "groupchat" });
    await bridge?.core.until("it", () => bridge?.core.texts(room).includes("nice place") === true);
  });

  it("finds rooms by their address", async () => {
    const room = await aRoom();
    const { handlers } = await bridged(room);
    expect(await handlers.resolveChannel?.(`xmpp:${room.toUpperCase().replace("ROOM", "Room")}?join`)).toMatchObject({
      id: room,
    });
    expect(await handlers.resolveChannel?.(`nothing-here@${server.rooms}`)).toBeNull();
    await expect(handlers.resolveChannel?.("no address")).rejects.toThrow("is no address of an XMPP room");
  });

  describe("what is for nobody", () => {
    it("comes back to its sender", async () => {
      const room = await aRoom();
      await bridged(room);
      const id = await alice.say(`nobody@${server.component}`, "psst");
      const back = await alice.sees("the error", (stanza) => stanza.id === id && stanza.type === "error");
      expect(back.xml).toContain("nobody has this address");
      expect(
        await alice.query(`bob_example.org@${server.component}/x`, "get", `<query xmlns="urn:example:nothing"/>`),
      ).toContain("service-unavailable");
      expect(await alice.query(server.component, "get", `<ping xmlns="urn:xmpp:ping"/>`)).toContain('type="result"');
    });
  });
}
