import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { patiently, until } from "../../../../test/support/bounded.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { BOT, WholeBridge } from "./support/whole-bridge.js";

const servers = await realServers("prosody", "slixmpp");

servers.describe("the whole bridge with its gateway", ({ prosody, slixmpp }) => {
  let server: XmppServer;
  let carol: XmppPerson;
  let whole: WholeBridge | undefined;

  beforeAll(async () => {
    server = await startProsody(prosody, { users: ["carol", "dave"] });
    carol = await XmppPerson.connect(slixmpp, server, "carol");
  }, 60_000);
  afterEach(async () => {
    await whole?.close();
    whole = undefined;
  }, 30_000);
  afterAll(async () => {
    await carol.end();
    await server.process.stop();
  }, 60_000);

  /** The component is connected: its domain answers. */
  async function connected(): Promise<void> {
    const disco = '<query xmlns="http://jabber.org/protocol/disco#info"/>';
    for (const end = Date.now() + patiently(15_000); Date.now() < end;)
      if ((await carol.query(server.component, "get", disco)).includes('category="conference"')) return;
    throw new Error("The component does not answer.");
  }

  it("makes a Matrix room one of XMPP where a moderator says so", async () => {
    whole = await WholeBridge.start(server);
    const { alice } = whole;
    const room = await alice.createRoom({ preset: "public_chat", room_alias_name: "trestle", name: "Trestle" });
    await alice.invite(room, BOT);
    await whole.isIn(room, BOT, "join");
    const jid = `#trestle#example.org@${server.component}`;
    await alice.sendText(room, "!xmpp link gateway");
    await whole.saidOnMatrix(room, /linked/i);

    await connected();
    await carol.join(jid, "Carol");
    await carol.say(jid, "hello Matrix", { type: "groupchat" });
    const sender = await whole.saidOnMatrix(room, "hello Matrix");
    expect(sender).toMatch(/^@xmpp_.*carol/);
    await alice.sendText(room, "hello XMPP");
    const seen = await carol.sees("Alice", ({ body }) => body === "hello XMPP");
    expect(seen.from).toBe(`${jid}/alice`);

    await whole.stopTrestle();
    await alice.sendText(room, "you were away");
    await whole.startTrestle();
    await connected();
    await carol.raw(`<presence to="${jid}/Carol"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await carol.sees("what was missed", ({ body }) => body === "you were away");
    await alice.kick(room, sender, "enough");
    const out = await carol.sees(
      "the kick",
      ({ type, xml }) => type === "unavailable" && xml.includes('code="307"') && xml.includes("enough"),
    );
    expect(out.from).toBe(`${jid}/Carol`);
  });

  it("opens a public room for who joins it, where the operator lets them", async () => {
    whole = await WholeBridge.start(server, { rooms: "public" });
    const { alice } = whole;
    const room = await alice.createRoom({ preset: "public_chat", room_alias_name: "open" });
    const jid = `#open#example.org@${server.component}`;
    await connected();
    await carol.join(jid, "Carol");
    await whole.isIn(room, BOT, "join");
    await carol.say(jid, "may I?", { type: "groupchat" });
    const ghost = await whole.saidOnMatrix(room, "may I?");
    await carol.raw(`<presence type="unavailable" to="${jid}/Carol"/>`);
    await whole.isIn(room, ghost, "leave");
  });

  it("passes on invitations, read marks and the picture of a private room", async () => {
    whole = await WholeBridge.start(server);
    const { alice, homeserver } = whole;
    const room = await alice.createRoom({ preset: "private_chat", name: "Private" });
    const picture = await alice.upload(Buffer.from("a picture"), "image/png", "room.png");
    await alice.setState(room, "m.room.avatar", { url: picture });
    await alice.invite(room, BOT);
    await whole.isIn(room, BOT, "join");
    await alice.setPower(room, BOT, 100);
    await alice.sendText(room, "!xmpp link gateway");
    await whole.saidOnMatrix(room, /linked/i);
    await connected();
    const carolsGhost = "@xmpp_carol=40localhost:example.org";
    await alice.invite(room, carolsGhost);
    const invitation = await carol.sees("her invitation", ({ xml }) => xml.includes("<ns1:invite"));
    const jid = invitation.from ?? "";
    expect(invitation.xml).toContain(`from="alice_example.org@${server.component}"`);
    await carol.join(jid, "Carol");
    await whole.isIn(room, carolsGhost, "join");
    await carol.sees("the picture", ({ name, from, xml }) => {
      return name === "presence" && from === jid && /photo>[0-9a-f]{40}</.test(xml);
    });

    const event = await alice.sendText(room, "read this");
    const seen = await carol.sees("it", ({ body }) => body === "read this");
    const id = /stanza-id[^>]* id="([^"]+)"/.exec(seen.xml)?.[1] ?? "";
    await carol.raw(
      `<message to="${jid}" type="groupchat"><displayed xmlns="urn:xmpp:chat-markers:0" id="${id}"/></message>`,
    );
    await until(15_000, "carol's receipt", () =>
      homeserver.room(room).receipt(carolsGhost) === event ? true : undefined,
    );
    await carol.say(jid, "and this", { type: "groupchat" });
    await whole.saidOnMatrix(room, "and this");
    const answer = homeserver
      .room(room)
      .messages()
      .find(({ content }) => (content as { body?: unknown }).body === "and this");
    if (typeof answer?.event_id !== "string") throw new Error("It has no id.");
    await alice.sendReceipt(room, answer.event_id);
    await carol.sees("alice's mark", ({ from, xml }) => from === `${jid}/alice` && xml.includes("displayed"));

    const zoe = homeserver.createClient("zoe");
    await carol.raw(
      `<message to="zoe_example.org@${server.component}"><x xmlns="jabber:x:conference" jid="${jid}" reason="tea"/></message>`,
    );
    await whole.isIn(room, zoe.userId, "invite");
    const dave = await XmppPerson.connect(slixmpp, server, "dave");
    await carol.raw(
      `<message to="${jid}"><x xmlns="http://jabber.org/protocol/muc#user"><invite to="dave@localhost"/></x></message>`,
    );
    await dave.sees("his invitation", ({ from, xml }) => from === jid && xml.includes(`${jid}/Carol`));
    await dave.join(jid, "Dave");
    await whole.isIn(room, "@xmpp_dave=40localhost:example.org", "join");
    await dave.end();
  });
});
