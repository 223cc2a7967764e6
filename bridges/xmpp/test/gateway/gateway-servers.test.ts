import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { RemoteMessageId, RemoteUserId, RoomId, textContent } from "@trestle/core";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { GatewayStage, member, publicRoom } from "./support/gateway-stage.js";
import { onEachServer } from "../support/each-server.js";

const USERS = ["carol", "dave", "erin"];

await onEachServer("rooms of the gateway behind $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let carol: XmppPerson;
  let dave: XmppPerson;
  let stage: GatewayStage;

  beforeAll(async () => {
    server = await start();
    carol = await XmppPerson.connect(install, server, "carol");
    dave = await XmppPerson.connect(install, server, "dave");
  }, 60_000);
  beforeEach(async () => {
    carol.seen.length = 0;
    dave.seen.length = 0;
    const { componentPort: port, component: domain, secret } = server;
    stage = await GatewayStage.open({ port, domain, secret });
  });
  afterEach(async () => {
    await stage.close();
    // What comes late of one test must not be taken for what another waits for.
    for (const person of [carol, dave])
      if (!isOut(person)) await person.sees("the end of the room", () => isOut(person));
  });
  afterAll(async () => {
    await carol.end();
    await dave.end();
    await server.process.stop();
  }, 60_000);

  it("lets people in, shows them who is there, and carries what is said both ways", async () => {
    const room = stage.channel;
    await carol.join(room, "Carol");
    const presences = carol.seen.filter(({ name, from }) => name === "presence" && from?.startsWith(`${room}/`));
    expect(presences.map(({ from }) => from)).toEqual([`${room}/Alice`, `${room}/Bob`, `${room}/Carol`]);
    for (const code of [100, 110, 170]) expect(presences.at(-1)?.xml).toContain(`code="${code}"`);
    await carol.sees("the subject", ({ subject, from }) => subject === "Bridges" && from === room);
    await stage.core.until("her joining", () => stage.core.received.some(({ kind }) => kind === "membership"));

    const id = await stage.say("Bob", "hello XMPP");
    const seen = await carol.sees("Bob", ({ body }) => body === "hello XMPP");
    expect(seen.from).toBe(`${room}/Bob`);
    expect(seen.xml).toContain(`id="${id}"`);

    await dave.join(room, "Dave");
    await carol.say(room, "hello Matrix", { type: "groupchat", id: "mine" });
    const shown = await dave.sees("Carol", ({ body }) => body === "hello Matrix");
    expect([shown.from, shown.id]).toEqual([`${room}/Carol`, "mine"]);
    expect(stage.core.texts(room)).toEqual(["hello Matrix"]);
    expect(stage.core.messages(room)[0]?.sender).toEqual({ id: `carol@${server.domain}`, name: "Carol" });
  });

  it("shows corrections, reactions and what was taken back, both ways, and keeps them in the archive", async () => {
    const room = stage.channel;
    await carol.join(room, "Carol");
    await dave.join(room, "Dave");
    const id = await stage.say("Bob", "helo");
    await carol.sees("Bob", ({ body }) => body === "helo");
    const inRoom = (id: string, content: string): Promise<void> =>
      carol.raw(`<message type="groupchat" id="${id}" to="${room}">${content}</message>`);
    await inRoom("r1", `<reactions xmlns="urn:xmpp:reactions:0" id="${id}"><reaction>👍</reaction></reactions>`);
    await inRoom("m1", "<body>firts</body>");
    await inRoom("m2", '<body>first</body><replace xmlns="urn:xmpp:message-correct:0" id="m1"/>');
    const first = await dave.sees("the first", ({ id }) => id === "m1");
    const firstId = /by="[^"]*" id="([^"]+)"|id="([^"]+)" by=/.exec(first.xml)?.slice(1).find(Boolean) ?? "none";
    await inRoom("m3", `<retract xmlns="urn:xmpp:message-retract:1" id="${firstId}"/>`);
    await dave.sees("the retraction", ({ id }) => id === "m3");
    const kinds = stage.core.received.map(({ kind }) => kind).filter((kind) => kind !== "membership");
    expect(kinds).toEqual(["reaction", "message", "edit", "redaction"]);
    expect(stage.core.received.find(({ kind }) => kind === "redaction")).toMatchObject({ target: firstId });

    await stage.handlers.edit?.({
      ...stage.effect("Bob"),
      target: [RemoteMessageId(id)],
      content: textContent("hello"),
    });
    expect((await dave.sees("the correction", ({ body }) => body === "hello")).xml).toContain(`id="${id}"`);
    dave.seen.length = 0;
    const answer = await dave.query(room, "set", '<query xmlns="urn:xmpp:mam:2" queryid="q"/>');
    expect(answer).toContain('complete="true"');
    const results = dave.seen.filter(({ xml }) => xml.includes("urn:xmpp:mam:2"));
    expect(results.length).toBeGreaterThanOrEqual(6);
    expect(results[0]?.xml).toContain("helo");
    expect(results.some(({ xml }) => xml.includes("firts"))).toBe(false);
  });

  it("has people come in again after it was away, and shows them what they missed", async () => {
    const room = stage.channel;
    await carol.join(room, "Carol");
    await stage.stop();
    const away = await carol.sees("the end", ({ type, from }) => type === "unavailable" && from === `${room}/Carol`);
    expect(away.xml).toContain('code="332"');
    carol.seen.length = 0;
    await stage.start();
    // Of before a crash nobody could have told her.
    await carol.sees("that she is out", ({ xml, from }) => from === `${room}/Carol` && xml.includes('code="333"'));
    await stage.say("Bob", "you missed this");
    await carol.join(room, "Carol");
    await carol.raw(
      `<presence to="${room}/Carol"><x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="1"/></x></presence>`,
    );
    await carol.sees("what was missed", ({ body }) => body === "you missed this");
    await carol.say(room, "back again", { type: "groupchat" });
    await stage.core.until("what she says", () => stage.core.texts(room).includes("back again"));
  });

  it("notices that somebody's client is gone, and lets Matrix remove people", async () => {
    const room = stage.channel;
    await carol.join(room, "Carol");
    const erin = await XmppPerson.connect(install, server, "erin");
    await erin.join(room, "Erin");
    await erin.end();
    await carol.sees("Erin's end", ({ type, from }) => type === "unavailable" && from === `${room}/Erin`);
    const leaves = (): boolean =>
      stage.core.received.some((event) => event.kind === "membership" && event.change === "leave");
    await stage.core.until("Matrix told", leaves);
    const who = { remote: RemoteUserId(`carol@${server.domain}`) };
    await stage.handlers.membership?.({ ...stage.effect("Alice"), change: "kick", who });
    const isKick = (xml: string): boolean => xml.includes('code="307"') && !xml.includes('code="333"');
    await carol.sees(
      "the kick",
      ({ type, from, xml }) => type === "unavailable" && from === `${room}/Carol` && isKick(xml),
    );
  });

  it("is a room like others to clients: what it is, whether one is in it, what is refused", async () => {
    const room = stage.channel;
    const info = await carol.query(room, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    for (const wanted of ['category="conference"', "muc_nonanonymous", "urn:xmpp:mam:2", "urn:xmpp:occupant-id:0"])
      expect(info).toContain(wanted);
    const ping = '<ping xmlns="urn:xmpp:ping"/>';
    expect(await carol.query(`${room}/Carol`, "get", ping)).toContain("not-acceptable");
    await carol.join(room, "Carol");
    expect(await carol.query(`${room}/Carol`, "get", ping)).toContain('type="result"');
    const kick = '<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="Bob" role="none"/></query>';
    expect(await carol.query(room, "set", kick)).toContain("forbidden");
    await carol.say(`${room}/Bob`, "psst", { type: "chat", id: "pm" });
    const refused = await carol.sees("the refusal", ({ id, type }) => id === "pm" && type === "error");
    expect(refused.xml).toContain(`bob_example.org@${server.component}`);
  });

  it("shows Matrix users of any name, in rooms of any name", async () => {
    const names = [
      "🦊 Fox",
      "a/b@c",
      "it's <b>",
      "مرحبا abc",
      "\u202egnp",
      "x".repeat(255),
      "ﬁsh",
      " ",
      "\u0001\u200b",
      "Alice",
    ];
    const members = names.map((name, number) => ({ ...member(`m${number}`), name }));
    const room = RoomId("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM");
    const { alias: _, ...view } = publicRoom({ room, members: [member("Alice", 100), ...members] });
    stage.view = view;
    const info = await stage.handlers.resolveChannel?.("gateway", room);
    if (!info) throw new Error("no channel");
    await stage.handlers.linked?.({ channel: info.id, room, kind: "plumbed" });
    carol.seen.length = 0;
    await carol.join(info.id, "Carol");
    const nicks = carol.seen.flatMap(({ from, name }) =>
      name === "presence" ? (from?.split(`${info.id}/`)[1] ?? []) : [],
    );
    expect(nicks).toHaveLength(names.length + 2);
    expect(new Set(nicks).size).toBe(names.length + 2);
    await carol.say(info.id, "hello", { type: "groupchat" });
    await stage.core.until("what she says", () => stage.core.texts(info.id).includes("hello"));
    // The component was never disconnected.
    expect(stage.core.statuses.get(server.component)?.state).toBe("connected");
  });
}

/** Whether the latest that a person was told of themselves in each room is that they are out. */
function isOut({ seen }: XmppPerson): boolean {
  const own = seen.filter(({ name, xml }) => name === "presence" && xml.includes('code="110"'));
  const latest = new Map(own.map(({ from, type }) => [from?.split("/")[0], type]));
  return [...latest.values()].every((type) => type === "unavailable");
}
