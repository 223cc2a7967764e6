import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { textContent, type Content } from "@trestle/core";
import { toMatrixHtml } from "@trestle/rich-text";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { onEachServer } from "./support/each-server.js";
import { BOB, NS, reactionsIn, SaidStage, textIn, USERS } from "./support/said-stage.js";

await onEachServer("to Matrix from rooms of $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let stage: SaidStage;

  beforeAll(async () => {
    stage = await SaidStage.build(install, start);
  }, 60_000);
  afterEach(() => stage.stopBridge());
  afterAll(() => stage.close(), 60_000);

  it("is formatted, spoils, mentions and is where it is", async () => {
    const { room, core } = await stage.bridged();
    await stage.say(room, textContent("here"));
    await stage.groupchat("bob there", room, ({ body }) => body === "here");
    await stage.raw(room, "f1", "<body>this is *bold* and `code`</body>");
    await stage.raw(
      room,
      "f2",
      `<body>bob: look</body><reference xmlns="${NS.references}" type="mention" begin="0" end="3" uri="xmpp:${room}/bob"/>`,
    );
    await stage.raw(room, "f3", "<body>bob: hello</body>");
    await stage.raw(room, "f4", `<body>he dies</body><spoiler xmlns="urn:xmpp:spoiler:0">end</spoiler>`);
    await stage.raw(room, "f5", "<body>geo:51.5,-0.12</body>");
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
    const { room, core } = await stage.bridged();
    const id = await stage.said(core, room, "teh", "c1");
    const correct = (body: string, nr: string) =>
      stage.raw(room, nr, `<body>${body}</body><replace xmlns="${NS.correction}" id="c1"/>`);
    await correct("the", "c2");
    await core.until("the correction", () => core.ofKind("edit", room).length === 1);
    await stage.again(core, room);
    await correct("The", "c3");
    await stage.raw(room, "c4", "<body>behind</body>");
    await core.until("what is behind", () => core.texts(room).includes("behind"));
    const kinds = core.done.filter(({ channel }) => channel === room).map(({ kind }) => kind);
    expect(kinds).toEqual(["message", "edit", "edit", "message"]);
    expect(core.ofKind("edit", room).map((edit) => [edit.target, textIn(edit.content)])).toEqual([
      [id, "the"],
      [id, "The"],
    ]);
    await stage.another(room, "c5", `<body>forged</body><replace xmlns="${NS.correction}" id="c1"/>`);
    await core.until("what it is instead", () => core.texts(room).includes("forged"));
  });

  it("answers, by the id of the room", async () => {
    const { room, core } = await stage.bridged();
    const target = await stage.say(room, textContent("tea?"));
    await stage.raw(
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
    const { room, core } = await stage.bridged();
    await stage.raw(room, "t1", "<body>one</body><thread>abc</thread>");
    await core.until("the first", () => core.messages(room).length === 1);
    await stage.again(core, room);
    await stage.raw(room, "t2", "<body>two</body><thread>abc</thread>");
    await core.until("the second", () => core.messages(room).length === 2);
    const [one, two] = core.messages(room);
    expect(one).not.toHaveProperty("thread");
    expect(two).toMatchObject({ thread: one?.id });
    const thread = { event: "$one", id: one?.id };
    await stage.say(room, textContent("three"), { thread });
    const seen = await stage.groupchat("the third", room, ({ body }) => body === "three");
    expect(seen.xml).toMatch(/thread[^>]*>abc</);
  });

  it("reacts: what is new is given and what is missing is taken back, also after a restart", async () => {
    const { room, core } = await stage.bridged();
    const target = await stage.say(room, textContent("cake"));
    const react = (nr: string, ...keys: string[]) =>
      stage.raw(
        room,
        nr,
        `<reactions xmlns="${NS.reactions}" id="${target}">${keys.map((key) => `<reaction>${key}</reaction>`).join("")}</reactions><store xmlns="urn:xmpp:hints"/>`,
      );
    await react("e1", "👍", "🍰");
    await core.until("both", () => core.ofKind("reaction", room).length === 2);
    await stage.again(core, room);
    await react("e2", "🍰", "🎂");
    await core.until("the third", () => core.ofKind("reaction", room).length === 3);
    await react("e3");
    await core.until("all gone", () => core.ofKind("reactionRemoved", room).length === 3);
    expect(reactionsIn(core.received)).toEqual(["+👍", "+🍰", "-👍", "+🎂", "-🍰", "-🎂"]);
    expect(core.ofKind("reaction", room).every((event) => event.target === target)).toBe(true);
  });

  it("is taken back by its sender, in the ways of today and before, and by nobody else", async () => {
    const { room, core } = await stage.bridged();
    const one = await stage.said(core, room, "one", "w1");
    const two = await stage.said(core, room, "two", "w2");
    await stage.again(core, room);
    await stage.another(room, "b1", `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body>`);
    await stage.raw(room, "w3", `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body>`);
    await stage.raw(
      room,
      "w4",
      `<apply-to xmlns="urn:xmpp:fasten:0" id="${two}"><retract xmlns="urn:xmpp:message-retract:0"/></apply-to><body>gone</body>`,
    );
    await core.until("both", () => core.ofKind("redaction", room).length === 2);
    expect(core.ofKind("redaction", room).map(({ target }) => target)).toEqual([one, two]);
  });

  it("shows files, and what is said of them", async () => {
    const { room, core } = await stage.bridged();
    const url = `http://127.0.0.1:${stage.server.httpPort}/x/cat.png`;
    await stage.raw(room, "m1", `<body>${url}</body><x xmlns="${NS.oob}"><url>${url}</url></x>`);
    await stage.raw(
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
    const { room, core } = await stage.bridged();
    await stage.raw(room, "p1", `<composing xmlns="http://jabber.org/protocol/chatstates"/>`);
    await core.until("it", () => core.signals.length === 1);
    expect(core.signals[0]).toMatchObject({ channel: room, user: { name: "alice" } });
    expect(core.signals[0]?.forMs).toBeGreaterThan(0);
    await stage.raw(room, "p2", `<body>done</body><active xmlns="http://jabber.org/protocol/chatstates"/>`);
    await core.until("the end of it", () => core.signals.length === 2);
    expect(core.signals[1]?.forMs).toBe(0);
  });

  it("is taken away by a moderator", async () => {
    if (stage.server.name === "ejabberd") {
      process.stdout.write("left out: ejabberd 23.01 has no message moderation (XEP-0425)\n");
      return;
    }
    const { room, core } = await stage.bridged();
    const target = await stage.said(core, room, "spam", "x1");
    await stage.alice.query(
      room,
      "set",
      `<moderate xmlns="urn:xmpp:message-moderate:1" id="${target}"><retract xmlns="${NS.retraction}"/><reason>no</reason></moderate>`,
    );
    await core.until("it", () => core.ofKind("redaction", room).length === 1);
    expect(core.ofKind("redaction", room)[0]).toMatchObject({ target, reason: "no" });
    // What only looks like it is the word of whoever says it.
    const other = await stage.said(core, room, "fine", "x2");
    await stage.raw(
      room,
      "x3",
      `<retract xmlns="${NS.retraction}" id="${other}"><moderated xmlns="urn:xmpp:message-moderate:1" by="${room}/alice"/></retract><store xmlns="urn:xmpp:hints"/>`,
    );
    await stage.said(core, room, "behind", "x4");
    expect(core.ofKind("redaction", room)).toHaveLength(1);
  });
  it("is all there, once and in order, after the connection was away", async () => {
    const { room, core } = await stage.bridged();
    const one = await stage.said(core, room, "one", "z1");
    const own = await stage.say(room, textContent("ours"));
    stage.spy.refuse();
    await core.until("the loss", () => core.statuses.get(stage.server.component)?.state === "waiting");
    await stage.raw(room, "z2", `<body>ONE</body><replace xmlns="${NS.correction}" id="z1"/>`);
    await stage.raw(room, "z3", "<body>two</body>");
    await stage.raw(
      room,
      "z4",
      `<reactions xmlns="${NS.reactions}" id="${own}"><reaction>👍</reaction></reactions><store xmlns="urn:xmpp:hints"/>`,
    );
    await stage.raw(room, "z5", "<body>three</body>");
    await stage.raw(room, "z6", `<reactions xmlns="${NS.reactions}" id="${own}"/><store xmlns="urn:xmpp:hints"/>`);
    await stage.raw(
      room,
      "z7",
      `<retract xmlns="${NS.retraction}" id="${one}"/><body>gone</body><store xmlns="urn:xmpp:hints"/>`,
    );
    await stage.raw(room, "z8", "<body>last</body>");
    await stage.groupchat("all said", room, ({ body }) => body === "last");
    stage.spy.admit();
    await core.until("the last", () => core.texts(room).includes("last"));
    expect(core.done.filter(({ channel }) => channel === room).map(({ kind }) => kind)).toEqual([
      ...["message", "edit", "message", "reaction", "message", "reactionRemoved", "redaction", "message"],
    ]);
    expect(core.texts(room)).toEqual(["one", "two", "three", "last"]);
  });
}

function htmlIn(content: Content | undefined): string {
  return content?.type === "text" ? toMatrixHtml(content.body) : "";
}
