import { describeDeviations, specValidator } from "@trestle/testkit";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Person } from "../support/person.js";
import { asRecord, asText } from "../support/seen-event.js";
import type { Installs } from "../support/servers/index.js";
import type { XmppServer, XmppServerOptions } from "../support/servers/xmpp-server.js";
import type { SeenStanza } from "../support/xmpp-person.js";
import { gatewayRooms } from "./synapse-xmpp-gateway.js";
import { otherClients, type OtherClients } from "./synapse-xmpp-clients.js";
import { peopleOfXmpp } from "./synapse-xmpp-people.js";
import { NS, PNG, reactionsIn, redacted, replaces, stanzaId } from "./xmpp-look.js";
import { XmppStage } from "./xmpp-stage.js";

export interface XmppUnderTest {
  readonly start: (options: XmppServerOptions) => Promise<XmppServer>;
  /** Its rooms can have messages taken away (XEP-0425). */
  readonly moderates: boolean;
  /** Where it lets clients in that insist on TLS. */
  readonly clients?: OtherClients;
}

/** The tests of a real Synapse and a real XMPP server between which the bridge runs as an operator starts it. */
export function synapseAndXmpp(
  installs: Installs<"synapse" | "slixmpp">,
  { start, moderates, clients }: XmppUnderTest,
): void {
  // The waits inside are shorter and say what they waited for.
  jest.setTimeout(240_000);

  let stage: XmppStage;
  let ann: Person;

  beforeAll(async () => {
    stage = await XmppStage.build(installs, start);
    ann = await stage.matrix.person("ann");
  });
  afterAll(async () => stage.close());

  const raw = (muc: string, id: string, inner: string) =>
    stage.alice.raw(`<message to="${muc}" type="groupchat" id="${id}">${inner}</message>`);
  const seen = (muc: string, what: string, wanted: (stanza: SeenStanza) => boolean) =>
    stage.alice.sees(
      what,
      (stanza) => stanza.type === "groupchat" && stanza.from?.startsWith(muc) === true && wanted(stanza),
      60_000,
    );
  const heard = (room: string, body: string) => ann.waitForMessage(room, body, (message) => message.body === body);
  /** Alice says something: how it is seen on Matrix, and the room's id of it. */
  async function said(place: { readonly room: string; readonly muc: string }, body: string, id: string) {
    await raw(place.muc, id, `<body>${body}</body>`);
    const shown = await seen(place.muc, body, (stanza) => stanza.id === id);
    return { event: await heard(place.room, body), id: stanzaId(shown) };
  }

  it("carries text, corrections, reactions, replies and retractions from XMPP", async () => {
    const place = await stage.linked(ann, "inward");
    const { room, muc } = place;
    await raw(muc, "h0", "<body>this is *bold*</body>");
    const bold = await ann.waitForMessage(room, "a styled text", ({ html }) => html.includes("<strong>bold</strong>"));
    expect((await ann.state(room, "m.room.member", bold.sender))?.["displayname"]).toBe("alice");
    const { event, id } = await said(place, "helo", "h1");
    await raw(muc, "h2", `<body>hello</body><replace xmlns="${NS.correction}" id="h1"/>`);
    const edit = await ann.waitForMessage(
      room,
      "its correction",
      (message) => replaces(message.event) === event.eventId,
    );
    expect(edit.content["m.new_content"]).toMatchObject({ body: "hello" });
    const set = (nr: string, ...keys: string[]) =>
      raw(
        muc,
        nr,
        `<reactions xmlns="${NS.reactions}" id="${id}">${keys.map((key) => `<reaction>${key}</reaction>`).join("")}</reactions>`,
      );
    await set("h3", "👍", "🎉");
    const reactions = await ann.waitForCount(
      2,
      "reactions",
      (each) => each.roomId === room && each.type === "m.reaction",
    );
    expect(reactions.map(({ content }) => asRecord(content["m.relates_to"])["key"])).toEqual(["👍", "🎉"]);
    await set("h4", "🎉");
    await redacted(ann, room, reactions[0]?.eventId ?? "");
    await raw(
      muc,
      "h5",
      `<body>&gt; hello\nindeed</body><reply xmlns="${NS.reply}" id="${id}" to="${muc}/alice"/>` +
        `<fallback xmlns="${NS.fallback}" for="${NS.reply}"><body start="0" end="8"/></fallback>`,
    );
    const reply = await ann.waitForMessage(room, "the answer", ({ body }) => body.endsWith("indeed"));
    expect(reply.content["m.relates_to"]).toMatchObject({ "m.in_reply_to": { event_id: event.eventId } });
    await raw(muc, "h6", `<retract xmlns="${NS.retraction}" id="${id}"/><body>gone</body>`);
    await redacted(ann, room, event.eventId);
  });

  it("carries text, corrections, reactions, replies and retractions from Matrix", async () => {
    const place = await stage.linked(ann, "outward");
    const { room, muc } = place;
    await ann.sendHtml(room, "hello XMPP", "hello <b>XMPP</b>");
    const bold = await seen(muc, "a styled text", ({ body }) => body === "hello *XMPP*");
    expect(bold.from).toBe(`${muc}/ann`);
    const event = await ann.sendText(room, "helo");
    const first = await seen(muc, "a text", ({ body }) => body === "helo");
    await ann.edit(room, event, "hello");
    const edit = await seen(muc, "its correction", ({ xml }) => xml.includes(NS.correction));
    expect(edit.body).toBe("hello");
    expect(edit.xml).toContain(`id="${first.id}"`);
    const up = await ann.react(room, event, "👍");
    await seen(muc, "a reaction", ({ xml }) => reactionsIn(xml) === "👍");
    await ann.react(room, event, "🎉");
    const both = await seen(muc, "both reactions", ({ xml }) => reactionsIn(xml) === "👍🎉");
    expect(both.xml).toContain(`id="${stanzaId(first)}"`);
    await ann.redact(room, up);
    await seen(muc, "one reaction", ({ xml }) => reactionsIn(xml) === "🎉");
    const asked = await said(place, "tea?", "q1");
    await ann.reply(room, asked.event.eventId, "yes");
    const reply = await seen(muc, "the answer", ({ body }) => body === "> alice: tea?\nyes");
    expect(reply.xml).toContain(NS.reply);
    expect(reply.xml).toContain(`id="${asked.id}"`);
    await ann.redact(room, event);
    const retraction = await seen(muc, "the retraction", ({ xml }) => xml.includes(NS.retraction));
    expect(retraction.xml).toContain(`id="${stanzaId(first)}"`);
    expect(retraction.from).toBe(`${muc}/ann`);
    // Nothing of what ann did came back.
    await said(place, "the end", "q2");
    const ghosts = (await ann.history(room)).filter(
      ({ sender, type }) => sender.startsWith("@xmpp_") && type !== "m.room.member",
    );
    expect(ghosts.map(({ content }) => asText(content["body"]))).toEqual(["tea?", "the end"]);
  });

  it("carries files both ways", async () => {
    const { room, muc } = await stage.linked(ann, "files");
    const image = { name: "dot.png", bytes: new Uint8Array(PNG), mimeType: "image/png", width: 1, height: 1 };
    await ann.sendImage(room, image);
    const file = await seen(muc, "the picture", ({ xml }) => xml.includes(NS.oob));
    expect(file.xml).toContain("dot.png");
    const url = file.body ?? "";
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(PNG)).toBe(true);
    await raw(muc, "f1", `<body>${url}</body><x xmlns="${NS.oob}"><url>${url}</url></x>`);
    const back = await ann.waitForMessage(
      room,
      "the same from XMPP",
      ({ event }) => event.content["msgtype"] === "m.image",
    );
    expect(back.content).toMatchObject({ body: "dot.png", info: { mimetype: "image/png", size: PNG.length } });
    expect(asText(back.content["url"])).toMatch(/^mxc:/);
  });

  it(moderates ? "moderates both ways" : "keeps in a room what that cannot have taken away", async () => {
    const place = await stage.linked(ann, "order");
    const { room, muc } = place;
    const spam = await said(place, "buy now", "s1");
    await stage.promote(muc);
    if (!moderates) {
      await ann.redact(room, spam.event.eventId, "spam");
      await ann.sendText(room, "it was spam");
      await seen(muc, "what was said behind it", ({ body }) => body === "it was spam");
      expect(stage.alice.seen.filter(({ from, xml }) => from === muc && xml.includes(spam.id))).toEqual([]);
      return;
    }
    await ann.redact(room, spam.event.eventId, "spam");
    const moderation = await seen(muc, "the moderation", ({ xml }) => xml.includes(NS.moderation));
    expect(moderation.from).toBe(muc);
    expect(moderation.xml).toContain(`id="${spam.id}"`);
    const event = await ann.sendText(room, "buy mine");
    const shown = await seen(muc, "her text", ({ body }) => body === "buy mine");
    const moderate = `<moderate xmlns="${NS.moderation}" id="${stanzaId(shown)}"><retract xmlns="${NS.retraction}"/></moderate>`;
    await stage.alice.query(muc, "set", moderate);
    await redacted(ann, room, event);
  });

  it("catches up with all that was said, corrected and taken back while the component was cut", async () => {
    const place = await stage.linked(ann, "away");
    const { room, muc } = place;
    const { event, id } = await said(place, "one", "m1");
    const gone = await said(place, "gone", "m2");
    stage.wire.refuse();
    await raw(muc, "m3", `<body>ONE</body><replace xmlns="${NS.correction}" id="m1"/>`);
    await raw(muc, "m4", "<body>two</body>");
    await raw(
      muc,
      "m5",
      `<reactions xmlns="${NS.reactions}" id="${id}"><reaction>👍</reaction></reactions><store xmlns="urn:xmpp:hints"/>`,
    );
    await raw(muc, "m6", `<retract xmlns="${NS.retraction}" id="${gone.id}"/><body>gone</body>`);
    await raw(muc, "m7", "<body>three</body>");
    await ann.sendText(room, "meanwhile");
    stage.wire.admit();
    await heard(room, "three");
    await redacted(ann, room, gone.event.eventId);
    await seen(muc, "what ann said", ({ body }) => body === "meanwhile");
    const order = (await ann.history(room)).filter(({ sender }) => sender === event.sender);
    const said2 = order.filter(({ type }) => ["m.room.message", "m.reaction"].includes(type));
    expect(said2.map(({ content }) => asText(content["body"]) || asRecord(content["m.relates_to"])["key"])).toEqual([
      ...["one", "", "* ONE", "two", "👍", "three"].map((text) => text || undefined),
    ]);
  });

  const inAll = { stage: () => stage, ann: () => ann };
  peopleOfXmpp(inAll);
  gatewayRooms(inAll);
  if (clients) otherClients(inAll, clients);

  const specified = specValidator() === undefined ? it.skip : it;
  if (specified === it.skip)
    process.stderr.write(
      "SKIPPED: the traffic is not held against the specification, whose data is not beside the project (../shared).\n",
    );
  specified("kept to the specification in all its requests and answers", () => {
    const { outward, inward, deviations } = stage.matrix;
    expect(Math.min(outward.exchanges, inward.exchanges)).toBeGreaterThan(0);
    expect(describeDeviations(deviations)).toBe("");
  });
}
