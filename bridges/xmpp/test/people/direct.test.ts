import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import type { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

const USERS = ["bob", "carol"];

await onEachServer("people on $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let begun: StageWithBob;
  let bob: XmppPerson;
  let stage: PeopleStage;
  let users = 0;

  beforeAll(async () => {
    begun = await stageWithBob(install, start);
    ({ server, stage, bob } = begun);
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  /** A Matrix user whom nobody knows yet. */
  const somebody = () => stage.homeserver.createClient(`user${++users}`);
  /** A conversation that bob began. */
  async function conversation() {
    const alice = somebody();
    const address = stage.addressOf(alice);
    await bob.say(address, "begin");
    const room = await stage.directRoom(alice, "bob@localhost");
    await alice.join(room);
    await stage.hears(room, "begin");
    return { alice, address, room };
  }
  const bobSees = (body: string) => bob.sees(body, (stanza) => stanza.body === body);

  describe("a message to the address of a Matrix user", () => {
    it("opens a direct room with them, in which answers go back", async () => {
      const alice = somebody();
      const address = stage.addressOf(alice);
      await bob.say(address, "hello alice");
      const room = await stage.directRoom(alice, "bob@localhost");
      const said = await stage.hears(room, "hello alice");
      expect(said.sender).toBe(stage.ghostOf("bob@localhost"));
      expect(stage.homeserver.room(room).members()[alice.userId]).toBe("invite");
      await alice.join(room);
      await alice.sendHtml(room, "hello *bob*", "hello <b>bob</b>");
      const answer = await bobSees("hello *bob*");
      expect(answer.from).toBe(`${address}/matrix`);
      expect(answer.type).toBe("chat");
    });

    it("comes in order, everything of a conversation, from the first message on", async () => {
      const alice = somebody();
      const address = stage.addressOf(alice);
      const texts = Array.from({ length: 30 }, (_, index) => `line ${index}`);
      for (const text of texts) await bob.say(address, text);
      const room = await stage.directRoom(alice, "bob@localhost");
      await stage.hears(room, "line 29");
      expect(stage.bodies(room)).toEqual(texts);
      await alice.join(room);
      for (const text of texts) await alice.sendText(room, `re ${text}`);
      await bobSees("re line 29");
      const answers = bob.seen.filter(({ from }) => from === `${address}/matrix`).flatMap(({ body }) => body ?? []);
      expect(answers).toEqual(texts.map((text) => `re ${text}`));
    });

    it("is taken once, though a client sends it again under its id", async () => {
      const { address, room } = await conversation();
      for (const _ of [1, 2]) await bob.say(address, "only once", { id: "the-same-id-again" });
      await bob.say(address, "the next");
      await stage.hears(room, "the next");
      expect(stage.bodies(room)).toEqual(["begin", "only once", "the next"]);
    });

    it("is not lost though a client counts its ids from the start again", async () => {
      const { address, room } = await conversation();
      for (const text of ["one", "another"]) await bob.say(address, text, { id: "1" });
      await stage.hears(room, "another");
      expect(stage.bodies(room)).toEqual(["begin", "one", "another"]);
    });

    it("is acknowledged when it is on disk, where the client asks for it", async () => {
      const { address, room } = await conversation();
      await bob.raw(
        `<message to="${address}" type="chat" id="with-receipt"><body>got it?</body><request xmlns="urn:xmpp:receipts"/></message>`,
      );
      const receipt = await bob.sees("a receipt", ({ xml }) => /received[^>]*id="with-receipt"/.test(xml));
      expect(receipt.body).toBeNull();
      await stage.hears(room, "got it?");
    });

    it("gets a new room when the Matrix user has left the old one", async () => {
      const { alice, address, room } = await conversation();
      await alice.leave(room);
      await expectUnlinked(room);
      await bob.say(address, "are you there?");
      const next = await stage.directRoom(alice, "bob@localhost");
      expect(next).not.toBe(room);
      await stage.hears(next, "are you there?");
    });
  });

  describe("a message to an address behind which nobody on Matrix is", () => {
    it("comes back, and says why", async () => {
      const rooms = stage.homeserver.roomIds().length;
      const told = async (address: string, id: string) => {
        await bob.say(address, "anybody?", { id });
        return (await bob.sees("the error", (stanza) => stanza.id === id && stanza.type === "error")).xml;
      };
      const { component } = server;
      expect(await told(`nobody-here_people.test@${component}`, "to-nobody")).toContain("There is no @nobody-here:");
      const ghost = await told(`xmpp_carol=40localhost_people.test@${component}`, "to-a-ghost");
      expect(ghost).toContain("carol@localhost, who is on XMPP");
      expect(ghost).toContain("redirect");
      expect(await told(`xmppbot_people.test@${component}`, "to-the-bot")).toContain("nobody has this address");
      expect(stage.homeserver.roomIds()).toHaveLength(rooms);
    });
  });

  async function expectUnlinked(room: string): Promise<void> {
    await until(10_000, "the link is gone", async () =>
      (await stage.trestle.services.list()).some((link) => link.room === room) ? undefined : true,
    );
  }

  describe("a Matrix user who invites the ghost of somebody", () => {
    it("talks to them alone", async () => {
      const alice = somebody();
      const room = await alice.createRoom({
        invite: [stage.ghostOf("bob@localhost")],
        is_direct: true,
        preset: "trusted_private_chat",
      });
      expect(await stage.directRoom(alice, "bob@localhost")).toBe(room);
      await alice.sendText(room, "hello stranger");
      const heard = await bobSees("hello stranger");
      await bob.say(heard.from ?? "", "hello yourself");
      const answer = await stage.hears(room, "hello yourself");
      expect(answer.sender).toBe(stage.ghostOf("bob@localhost"));
    });

    it("is told when there is no such account", async () => {
      const alice = somebody();
      const room = await alice.createRoom({ invite: [stage.ghostOf("nobody@localhost")], is_direct: true });
      await stage.directRoom(alice, "nobody@localhost");
      await alice.invite(room, "@xmppbot:people.test");
      await alice.sendText(room, "is anybody there?");
      await stage.sees(room, "why it was not delivered", ({ content }) =>
        /nobody@localhost did not get the message/.test(String(content["body"])),
      );
    });
  });

  describe("what is about a message", () => {
    it("is brought to XMPP: correction, reply, reactions, retraction", async () => {
      const { alice, room } = await conversation();
      const event = await alice.sendText(room, "helo");
      const sent = await bobSees("helo");
      await alice.edit(room, event, "hello there");
      const corrected = await bobSees("hello there");
      expect(corrected.xml).toContain(`id="${sent.id}"`);
      expect(corrected.xml).toContain("urn:xmpp:message-correct:0");
      const begin = stage.timeline(room)[0]?.id ?? "";
      await alice.reply(room, begin, "an answer");
      const reply = await bob.sees("the answer", ({ body }) => body?.endsWith("an answer") === true);
      expect(reply.xml).toContain("urn:xmpp:reply:0");
      expect(reply.body).toMatch(/^> bob: begin\n/);
      const thumb = await alice.react(room, begin, "👍");
      await alice.react(room, begin, "🎉");
      const both = await bob.sees("both reactions", ({ xml }) => xml.includes("👍") && xml.includes("🎉"));
      expect(both.xml).toContain("urn:xmpp:reactions:0");
      await alice.redact(room, thumb);
      await bob.sees("one reaction", ({ xml }) => !xml.includes("👍") && xml.includes("🎉"));
      await alice.redact(room, event);
      const retracted = await bob.sees("a retraction", ({ xml }) => xml.includes("urn:xmpp:message-retract:1"));
      expect(retracted.xml).toContain(`id="${sent.id}"`);
    });

    it("is brought to Matrix: correction, reply, reactions, retraction", async () => {
      const { address, alice, room } = await conversation();
      const event = await alice.sendText(room, "what I said");
      const { id } = await bobSees("what I said");
      await bob.say(address, "helo", { id: "message-one" });
      const said = await stage.hears(room, "helo");
      const send = (stanzaId: string, content: string) =>
        bob.raw(`<message to="${address}" type="chat" id="${stanzaId}">${content}</message>`);
      await send(
        "correction-one",
        `<body>hello *you*</body><replace xmlns="urn:xmpp:message-correct:0" id="message-one"/>`,
      );
      const edit = await stage.sees(room, "an edit", ({ content }) => "m.new_content" in content);
      expect(edit.content).toMatchObject({
        "m.relates_to": { rel_type: "m.replace", event_id: said.id },
        "m.new_content": { formatted_body: expect.stringContaining("<strong>you</strong>") },
      });
      // The correction of a correction, by a client that names the last and not the first.
      await send(
        "correction-two",
        `<body>hello everybody</body><replace xmlns="urn:xmpp:message-correct:0" id="correction-one"/>`,
      );
      const again = await stage.sees(room, "the second edit", ({ content }) =>
        /everybody/.test(String(content["body"])),
      );
      expect(again.content).toMatchObject({ "m.relates_to": { event_id: said.id } });
      await send(
        "reply-one",
        `<body>&gt; what I said\nindeed</body><reply xmlns="urn:xmpp:reply:0" id="${id ?? ""}" to="${address}"/><fallback xmlns="urn:xmpp:fallback:0" for="urn:xmpp:reply:0"><body start="0" end="14"/></fallback>`,
      );
      const reply = await stage.hears(room, "indeed");
      expect(reply.content).toMatchObject({ "m.relates_to": { "m.in_reply_to": { event_id: event } } });
      const reactions = (keys: string) =>
        `<reactions xmlns="urn:xmpp:reactions:0" id="${id ?? ""}">${keys}</reactions>`;
      await send("reaction-one", reactions("<reaction>👍</reaction><reaction>🎉</reaction>"));
      const thumb = await stage.sees(
        room,
        "a reaction",
        ({ content }) => JSON.stringify(content).includes("👍"),
        "m.reaction",
      );
      expect(thumb.content).toMatchObject({ "m.relates_to": { event_id: event } });
      await send("reaction-two", reactions("<reaction>🎉</reaction>"));
      await stage.sees(
        room,
        "the reaction gone",
        ({ content: { redacts } }) => redacts === thumb.id,
        "m.room.redaction",
      );
      await send("retraction-one", `<retract xmlns="urn:xmpp:message-retract:1" id="message-one"/>`);
      await stage.sees(room, "a redaction", ({ content: { redacts } }) => redacts === said.id, "m.room.redaction");
    });

    it("takes back nothing that somebody else said", async () => {
      const { address, alice, room } = await conversation();
      const event = await alice.sendText(room, "mine alone");
      const { id } = await bobSees("mine alone");
      await bob.raw(
        `<message to="${address}" type="chat" id="evil-one"><retract xmlns="urn:xmpp:message-retract:1" id="${id ?? ""}"/></message>`,
      );
      await bob.raw(
        `<message to="${address}" type="chat" id="evil-two"><body>never said</body><replace xmlns="urn:xmpp:message-correct:0" id="${id ?? ""}"/></message>`,
      );
      await bob.say(address, "after it");
      await stage.hears(room, "after it");
      expect(stage.timeline(room, "m.room.redaction")).toEqual([]);
      const [forged] = stage.timeline(room).filter(({ content }) => /never said/.test(String(content["body"])));
      expect(forged?.sender).toBe(stage.ghostOf("bob@localhost"));
      expect(forged?.content).not.toHaveProperty("m.new_content");
      expect(await alice.event(room, event)).toMatchObject({ content: { body: "mine alone" } });
    });
  });

  // matrix-bifrost put a Matrix user's HTML into the stream as it was, and one U+0001 disconnected the component.
  it("says whatever a Matrix user writes as text and nothing else, and stays connected", async () => {
    const { address, alice, room } = await conversation();
    const evil = `</body></message><message to="carol@localhost"><body>injected`;
    const before = stage.spy.connections;
    await alice.sendHtml(room, evil, `${evil}<script>alert(1)</script><img src="mxc://a/b">`);
    await alice.sendText(room, evil);
    await alice.sendText(room, "a\u0001b\ufffec");
    await alice.sendText(room, "/me is not acting");
    await alice.sendText(room, "the end");
    await bob.sees("the end", ({ from, body }) => from === `${address}/matrix` && body === "the end");
    const bodies = bob.seen.flatMap(({ from, body }) => (from === `${address}/matrix` ? (body ?? []) : []));
    expect(bodies).toHaveLength(5);
    expect(bodies[0]).toContain("injected");
    expect(bodies[1]).toBe(evil);
    expect(bodies[2]).toMatch(/^a.?b.?c$/u);
    expect(bodies[3]).not.toMatch(/^\/me /);
    expect(bob.seen.some(({ body }) => body === "injected")).toBe(false);
    expect(stage.spy.connections).toBe(before);
  });

  // matrix-bifrost made a correction of every event that relates to another one.
  it("does not take an answer in a thread for a correction", async () => {
    const { address, alice, room } = await conversation();
    const begin = stage.timeline(room)[0]?.id ?? "";
    await alice.thread(room, begin, "in a thread");
    const heard = await bob.sees("the answer", ({ from, body }) => {
      return from === `${address}/matrix` && body?.endsWith("in a thread") === true;
    });
    expect(heard.xml).not.toContain("urn:xmpp:message-correct:0");
  });

  it("tells both sides that an encrypted message cannot be read", async () => {
    const { address, room } = await conversation();
    await bob.raw(
      `<message to="${address}" type="chat" id="secret-one"><encrypted xmlns="eu.siacs.conversations.axolotl"><header sid="1"/></encrypted><body>I sent you an OMEMO message</body></message>`,
    );
    await bob.sees("an error", ({ id, type }) => id === "secret-one" && type === "error");
    await stage.sees(room, "that there was one", ({ content }) => /OMEMO/.test(String(content["body"])));
  });

  it("tells who is typing, both ways", async () => {
    const { address, alice, room } = await conversation();
    const states = "http://jabber.org/protocol/chatstates";
    await bob.raw(`<message to="${address}" type="chat"><composing xmlns="${states}"/></message>`);
    const typing = () => stage.homeserver.room(room).typing().includes(stage.ghostOf("bob@localhost"));
    await until(10_000, "bob typing", () => (typing() ? true : undefined));
    await bob.raw(
      `<message to="${address}" type="chat" id="typed"><body>typed</body><active xmlns="${states}"/></message>`,
    );
    await until(10_000, "bob no longer typing", () => (typing() ? undefined : true));
    await stage.hears(room, "typed");
    await alice.setTyping(room, true);
    await bob.sees("composing", ({ from, xml }) => from === `${address}/matrix` && xml.includes("composing"));
    await alice.setTyping(room, false);
    await bob.sees("paused", ({ from, xml }) => from === `${address}/matrix` && xml.includes("paused"));
  });

  it("marks as read on XMPP what was read on Matrix, where the client wants to know", async () => {
    const { address, alice, room } = await conversation();
    await bob.raw(
      `<message to="${address}" type="chat" id="read-me"><body>read me</body><markable xmlns="urn:xmpp:chat-markers:0"/></message>`,
    );
    const { id } = await stage.hears(room, "read me");
    await alice.sendReceipt(room, id);
    await bob.sees("a marker", ({ xml }) => /displayed[^>]*id="read-me"/.test(xml));
  });

  it("goes on where it was after the connection was cut", async () => {
    const { address, alice, room } = await conversation();
    stage.spy.refuse();
    for (const index of [1, 2, 3]) await alice.sendText(room, `while away ${index}`);
    stage.spy.admit();
    await bobSees("while away 3");
    await bob.say(address, "welcome back");
    await stage.hears(room, "welcome back");
    const heard = bob.seen.filter(
      ({ from, body }) => from === `${address}/matrix` && body?.startsWith("while") === true,
    );
    expect(heard.map(({ body }) => body)).toEqual([1, 2, 3].map((index) => `while away ${index}`));
  });
}
