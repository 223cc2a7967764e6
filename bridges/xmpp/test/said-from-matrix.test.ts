import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import {
  ContentUri,
  RemoteMessageId,
  RemoteUserId,
  textContent,
  UserId,
  type Content,
  type MediaContent,
} from "@trestle/core";
import { parseMatrixHtml } from "@trestle/rich-text";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { onEachServer } from "./support/each-server.js";
import { BOB, NS, SaidStage, setIn, USERS } from "./support/said-stage.js";

await onEachServer("from Matrix to rooms of $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let stage: SaidStage;

  beforeAll(async () => {
    stage = await SaidStage.build(install, start);
  }, 60_000);
  afterEach(() => stage.stopBridge());
  afterAll(() => stage.close(), 60_000);

  it("is formatted, and mentions who is in the room", async () => {
    const { room, core } = await stage.bridged();
    await stage.said(core, room, "hi", "a1");
    const { id } = core.messages(room)[0]!.sender;
    const mention: Content = textContent({
      blocks: [
        {
          type: "paragraph",
          children: [
            { type: "mention", target: { kind: "remoteUser", id }, text: "Alice W." },
            { type: "text", text: ": " },
            { type: "bold", children: [{ type: "text", text: "now" }] },
          ],
        },
      ],
    });
    await stage.say(room, mention);
    const seen = await stage.groupchat("it", room, ({ body }) => body === "alice: *now*");
    expect(seen.xml).toContain(NS.references);
    expect(seen.xml).toContain(`uri="xmpp:${room}/alice"`);
    expect(seen.xml).toMatch(/strong[^>]*>now</);
  });

  it("is corrected by the id of the message, also after a restart and where it is in doubt", async () => {
    const { room, core } = await stage.bridged();
    const target = RemoteMessageId(await stage.say(room, textContent("teh")));
    const first = await stage.groupchat("it", room, ({ body }) => body === "teh");
    const edit = (content: Content, more: object = {}) =>
      stage.edit({ ...stage.effect(room), target: [target], content, ...more });
    expect(await edit(textContent("the"))).toBeUndefined();
    const one = await stage.groupchat("the correction", room, ({ body }) => body === "the");
    expect(one.xml).toContain(`id="${first.id}"`);
    expect(one.xml).toContain(NS.correction);
    await stage.again(core, room);
    const repeated = stage.effect(room);
    expect(await edit(textContent("The"), repeated)).toBeUndefined();
    const two = await stage.groupchat("the other correction", room, ({ body }) => body === "The");
    expect(two.xml).toContain(`id="${first.id}"`);
    // A crash hid whether it went out: the archive tells.
    await stage.again(core, room);
    expect(await edit(textContent("The"), { ...repeated, maybeSent: true })).toBeUndefined();
    await stage.say(room, textContent("behind"));
    await stage.groupchat("what is behind", room, ({ body }) => body === "behind");
    expect(stage.alice.seen.filter(({ from, body }) => from?.startsWith(room) && body === "The")).toHaveLength(1);
    expect(core.done).toEqual([]);
  });

  it("answers what was said before, with a quotation for who knows no answers", async () => {
    const { room, core } = await stage.bridged();
    const id = await stage.said(core, room, "tea?", "q1");
    const replyTo = { event: "$q", id: RemoteMessageId(id), authorName: "alice", excerpt: "tea?" };
    await stage.say(room, textContent("yes"), { replyTo });
    const seen = await stage.groupchat("the answer", room, ({ body }) => body === "> alice: tea?\nyes");
    expect(seen.xml).toContain(NS.reply);
    expect(seen.xml).toContain(`to="${room}/alice"`);
    expect(seen.xml).toContain(`id="${id}"`);
    expect(seen.xml).toContain(NS.fallback);
  });

  it("reacts with all that somebody gave, also after a restart", async () => {
    const { room, core } = await stage.bridged();
    const target = RemoteMessageId(await stage.said(core, room, "cake", "r1"));
    expect(await stage.react({ ...stage.effect(room), target, key: "👍" })).not.toHaveProperty("failed");
    await stage.groupchat("one", room, ({ xml }) => setIn(xml) === "👍");
    await stage.again(core, room);
    expect(await stage.react({ ...stage.effect(room), target, key: "🍰" })).not.toHaveProperty("failed");
    const both = await stage.groupchat("both", room, ({ xml }) => setIn(xml) === "👍🍰");
    expect(both.xml).toContain(`id="${target}"`);
    expect(both.body).toBeNull();
    await stage.again(core, room);
    expect(await stage.unreact({ ...stage.effect(room), target, key: "👍" })).not.toHaveProperty("failed");
    await stage.groupchat("the other", room, ({ xml }) => setIn(xml) === "🍰");
    expect(await stage.react({ ...stage.effect(room), target, key: "+1" })).toMatchObject({
      failed: "permanent",
      reason: expect.stringContaining("emoji"),
    });
  });

  it("is taken back by who said it", async () => {
    const { room, core } = await stage.bridged();
    const target = RemoteMessageId(await stage.say(room, textContent("oops")));
    await stage.again(core, room);
    expect(await stage.redact({ ...stage.effect(room), target: [target] })).toBeUndefined();
    const seen = await stage.groupchat("the retraction", room, ({ xml }) => xml.includes(NS.retraction));
    expect(seen.from).toBe(`${room}/bob`);
    expect(seen.xml).toContain(`id="${target}"`);
  });

  it("is taken away where the bridge is a moderator and the room knows how", async () => {
    const { room, core } = await stage.bridged();
    const target = RemoteMessageId(await stage.said(core, room, "buy now", "s1"));
    const redact = () => stage.redact({ ...stage.effect(room), target: [target], reason: "spam" });
    if (stage.server.name === "ejabberd") {
      // ejabberd 23.01 has no moderation: the message stays.
      expect(await redact()).toBeUndefined();
      return;
    }
    expect(await redact()).toMatchObject({ failed: "permanent", reason: expect.stringContaining("an admin") });
    await stage.affiliate(room, stage.bridge, "admin");
    expect(await redact()).toBeUndefined();
    const seen = await stage.groupchat("the moderation", room, ({ xml }) => xml.includes("moderated"));
    expect(seen.from).toBe(room);
    await stage.said(core, room, "behind", "s2");
    // It was taken away on Matrix: nothing of it comes back.
    expect(core.ofKind("redaction", room)).toEqual([]);
  });

  it("brings files to where everybody can have them", async () => {
    const { room, core } = await stage.bridged();
    const bytes = Buffer.from("not really a picture");
    core.files.set("mxc://example.org/cat", { bytes, mimeType: "image/png", size: bytes.length });
    core.files.set("mxc://example.org/long", { bytes, mimeType: "text/plain" });
    const picture: MediaContent = {
      type: "media",
      kind: "image",
      name: "cat & <dog>.png",
      source: { from: "matrix", uri: ContentUri("mxc://example.org/cat"), url: "https://matrix.test/cat" },
      mimeType: "image/png",
      width: 4,
      height: 3,
      caption: parseMatrixHtml("my <b>cat</b>"),
    };
    await stage.say(room, picture);
    const file = await stage.groupchat("the file", room, ({ xml }) => xml.includes(NS.oob));
    expect(file.xml).toContain(NS.sfs);
    expect(file.body).toMatch(/^http:\/\/127\.0\.0\.1:/);
    await stage.groupchat("the caption", room, ({ body }) => body === "my *cat*");
    const got = await fetch(file.body ?? "");
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    expect(got.headers.get("content-type")).toContain("image/png");
    // Its size is not told: it is read first.
    const { caption: _, ...plain } = picture;
    await stage.say(room, {
      ...plain,
      kind: "file",
      source: { from: "matrix", uri: ContentUri("mxc://example.org/long") },
    });
    await stage.groupchat("the other file", room, ({ xml, body }) => xml.includes(NS.oob) && body !== file.body);
    // Nobody has it any more: a link is what is left.
    await stage.say(room, {
      ...plain,
      source: { from: "matrix", uri: ContentUri("mxc://example.org/gone"), url: "https://matrix.test/gone" },
    });
    await stage.groupchat("the link", room, ({ body }) => body?.endsWith("https://matrix.test/gone") === true);
  });

  it("corrects the caption of a file, and not the file", async () => {
    const { room, core } = await stage.bridged();
    core.files.set("mxc://example.org/cat", { bytes: Buffer.from("x"), mimeType: "image/png", size: 1 });
    const picture = (caption: string): MediaContent => ({
      type: "media",
      kind: "image",
      name: "cat.png",
      source: { from: "matrix", uri: ContentUri("mxc://example.org/cat") },
      caption: parseMatrixHtml(caption),
    });
    await stage.say(room, picture("my cta"));
    const [file, caption] = [
      await stage.groupchat("the file", room, ({ xml }) => xml.includes(NS.oob)),
      await stage.groupchat("the caption", room, ({ body }) => body === "my cta"),
    ];
    const target = [file, caption].map((stanza) => RemoteMessageId(stanzaIdIn(stanza.xml)));
    await stage.edit({ ...stage.effect(room), target, content: picture("my cat") });
    const correction = await stage.groupchat("the correction", room, ({ body }) => body === "my cat");
    expect(correction.xml).toContain(`id="${caption.id}"`);
    expect(stage.alice.seen.filter(({ from, xml }) => from?.startsWith(room) && xml.includes(NS.oob))).toHaveLength(1);
  });

  it("does in a room without an archive what can be done there", async () => {
    const { room, core } = await stage.bridged({}, (made) =>
      stage.configure(made, { [stage.server.name === "Prosody" ? "muc#roomconfig_enablearchiving" : "mam"]: "0" }),
    );
    const id = await stage.said(core, room, "tea?", "n1");
    const replyTo = { event: "$q", id: RemoteMessageId(id), authorName: "alice", excerpt: "tea?" };
    const target = RemoteMessageId(await stage.say(room, "yse", { replyTo }));
    const first = await stage.groupchat("the answer by name", room, ({ body }) => body === "alice: yse");
    expect(first.xml).not.toContain(NS.reply);
    await stage.edit({ ...stage.effect(room), target: [target], content: textContent("yes") });
    const correction = await stage.groupchat("its correction", room, ({ body }) => body === "yes");
    expect(correction.xml).toContain(`id="${first.id}"`);
    // Nobody could say which message is meant.
    expect(await stage.react({ ...stage.effect(room), target, key: "👍" })).toBeUndefined();
    expect(await stage.redact({ ...stage.effect(room), target: [target] })).toBeUndefined();
    await stage.raw(room, "n2", `<body>TEA?</body><replace xmlns="${NS.correction}" id="n1"/>`);
    await core.until("her correction", () => core.ofKind("edit", room).length === 1);
    expect(core.ofKind("edit", room)[0]?.target).toBe(id);
    await stage.groupchat("nothing else", room, ({ body }) => body === "TEA?");
    expect(stage.alice.seen.some(({ from, xml }) => from?.startsWith(room) && setIn(xml) !== "")).toBe(false);
  });

  it("tells what was read among members who know each other, and nowhere else", async () => {
    const bob = `bob_example.org@${stage.server.component}`;
    const { room, core } = await stage.bridged({}, async (made) => {
      for (const jid of [stage.bridge, bob]) await stage.affiliate(made, jid, "member");
      await stage.configure(made, { "muc#roomconfig_membersonly": "1", "muc#roomconfig_whois": "anyone" });
    });
    const upTo = RemoteMessageId(await stage.said(core, room, "read me", "k1"));
    await stage.say(room, "I am here");
    const author = { userId: UserId(BOB), name: "bob" };
    await stage.handlers.receipt!({ channel: room, author, upTo });
    const marker = await stage.groupchat("the marker", room, ({ xml }) => xml.includes("displayed"));
    expect(marker.xml).toContain(`id="${upTo}"`);
    expect(marker.from).toBe(`${room}/bob`);
    await stage.stopBridge();
    const open = await stage.bridged();
    const other = RemoteMessageId(await stage.said(open.core, open.room, "read me not", "k2"));
    await stage.say(open.room, "I am here");
    await stage.handlers.receipt!({ channel: open.room, author, upTo: other });
    await stage.say(open.room, "behind");
    await stage.groupchat("what is behind", open.room, ({ body }) => body === "behind");
    expect(stage.alice.seen.some(({ from, xml }) => from?.startsWith(open.room) && xml.includes("displayed"))).toBe(
      false,
    );
  });

  it("has a line for each thing where the bridge speaks for all", async () => {
    const { room, core } = await stage.bridged({ config: { ghosts: false } });
    core.files.set("mxc://example.org/cat", { bytes: Buffer.from("x"), mimeType: "image/png", size: 1 });
    await stage.say(room, html("<b>loud</b>"));
    await stage.groupchat("the text", room, ({ body }) => body === "<bob> *loud*");
    await stage.say(room, textContent("waves", "emote"));
    await stage.groupchat("the action", room, ({ body }) => body === "* bob waves");
    await stage.say(room, {
      type: "media",
      kind: "image",
      name: "cat.png",
      source: { from: "matrix", uri: ContentUri("mxc://example.org/cat") },
    });
    await stage.groupchat("the name", room, ({ body }) => body?.startsWith("<bob> cat.png") === true);
    await stage.say(room, { type: "location", latitude: 51.5, longitude: -0.12 });
    await stage.groupchat("the place", room, ({ body }) => body?.includes("geo:51.5,-0.12") === true);
  });

  it("names a room where the bridge owns it, and no other", async () => {
    const { room } = await stage.bridged();
    const info = () => stage.alice.query(room, "get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`);
    const rename = (name: string) => stage.handlers.name!({ ...stage.effect(room), name });
    expect(await rename("Mine")).toBeUndefined();
    expect(await info()).not.toContain("Mine");
    await stage.affiliate(room, stage.bridge, "owner");
    expect(await rename("Tea & cake")).toBeUndefined();
    expect(await info()).toContain("Tea &amp; cake");
    await stage.groupchat("that it changed", room, ({ xml }) => xml.includes(`code="104"`));
  });

  it("invites people into the room", async () => {
    // Rooms of ejabberd let nobody but their admins invite where nobody says otherwise.
    const { room } = await stage.bridged({}, (made) => stage.configure(made, { "muc#roomconfig_allowinvites": "1" }));
    const invite = (who: string) =>
      stage.handlers.invite!({ ...stage.effect(room), who: RemoteUserId(who), reason: "join us" });
    const other = await stage.person("bob");
    expect(await invite(`bob@${stage.server.domain}`)).toBeUndefined();
    const seen = await other.sees(
      "the invitation",
      ({ from, xml }) => from?.startsWith(room) === true && xml.includes("join us"),
    );
    expect(seen.xml).toMatch(/invite[^>]* from="/);
    expect(await invite(`nick:${room}/robert`)).toMatchObject({ failed: "permanent" });
    await other.end();
  });

  it("learns who was invited and does not come, and whom the room does not invite", async () => {
    const { room, core } = await stage.bridged({}, (made) =>
      stage.configure(made, { "muc#roomconfig_allowinvites": "1" }),
    );
    const who = RemoteUserId(`bob@${stage.server.domain}`);
    const invite = () => stage.handlers.invite!({ ...stage.effect(room), who });
    const other = await stage.person("bob");
    const decline = (to: string, why: string) =>
      other.raw(
        `<message to="${room}"><x xmlns="http://jabber.org/protocol/muc#user"><decline to="${to}"><reason>${why}</reason></decline></x></message>`,
      );
    await stage.say(room, "is anybody there?");
    expect(await invite()).toBeUndefined();
    const { xml } = await other.sees("the invitation", ({ xml: text }) => /invite[^>]* from="/.test(text));
    await stage.again(core, room);
    await stage.say(room, "still there");
    await decline(/invite[^>]* from="([^"]+)"/.exec(xml)?.[1] ?? "", "no time");
    await core.until("that he does not come", () => core.ofKind("declined", room).length > 0);
    for (const jid of [stage.bridge, `bob_example.org@${stage.server.component}`])
      await stage.affiliate(room, jid, "member");
    await stage.configure(room, { "muc#roomconfig_allowinvites": "0", "muc#roomconfig_membersonly": "1" });
    expect(await invite()).toBeUndefined();
    await core.until("that the room refused it", () => core.ofKind("declined", room).length > 1);
    expect(core.ofKind("declined", room)).toMatchObject([
      { who: { id: who }, how: "declined", userId: BOB, reason: "no time" },
      { who: { id: who }, how: "refused", userId: BOB, reason: expect.stringContaining(room) },
    ]);
    await other.end();
  });

  it("types", async () => {
    const { room } = await stage.bridged();
    await stage.say(room, textContent("first"));
    const author = { userId: UserId(BOB), name: "bob" };
    await stage.handlers.typing!({ channel: room, authors: [author] });
    await stage.groupchat("typing", room, ({ xml }) => xml.includes("composing"));
    await stage.handlers.typing!({ channel: room, authors: [] });
    await stage.groupchat(
      "no more",
      room,
      ({ xml, body }) => xml.includes("chatstates}active") || (xml.includes("active") && body === null),
    );
  });
}

const html = (text: string): Content => textContent(parseMatrixHtml(text));

/** What a room calls a message. */
function stanzaIdIn(xml: string): string {
  const element = /<[^<>]*stanza-id[^<>]*>/.exec(xml)?.[0] ?? "";
  return /\bid="([^"]+)"/.exec(element)?.[1] ?? "";
}
