import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
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
    server = await startProsody(prosody, { users: ["carol"] });
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
    for (const end = Date.now() + 15_000; Date.now() < end;)
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
});
