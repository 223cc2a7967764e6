import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import {
  ChannelId,
  ContentUri,
  RemoteMessageId,
  textContent,
  UserId,
  type Content,
  type MediaContent,
  type NetworkEvent,
  type Outcome,
} from "@trestle/core";
import { parseMatrixHtml, toMatrixHtml, toPlainText } from "@trestle/rich-text";
import { startEjabberd } from "../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../test/support/servers/index.js";
import { startProsody } from "../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppPerson, type SeenStanza } from "../../../test/support/xmpp-person.js";
import { effectOf, type FakeCore } from "./support/fake-core.js";
import { RunningBridge, type BridgeOptions } from "./support/running-bridge.js";
import { WireSpy } from "./support/wire-spy.js";

const prosody = await realServers("prosody", "slixmpp");
const ejabberd = await realServers("ejabberd", "slixmpp");
const USERS = ["alice", "bob"];
const BOB = "@bob:example.org";
const NS = {
  correction: "urn:xmpp:message-correct:0",
  reactions: "urn:xmpp:reactions:0",
  reply: "urn:xmpp:reply:0",
  fallback: "urn:xmpp:fallback:0",
  retraction: "urn:xmpp:message-retract:1",
  references: "urn:xmpp:reference:0",
  oob: "jabber:x:oob",
  sfs: "urn:xmpp:sfs:0",
  file: "urn:xmpp:file:metadata:0",
  url: "http://jabber.org/protocol/url-data",
} as const;

prosody.describe("what is said in rooms of Prosody", (installs) =>
  behaviour(installs.slixmpp, () => startProsody(installs.prosody, { users: USERS })),
);
ejabberd.describe("what is said in rooms of ejabberd", (installs) =>
  behaviour(installs.slixmpp, () => startEjabberd(installs.ejabberd, { users: USERS })),
);

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

  async function bridged(more: Partial<BridgeOptions> = {}): Promise<{ room: ChannelId; core: FakeCore }> {
    const room = ChannelId(`said${++rooms}@${server.rooms}`);
    await alice.join(room, "alice");
    bridge = await RunningBridge.start({ server, port: spy.port, rooms: [room], ...more });
    await bridge.ready();
    return { room, core: bridge.core };
  }
  async function again(core: FakeCore, room: ChannelId): Promise<void> {
    await bridge?.close();
    core.statuses.clear();
    bridge = await RunningBridge.start({ server, port: spy.port, rooms: [room], core });
    await bridge.ready();
  }
  /** Of Bob on Matrix, without what makes it a message. */
  function effect(room: ChannelId, user = BOB) {
    const { content: _content, part: _part, parts: _parts, ...base } = effectOf({ channel: room, text: "", user });
    return base;
  }
  async function say(room: ChannelId, content: Content, more: object = {}): Promise<string> {
    const base = effect(room);
    const parts = (await bridge!.handlers.split?.({ ...base, content })) ?? [0];
    const ids: string[] = [];
    for (const part of parts.keys())
      ids.push(idIn(await bridge!.handlers.message({ ...base, content, part, parts: parts.length, ...more })));
    return ids[0] ?? "";
  }
  const html = (text: string): Content => textContent(parseMatrixHtml(text));
  const groupchat = (what: string, room: string, wanted: (stanza: SeenStanza) => boolean) =>
    alice.sees(
      what,
      (stanza) => stanza.type === "groupchat" && stanza.from?.startsWith(room) === true && wanted(stanza),
    );
  /** Alice says something, and this is what the room calls it. */
  async function said(core: FakeCore, room: ChannelId, body: string, id: string): Promise<string> {
    await alice.raw(`<message to="${room}" type="groupchat" id="${id}"><body>${body}</body></message>`);
    await core.until(body, () => core.texts(room).includes(body));
    return core.messages(room).findLast(({ content }) => textIn(content) === body)?.id ?? "";
  }
  const raw = (room: string, id: string, inner: string) =>
    alice.raw(`<message to="${room}" type="groupchat" id="${id}">${inner}</message>`);

  describe("from Matrix", () => {
    it("is formatted, and mentions who is in the room", async () => {
      const { room, core } = await bridged();
      await said(core, room, "hi", "a1");
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
      await say(room, mention);
      const seen = await groupchat("it", room, ({ body }) => body === "alice: *now*");
      expect(seen.xml).toContain(NS.references);
      expect(seen.xml).toContain(`uri="xmpp:${room}/alice"`);
      expect(seen.xml).toMatch(/strong[^>]*>now</);
    });

    it("is corrected by the id of the message, also after a restart and where it is in doubt", async () => {
      const { room, core } = await bridged();
      const target = RemoteMessageId(await say(room, textContent("teh")));
      const first = await groupchat("it", room, ({ body }) => body === "teh");
      const edit = (content: Content, more: object = {}) =>
        bridge!.handlers.edit!({ ...effect(room), target: [target], content, ...more });
      expect(await edit(textContent("the"))).toBeUndefined();
      const one = await groupchat("the correction", room, ({ body }) => body === "the");
      expect(one.xml).toContain(`id="${first.id}"`);
      expect(one.xml).toContain(NS.correction);
      await again(core, room);
      const repeated = effect(room);
      expect(await edit(textContent("The"), repeated)).toBeUndefined();
      const two = await groupchat("the other correction", room, ({ body }) => body === "The");
      expect(two.xml).toContain(`id="${first.id}"`);
      // A crash hid whether it went out: the archive tells.
      await again(core, room);
      expect(await edit(textContent("The"), { ...repeated, maybeSent: true })).toBeUndefined();
      await say(room, textContent("behind"));
      await groupchat("what is behind", room, ({ body }) => body === "behind");
      expect(alice.seen.filter(({ from, body }) => from?.startsWith(room) && body === "The")).toHaveLength(1);
      expect(core.received).toEqual([]);
    });

    it("answers what was said before, with a quotation for who knows no answers", async () => {
      const { room, core } = await bridged();
      const id = await said(core, room, "tea?", "q1");
      const replyTo = { event: "$q", id: RemoteMessageId(id), authorName: "alice", excerpt: "tea?" };
      await say(room, textContent("yes"), { replyTo });
      const seen = await groupchat("the answer", room, ({ body }) => body === "> alice: tea?\nyes");
      expect(seen.xml).toContain(NS.reply);
      expect(seen.xml).toContain(`to="${room}/alice"`);
      expect(seen.xml).toContain(`id="${id}"`);
      expect(seen.xml).toContain(NS.fallback);
    });

    it("reacts with all that somebody gave, also after a restart", async () => {
      const { room, core } = await bridged();
      const target = RemoteMessageId(await said(core, room, "cake", "r1"));
      const { handlers } = bridge!;
      expect(await handlers.react!({ ...effect(room), target, key: "👍" })).not.toHaveProperty("failed");
      await groupchat("one", room, ({ xml }) => setIn(xml) === "👍");
      await again(core, room);
      expect(await bridge!.handlers.react!({ ...effect(room), target, key: "🍰" })).not.toHaveProperty("failed");
      const both = await groupchat("both", room, ({ xml }) => setIn(xml) === "👍🍰");
      expect(both.xml).toContain(`id="${target}"`);
      expect(both.body).toBeNull();
      await again(core, room);
      expect(await bridge!.handlers.unreact!({ ...effect(room), target, key: "👍" })).not.toHaveProperty("failed");
      await groupchat("the other", room, ({ xml }) => setIn(xml) === "🍰");
      expect(await bridge!.handlers.react!({ ...effect(room), target, key: "+1" })).toMatchObject({
        failed: "permanent",
        reason: expect.stringContaining("emoji"),
      });
    });

    it("is taken back by who said it", async () => {
      const { room, core } = await bridged();
      const target = RemoteMessageId(await say(room, textContent("oops")));
      await again(core, room);
      expect(await bridge!.handlers.redact!({ ...effect(room), target: [target] })).toBeUndefined();
      const seen = await groupchat("the retraction", room, ({ xml }) => xml.includes(NS.retraction));
      expect(seen.from).toBe(`${room}/bob`);
      expect(seen.xml).toContain(`id="${target}"`);
    });

    it("is taken away where the bridge is a moderator and the room knows how", async () => {
      const { room, core } = await bridged();
      const target = RemoteMessageId(await said(core, room, "buy now", "s1"));
      const redact = () => bridge!.handlers.redact!({ ...effect(room), target: [target], reason: "spam" });
      if (server.name === "ejabberd") {
        // ejabberd 23.01 has no moderation: the message stays.
        expect(await redact()).toBeUndefined();
        return;
      }
      expect(await redact()).toMatchObject({ failed: "permanent", reason: expect.stringContaining("an admin") });
      await promote(room);
      expect(await redact()).toBeUndefined();
      const seen = await groupchat("the moderation", room, ({ xml }) => xml.includes("moderated"));
      expect(seen.from).toBe(room);
      await said(core, room, "behind", "s2");
      // It was taken away on Matrix: nothing of it comes back.
      expect(core.ofKind("redaction", room)).toEqual([]);
    });

    it("brings files to where everybody can have them", async () => {
      const { room, core } = await bridged();
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
      await say(room, picture);
      const file = await groupchat("the file", room, ({ xml }) => xml.includes(NS.oob));
      expect(file.xml).toContain(NS.sfs);
      expect(file.body).toMatch(/^http:\/\/127\.0\.0\.1:/);
      await groupchat("the caption", room, ({ body }) => body === "my *cat*");
      const got = await fetch(file.body ?? "");
      expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
      expect(got.headers.get("content-type")).toContain("image/png");
      // Its size is not told: it is read first.
      const { caption: _, ...plain } = picture;
      await say(room, {
        ...plain,
        kind: "file",
        source: { from: "matrix", uri: ContentUri("mxc://example.org/long") },
      });
      await groupchat("the other file", room, ({ xml, body }) => xml.includes(NS.oob) && body !== file.body);
      // Nobody has it any more: a link is what is left.
      await say(room, {
        ...plain,
        source: { from: "matrix", uri: ContentUri("mxc://example.org/gone"), url: "https://matrix.test/gone" },
      });
      await groupchat("the link", room, ({ body }) => body?.endsWith("https://matrix.test/gone") === true);
    });

    it("has a line for each thing where the bridge speaks for all", async () => {
      const { room, core } = await bridged({ config: { ghosts: false } });
      core.files.set("mxc://example.org/cat", { bytes: Buffer.from("x"), mimeType: "image/png", size: 1 });
      await say(room, html("<b>loud</b>"));
      await groupchat("the text", room, ({ body }) => body === "<bob> *loud*");
      await say(room, textContent("waves", "emote"));
      await groupchat("the action", room, ({ body }) => body === "* bob waves");
      await say(room, {
        type: "media",
        kind: "image",
        name: "cat.png",
        source: { from: "matrix", uri: ContentUri("mxc://example.org/cat") },
      });
      await groupchat("the name", room, ({ body }) => body?.startsWith("<bob> cat.png") === true);
      await say(room, { type: "location", latitude: 51.5, longitude: -0.12 });
      await groupchat("the place", room, ({ body }) => body?.includes("geo:51.5,-0.12") === true);
    });

    it("types", async () => {
      const { room } = await bridged();
      await say(room, textContent("first"));
      const author = { userId: UserId(BOB), name: "bob" };
      await bridge!.handlers.typing!({ channel: room, authors: [author] });
      await groupchat("typing", room, ({ xml }) => xml.includes("composing"));
      await bridge!.handlers.typing!({ channel: room, authors: [] });
      await groupchat(
        "no more",
        room,
        ({ xml, body }) => xml.includes("chatstates}active") || (xml.includes("active") && body === null),
      );
    });
  });

  describe("from XMPP", () => {
    it("is formatted, spoils, mentions and is where it is", async () => {
      const { room, core } = await bridged();
      await say(room, textContent("here"));
      await groupchat("bob there", room, ({ body }) => body === "here");
      await raw(room, "f1", "<body>this is *bold* and `code`</body>");
      await raw(
        room,
        "f2",
        `<body>bob: look</body><reference xmlns="${NS.references}" type="mention" begin="0" end="3" uri="xmpp:${room}/bob"/>`,
      );
      await raw(room, "f3", "<body>bob: hello</body>");
      await raw(room, "f4", `<body>he dies</body><spoiler xmlns="urn:xmpp:spoiler:0">end</spoiler>`);
      await raw(room, "f5", "<body>geo:51.5,-0.12</body>");
      await core.until("all", () => core.messages(room).length === 5);
      const contents = core.messages(room).map(({ content }) => content);
      expect(contents[0]).toMatchObject({ type: "text" });
      expect(htmlIn(contents[0])).toContain("<strong>bold</strong> and <code>code</code>");
      for (const content of [contents[1], contents[2]])
        expect(JSON.stringify(content)).toContain(`{"kind":"matrixUser","userId":"${BOB}"}`);
      expect(htmlIn(contents[3])).toContain("data-mx-spoiler");
      expect(contents[4]).toMatchObject({ type: "location", latitude: 51.5, longitude: -0.12 });
    });

    it("is corrected by its sender alone, however often, also after a restart", async () => {
      const { room, core } = await bridged();
      const id = await said(core, room, "teh", "c1");
      const correct = (body: string, nr: string) =>
        raw(room, nr, `<body>${body}</body><replace xmlns="${NS.correction}" id="c1"/>`);
      await correct("the", "c2");
      await core.until("the correction", () => core.ofKind("edit", room).length === 1);
      await again(core, room);
      await correct("The", "c3");
      await raw(room, "c4", "<body>behind</body>");
      await core.until("what is behind", () => core.texts(room).includes("behind"));
      const kinds = core.received.filter(({ channel }) => channel === room).map(({ kind }) => kind);
      expect(kinds).toEqual(["message", "edit", "edit", "message"]);
      expect(core.ofKind("edit", room).map((edit) => [edit.target, textIn(edit.content)])).toEqual([
        [id, "the"],
        [id, "The"],
      ]);
      const bob = await XmppPerson.connect(install, server, "bob");
      try {
        await bob.join(room, "robert");
        await bob.raw(
          `<message to="${room}" type="groupchat" id="c5"><body>forged</body><replace xmlns="${NS.correction}" id="c1"/></message>`,
        );
        await core.until("what it is instead", () => core.texts(room).includes("forged"));
      } finally {
        await bob.end();
      }
    });

    it("answers, by the id of the room", async () => {
      const { room, core } = await bridged();
      const target = await say(room, textContent("tea?"));
      await raw(
        room,
        "y1",
        `<body>&gt; bob: tea?\nyes</body><reply xmlns="${NS.reply}" id="${target}" to="${room}/bob"/>` +
          `<fallback xmlns="${NS.fallback}" for="${NS.reply}"><body start="0" end="12"/></fallback>`,
      );
      await core.until("the answer", () => core.messages(room).length === 1);
      expect(core.messages(room)[0]).toMatchObject({ replyTo: target });
      expect(core.texts(room)).toEqual(["yes"]);
    });

    it("goes on in a thread, also after a restart", async () => {
      const { room, core } = await bridged();
      await raw(room, "t1", "<body>one</body><thread>abc</thread>");
      await core.until("the first", () => core.messages(room).length === 1);
      await again(core, room);
      await raw(room, "t2", "<body>two</body><thread>abc</thread>");
      await core.until("the second", () => core.messages(room).length === 2);
      const [one, two] = core.messages(room);
      expect(one).not.toHaveProperty("thread");
      expect(two).toMatchObject({ thread: one?.id });
      const thread = { event: "$one", id: one?.id };
      await say(room, textContent("three"), { thread });
      const seen = await groupchat("the third", room, ({ body }) => body === "three");
      expect(seen.xml).toMatch(/thread[^>]*>abc</);
    });

    it("reacts: what is new is given and what is missing is taken back, also after a restart", async () => {
      const { room, core } = await bridged();
      const target = await say(room, textContent("cake"));
      const react = (nr: string, ...keys: string[]) =>
        raw(
          room,
          nr,
          `<reactions xmlns="${NS.reactions}" id="${target}">${keys.map((key) => `<reaction>${key}</reaction>`).join("")}</reactions><store xmlns="urn:xmpp:hints"/>`,
        );
      await react("e1", "👍", "🍰");
      await core.until("both", () => core.ofKind("reaction", room).length === 2);
      await again(core, room);
      await react("e2", "🍰", "🎂");
      await core.until("the third", () => core.ofKind("reaction", room).length === 3);
      await react("e3");
      await core.until("all gone", () => core.ofKind("reactionRemoved", room).length === 3);
      expect(reactionsIn(core.received)).toEqual(["+👍", "+🍰", "-👍", "+🎂", "-🍰", "-🎂"]);
      expect(core.ofKind("reaction", room).every((event) => event.target === target)).toBe(true);
    });

    it("is taken back by its sender, in the ways of today and before, and by nobody else", async () => {
      const { room, core } = await bridged();
      const one = await said(core, room, "one", "w1");
      const two = await said(core, room, "two", "w2");
      await again(core, room);
      const bob = await XmppPerson.connect(install, server, "bob");
      try {
        await bob.join(room, "robert");
        const retract = `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body>`;
        await bob.raw(`<message to="${room}" type="groupchat" id="b1">${retract}</message>`);
        await groupchat("the forged one", room, ({ from, body }) => from === `${room}/robert` && body === "gone");
      } finally {
        await bob.end();
      }
      await raw(room, "w3", `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body>`);
      await raw(
        room,
        "w4",
        `<apply-to xmlns="urn:xmpp:fasten:0" id="${two}"><retract xmlns="urn:xmpp:message-retract:0"/></apply-to><body>gone</body>`,
      );
      await core.until("both", () => core.ofKind("redaction", room).length === 2);
      expect(core.ofKind("redaction", room).map(({ target }) => target)).toEqual([one, two]);
    });

    it("shows files, and what is said of them", async () => {
      const { room, core } = await bridged();
      const url = `http://127.0.0.1:${server.httpPort}/x/cat.png`;
      await raw(room, "m1", `<body>${url}</body><x xmlns="${NS.oob}"><url>${url}</url></x>`);
      await raw(
        room,
        "m2",
        `<body>${url}</body><file-sharing xmlns="${NS.sfs}" disposition="inline"><file xmlns="${NS.file}"><media-type>image/png</media-type><name>cat.png</name><size>20</size></file><sources><url-data xmlns="${NS.url}" target="${url}"/></sources></file-sharing>`,
      );
      await core.until("both", () => core.messages(room).length === 2);
      for (const { content } of core.messages(room))
        expect(content).toMatchObject({ type: "media", kind: "image", name: "cat.png", source: { from: "url", url } });
      expect(core.messages(room)[1]?.content).toMatchObject({ mimeType: "image/png", size: 20 });
    });

    it("types", async () => {
      const { room, core } = await bridged();
      await raw(room, "p1", `<composing xmlns="http://jabber.org/protocol/chatstates"/>`);
      await core.until("it", () => core.signals.length === 1);
      expect(core.signals[0]).toMatchObject({ channel: room, user: { name: "alice" } });
      expect(core.signals[0]?.forMs).toBeGreaterThan(0);
      await raw(room, "p2", `<body>done</body><active xmlns="http://jabber.org/protocol/chatstates"/>`);
      await core.until("the end of it", () => core.signals.length === 2);
      expect(core.signals[1]?.forMs).toBe(0);
    });

    it("is taken away by a moderator", async () => {
      if (server.name === "ejabberd") {
        process.stdout.write("left out: ejabberd 23.01 has no message moderation (XEP-0425)\n");
        return;
      }
      const { room, core } = await bridged();
      const target = await said(core, room, "spam", "x1");
      await alice.query(
        room,
        "set",
        `<moderate xmlns="urn:xmpp:message-moderate:1" id="${target}"><retract xmlns="${NS.retraction}"/><reason>no</reason></moderate>`,
      );
      await core.until("it", () => core.ofKind("redaction", room).length === 1);
      expect(core.ofKind("redaction", room)[0]).toMatchObject({ target, reason: "no" });
      // What only looks like it is the word of whoever says it.
      const other = await said(core, room, "fine", "x2");
      await raw(
        room,
        "x3",
        `<retract xmlns="${NS.retraction}" id="${other}"><moderated xmlns="urn:xmpp:message-moderate:1" by="${room}/alice"/></retract><store xmlns="urn:xmpp:hints"/>`,
      );
      await said(core, room, "behind", "x4");
      expect(core.ofKind("redaction", room)).toHaveLength(1);
    });
  });

  it("is all there, once and in order, after the connection was away", async () => {
    const { room, core } = await bridged();
    const one = await said(core, room, "one", "z1");
    const own = await say(room, textContent("ours"));
    spy.refuse();
    await core.until("the loss", () => core.statuses.get(server.component)?.state === "waiting");
    await raw(room, "z2", `<body>ONE</body><replace xmlns="${NS.correction}" id="z1"/>`);
    await raw(room, "z3", "<body>two</body>");
    await raw(
      room,
      "z4",
      `<reactions xmlns="${NS.reactions}" id="${own}"><reaction>👍</reaction></reactions><store xmlns="urn:xmpp:hints"/>`,
    );
    await raw(room, "z5", "<body>three</body>");
    await raw(room, "z6", `<reactions xmlns="${NS.reactions}" id="${own}"/><store xmlns="urn:xmpp:hints"/>`);
    await raw(
      room,
      "z7",
      `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body><store xmlns="urn:xmpp:hints"/>`,
    );
    await raw(room, "z8", "<body>last</body>");
    await groupchat("all said", room, ({ body }) => body === "last");
    spy.admit();
    await core.until("the last", () => core.texts(room).includes("last"));
    expect(core.received.filter(({ channel }) => channel === room).map(({ kind }) => kind)).toEqual([
      ...["message", "edit", "message", "reaction", "message", "reactionRemoved", "redaction", "message"],
    ]);
    expect(core.texts(room)).toEqual(["one", "two", "three", "last"]);
  });

  async function promote(room: string): Promise<void> {
    await alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item jid="${server.component}" affiliation="admin"/></query>`,
    );
  }
}

function idIn(outcome: Outcome): string {
  if (outcome === undefined || "failed" in outcome) throw new Error(JSON.stringify(outcome));
  return outcome.id ?? "";
}

function textIn(content: Content): string {
  return content.type === "text" ? toPlainText(content.body) : content.type;
}

function htmlIn(content: Content | undefined): string {
  return content?.type === "text" ? toMatrixHtml(content.body) : "";
}

/** The reactions in a stanza, one behind the other. */
function setIn(xml: string): string {
  if (!xml.includes(NS.reactions)) return "";
  return [...xml.matchAll(/reaction>([^<]+)</g)].map(([, key]) => key).join("");
}

function reactionsIn(received: readonly NetworkEvent[]): string[] {
  return received.flatMap((event) =>
    event.kind === "reaction" ? [`+${event.key}`] : event.kind === "reactionRemoved" ? [`-${event.key}`] : [],
  );
}
