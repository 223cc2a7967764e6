import { describe, expect, it } from "@jest/globals";
import { parseMatrixHtml, richTextOf, toPlainText } from "@trestle/rich-text";
import fc from "fast-check";
import { contentOf, matrixContentOf, type MatrixMessage } from "../../dist/bridge/content/index.js";
import { pollOf, textInPoll, type Poll } from "../../dist/bridge/content/poll.js";

const seed = 20260417;
const read = (content: Record<string, unknown>, type = "m.room.message"): MatrixMessage => contentOf(type, content);
const html = (body: string, formatted_body: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  msgtype: "m.text",
  format: "org.matrix.custom.html",
  body,
  formatted_body,
  ...more,
});
const reply = { "m.relates_to": { "m.in_reply_to": { event_id: "$asked" } } };

/** The plain text of what was read. */
function shown(message: MatrixMessage): string {
  if (message.kind !== "message" && message.kind !== "edit") throw new Error(`It is ${message.kind}.`);
  if (message.content.type !== "text") throw new Error(`It is ${message.content.type}.`);
  return toPlainText(message.content.body);
}

describe("texts", () => {
  it("reads text, notice and emote, plain and formatted", () => {
    expect(read({ msgtype: "m.text", body: "two  spaces" })).toEqual({
      kind: "message",
      content: { type: "text", style: "text", body: richTextOf("two  spaces") },
      mentions: { userIds: [], everyone: false },
      relation: { kind: "none" },
    });
    expect(read({ msgtype: "m.notice", body: "x" })).toMatchObject({ content: { style: "notice" } });
    expect(read({ msgtype: "m.server_notice", body: "x" })).toMatchObject({ content: { style: "notice" } });
    expect(read({ msgtype: "m.emote", body: "waves" })).toMatchObject({ content: { style: "emote" } });
    expect(read(html("**bold**", "<b>bold</b>"))).toMatchObject({ content: { body: parseMatrixHtml("<b>bold</b>") } });
  });

  it("falls back to the body where the HTML shows nothing or has another format", () => {
    expect(shown(read(html("plain", "<mx-reply>quoted</mx-reply>")))).toBe("plain");
    expect(shown(read({ ...html("plain", "<b>x</b>"), format: "text/x-unknown" }))).toBe("plain");
    expect(shown(read({ ...html("plain", ""), formatted_body: 7 }))).toBe("plain");
  });

  it("shows the body of what it does not know", () => {
    expect(shown(read({ msgtype: "org.example.new", body: "readable" }))).toBe("readable");
    expect(shown(read({ body: "no msgtype" }))).toBe("no msgtype");
    expect(shown(read({ msgtype: "m.key.verification.request", body: "wants to verify", to: "@a:b" }))).toBe(
      "wants to verify",
    );
  });

  it("says why nothing can be made of an event", () => {
    expect(read({})).toEqual({ kind: "unusable", reason: "it is empty, for instance because it was redacted" });
    expect(read({ msgtype: "m.text", body: "" })).toEqual({ kind: "unusable", reason: "it has no text" });
    expect(read({ msgtype: "m.text", body: ["x"] })).toEqual({ kind: "unusable", reason: "it has no text" });
    expect(contentOf("m.room.encrypted", { ciphertext: "x" })).toMatchObject({
      kind: "unusable",
      reason: "it is encrypted",
    });
    expect(contentOf("m.call.invite", {})).toMatchObject({ kind: "unusable" });
    expect(contentOf("m.room.message", null)).toMatchObject({ kind: "unusable" });
  });
});

describe("replies", () => {
  it("leaves out the quotation of old clients, and only that", () => {
    expect(
      shown(read({ msgtype: "m.text", body: "> <@ann:example.org> first\n> second\n\nthe answer", ...reply })),
    ).toBe("the answer");
    expect(shown(read({ msgtype: "m.text", body: "> * <@ann:example.org> waves\n\nthe answer", ...reply }))).toBe(
      "the answer",
    );
    expect(shown(read({ msgtype: "m.text", body: "> typed by hand\n\nthe answer", ...reply }))).toBe(
      "> typed by hand\n\nthe answer",
    );
    expect(shown(read({ msgtype: "m.text", body: "> <@ann:example.org> no reply\n\nthe answer" }))).toContain(
      "no reply",
    );
    expect(
      shown(
        read(html("> <@ann:example.org> x\n\nanswer", "<mx-reply><blockquote>x</blockquote></mx-reply>answer", reply)),
      ),
    ).toBe("answer");
  });

  it("tells replies, threads and references apart", () => {
    const relation = (relates: unknown): unknown => {
      const message = read({ msgtype: "m.text", body: "x", "m.relates_to": relates });
      return message.kind === "message" ? message.relation : message.kind;
    };
    expect(relation({ "m.in_reply_to": { event_id: "$a" } })).toEqual({ kind: "reply", replyTo: "$a" });
    const thread = { rel_type: "m.thread", event_id: "$root" };
    expect(relation(thread)).toEqual({ kind: "thread", root: "$root", isFallingBack: false });
    expect(relation({ ...thread, is_falling_back: true, "m.in_reply_to": { event_id: "$last" } })).toEqual({
      kind: "thread",
      root: "$root",
      isFallingBack: true,
      replyTo: "$last",
    });
    expect(relation({ ...thread, "m.in_reply_to": { event_id: "$last" } })).toMatchObject({
      isFallingBack: false,
      replyTo: "$last",
    });
    expect(relation({ rel_type: "m.reference", event_id: "$poll" })).toEqual({ kind: "reference", target: "$poll" });
    expect(relation({ rel_type: "m.thread", event_id: "no event id" })).toEqual({ kind: "none" });
    expect(relation({ "m.in_reply_to": { event_id: ["$a"] } })).toEqual({ kind: "none" });
    expect(relation("m.thread")).toEqual({ kind: "none" });
    expect(relation({ rel_type: "m.annotation", event_id: "$a", key: "x" })).toBe("unusable");
  });
});

describe("edits and reactions", () => {
  it("reads the new content of an edit, and no relation inside of it", () => {
    const edit = {
      ...html("* new", "* <b>new</b>"),
      "m.new_content": { ...html("new", "<b>new</b>"), "m.mentions": { user_ids: ["@ann:example.org"] }, ...reply },
      "m.relates_to": { rel_type: "m.replace", event_id: "$old" },
    };
    expect(read(edit)).toEqual({
      kind: "edit",
      target: "$old",
      content: { type: "text", style: "text", body: parseMatrixHtml("<b>new</b>") },
      mentions: { userIds: ["@ann:example.org"], everyone: false },
    });
    const { "m.new_content": _missing, ...bare } = edit;
    expect(read(bare)).toMatchObject({ kind: "edit", content: { body: parseMatrixHtml("<b>new</b>") } });
    expect(read({ ...edit, "m.new_content": {} })).toMatchObject({ kind: "unusable" });
  });

  it("reads reactions", () => {
    const reaction = (relates: unknown): MatrixMessage => contentOf("m.reaction", { "m.relates_to": relates });
    expect(reaction({ rel_type: "m.annotation", event_id: "$a", key: "👍" })).toEqual({
      kind: "reaction",
      target: "$a",
      key: "👍",
    });
    expect(reaction({ rel_type: "m.annotation", event_id: "$a" })).toMatchObject({ kind: "unusable" });
    expect(reaction({ rel_type: "m.annotation", event_id: "$a", key: "x".repeat(256) })).toMatchObject({
      kind: "unusable",
    });
    expect(reaction(undefined)).toMatchObject({ kind: "unusable" });
  });
});

describe("mentions", () => {
  it("reads m.mentions as far as it is well-formed", () => {
    const mentions = {
      user_ids: ["@ann:example.org", 7, "nobody", "@ann:example.org", "@bob:example.org"],
      room: true,
    };
    expect(read({ msgtype: "m.text", body: "x", "m.mentions": mentions })).toMatchObject({
      mentions: { userIds: ["@ann:example.org", "@bob:example.org"], everyone: true },
    });
    expect(read({ msgtype: "m.text", body: "x", "m.mentions": { room: "yes" } })).toMatchObject({
      mentions: { userIds: [], everyone: false },
    });
  });

  it("takes @room for a mention only where the event means it", () => {
    const event = html("@room hi", "@room hi");
    expect(shown(read(event))).toBe("@room hi");
    expect(read(event)).toMatchObject({ content: { body: richTextOf("@room hi") } });
    for (const content of [event, { msgtype: "m.text", body: "@room hi" }]) {
      expect(read({ ...content, "m.mentions": { room: true } })).toMatchObject({
        content: {
          body: { blocks: [{ children: [{ type: "mention", target: { kind: "everyone" } }, { text: " hi" }] }] },
        },
      });
    }
  });
});

describe("files, stickers, locations", () => {
  const url = "mxc://example.org/abc";
  const info = { mimetype: "Image/PNG", size: 1234.2, w: 4, h: 3, duration: "long", thumbnail_url: url };

  it("reads files of each kind", () => {
    expect(read({ msgtype: "m.image", body: "cat.png", url, info })).toMatchObject({
      content: {
        type: "media",
        kind: "image",
        name: "cat.png",
        source: { from: "matrix", uri: url },
        mimeType: "image/png",
        size: 1234,
        width: 4,
        height: 3,
      },
    });
    for (const kind of ["video", "audio", "file"])
      expect(read({ msgtype: `m.${kind}`, body: "x", url })).toMatchObject({ content: { kind } });
    expect(read({ msgtype: "m.audio", body: "x", url, "org.matrix.msc3245.voice": {} })).toMatchObject({
      content: { kind: "voice" },
    });
    expect(contentOf("m.sticker", { body: "Hi there", url, info: {} })).toMatchObject({
      content: { kind: "sticker", name: "Hi there" },
    });
  });

  it("tells a caption from a file name", () => {
    expect(read({ msgtype: "m.image", body: "look", filename: "cat.png", url })).toMatchObject({
      content: { name: "cat.png", caption: richTextOf("look") },
    });
    expect(read({ ...html("*look*", "<i>look</i>"), msgtype: "m.image", filename: "cat.png", url })).toMatchObject({
      content: { caption: parseMatrixHtml("<i>look</i>") },
    });
    for (const filename of ["cat.png", undefined, 7]) {
      expect(read({ msgtype: "m.image", body: "cat.png", filename, url })).not.toHaveProperty("content.caption");
    }
  });

  it("makes file names harmless", () => {
    const name = (filename: string): unknown => {
      const message = read({ msgtype: "m.file", body: filename, url });
      return message.kind === "message" && message.content.type === "media" ? message.content.name : undefined;
    };
    expect(name("../../etc/passwd")).toBe("passwd");
    expect(name("C:\\dir\\a.txt")).toBe("a.txt");
    expect(name("..")).toBe("file");
    expect(name("a\r\nb\0.txt")).toBe("a b.txt");
    expect(Buffer.byteLength(String(name("ü".repeat(500))))).toBeLessThanOrEqual(200);
  });

  it("names a file that can not be reached", () => {
    expect(shown(read({ msgtype: "m.image", body: "cat.png", url: "https://example.org/x" }))).toBe("cat.png");
    expect(shown(read({ msgtype: "m.image", body: "cat.png", file: { url, key: {} } }))).toBe(
      "cat.png (an encrypted file, which can not be passed on)",
    );
  });

  it("reads locations", () => {
    expect(read({ msgtype: "m.location", body: "Big Ben", geo_uri: "geo:51.5008,-0.1247;u=35" })).toMatchObject({
      content: { type: "location", latitude: 51.5008, longitude: -0.1247, description: "Big Ben" },
    });
    for (const geo_uri of ["geo:91,0", "geo:x,y", "geo:1", 7, "geo:1e3,2", "javascript:1,2"]) {
      expect(shown(read({ msgtype: "m.location", body: "somewhere", geo_uri }))).toBe("somewhere");
    }
  });
});

describe("polls", () => {
  it("reads them under their unstable and their stable names", () => {
    const unstable = {
      "org.matrix.msc3381.poll.start": {
        question: { "org.matrix.msc1767.text": "Tea?" },
        answers: [{ id: "a", "org.matrix.msc1767.text": "Yes" }, { id: "b", "org.matrix.msc1767.text": "No" }, 7],
      },
    };
    const stable = {
      "m.poll": {
        question: { "m.text": [{ body: "Tea?" }] },
        answers: [
          { "m.id": "a", "m.text": [{ body: "Yes" }] },
          { "m.text": [{ body: "<b>No</b>", mimetype: "text/html" }, { body: "No" }] },
        ],
      },
    };
    expect(shown(contentOf("org.matrix.msc3381.poll.start", unstable))).toBe("Poll: Tea?\n\n1. Yes\n2. No");
    expect(shown(contentOf("m.poll.start", stable))).toBe("Poll: Tea?\n\n1. Yes\n2. No");
    const reference = { "m.relates_to": { rel_type: "m.reference", event_id: "$poll" } };
    expect(contentOf("m.poll.response", { ...reference, "m.selections": ["a"] })).toMatchObject({
      content: { style: "emote" },
      relation: { target: "$poll" },
    });
    expect(
      shown(contentOf("org.matrix.msc3381.poll.end", { ...reference, "org.matrix.msc1767.text": "Ended: Yes" })),
    ).toBe("Ended: Yes");
    expect(contentOf("m.poll.start", { "m.poll": { question: 7 } })).toMatchObject({ kind: "unusable" });
  });

  const answers = [
    { id: "a", "org.matrix.msc1767.text": "Yes" },
    { id: "b", "org.matrix.msc1767.text": "No" },
    { id: "c", "org.matrix.msc1767.text": "Later" },
  ];
  const unstablePoll = (settings: object): Poll | undefined =>
    pollOf("org.matrix.msc3381.poll.start", {
      "org.matrix.msc3381.poll.start": {
        question: { "org.matrix.msc1767.text": "Tea\nor not?" },
        answers,
        ...settings,
      },
    });
  const stablePoll = pollOf("m.poll.start", {
    "m.poll": {
      kind: "m.disclosed",
      max_selections: 2,
      question: { "m.text": [{ body: "Tea?" }] },
      answers: [
        { "m.id": "a", "m.text": [{ body: "Yes" }] },
        { "m.id": "b", "m.text": [{ body: "No" }] },
      ],
    },
  });
  const vote = (poll: Poll | undefined, content: Readonly<Record<string, unknown>>): string =>
    poll ? toPlainText(textInPoll("response", poll, content)) : "no poll";
  const unstableVote = (...chosen: unknown[]): Readonly<Record<string, unknown>> => ({
    "org.matrix.msc3381.poll.response": { answers: chosen },
  });

  it("says who voted for what, once each and no more than the poll allows", () => {
    const disclosed = unstablePoll({ kind: "org.matrix.msc3381.poll.disclosed", max_selections: 2 });
    expect(vote(disclosed, unstableVote("b"))).toBe("voted for “No” in the poll “Tea or not?”");
    expect(vote(disclosed, unstableVote("a", "a", "b", "c"))).toBe("voted for “Yes” in the poll “Tea or not?”");
    expect(vote(disclosed, unstableVote("c", "a", "b"))).toBe("voted for “Later”, “Yes” in the poll “Tea or not?”");
    expect(vote(stablePoll, { "m.selections": ["a", "b"] })).toBe("voted for “Yes”, “No” in the poll “Tea?”");
  });

  it("says that a vote was taken back, also where nothing of it is an answer", () => {
    for (const chosen of [[], ["z"], [7], [null], [{}]])
      expect(vote(stablePoll, { "m.selections": chosen })).toBe("took back their vote in the poll “Tea?”");
    expect(vote(stablePoll, {})).toBe("took back their vote in the poll “Tea?”");
  });

  it("keeps to itself who voted for what where the poll does not disclose it", () => {
    for (const kind of ["org.matrix.msc3381.poll.undisclosed", "something else", 7, undefined])
      expect(vote(unstablePoll({ kind }), unstableVote("a"))).toBe("voted in the poll “Tea or not?”");
  });

  it("names the poll that has ended", () => {
    const end = (content: Readonly<Record<string, unknown>>): string =>
      stablePoll ? toPlainText(textInPoll("end", stablePoll, content)) : "no poll";
    expect(end({ "m.text": [{ body: "The poll has ended. Top answer: Yes" }] })).toBe(
      "Poll “Tea?”: The poll has ended. Top answer: Yes",
    );
    expect(end({})).toBe("Poll “Tea?”: it has ended.");
  });

  it("takes only the beginning of a poll for a poll", () => {
    expect(pollOf("m.room.message", { "m.poll": { question: { "m.text": [{ body: "Tea?" }] } } })).toBeUndefined();
    expect(pollOf("m.poll.start", null)).toBeUndefined();
    const long = pollOf("m.poll.start", {
      "m.poll": { question: { "m.text": [{ body: "😀".repeat(500) }] }, answers: "x" },
    });
    expect(long?.question.length).toBeLessThanOrEqual(200);
    expect(long?.question.isWellFormed()).toBe(true);
  });
});

describe("any content", () => {
  const keys = fc.constantFrom(
    "msgtype",
    "body",
    "format",
    "formatted_body",
    "url",
    "file",
    "info",
    "filename",
    "geo_uri",
    "m.relates_to",
    "m.mentions",
    "m.new_content",
    "m.in_reply_to",
    "rel_type",
    "event_id",
    "key",
    "user_ids",
    "room",
    "w",
    "h",
    "size",
    "m.poll",
    "question",
    "answers",
    "m.text",
    "__proto__",
    "org.matrix.msc3245.voice",
  );
  const values = fc.oneof(
    fc.constantFrom<unknown>(
      "m.text",
      "m.image",
      "m.audio",
      "m.location",
      "org.matrix.custom.html",
      "$event",
      "@ann:example.org",
      "mxc://example.org/a",
      "geo:1,2",
      "m.replace",
      "m.thread",
      "m.annotation",
      true,
      null,
      1.5,
      -1,
      Number.MAX_VALUE,
      "<b>x",
      "\ud800\0",
      [],
      {},
    ),
    fc.string({ unit: "binary", maxLength: 20 }),
  );
  const { record } = fc.letrec<{ record: Record<string, unknown>; value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: "small" }, values, fc.array(tie("value"), { maxLength: 3 }), tie("record")),
    record: fc.dictionary(keys, tie("value"), { maxKeys: 8 }),
  }));
  const types = fc.constantFrom(
    "m.room.message",
    "m.sticker",
    "m.reaction",
    "m.poll.start",
    "m.poll.response",
    "org.matrix.msc3381.poll.end",
    "m.room.encrypted",
    "x",
  );

  it("gives a result that can be written again", () => {
    fc.assert(
      fc.property(types, record, (type, content) => {
        const message = contentOf(type, content);
        expect(JSON.parse(JSON.stringify(message))).toEqual(message);
        if (message.kind === "message" || message.kind === "edit")
          expect(() => matrixContentOf(message.content)).not.toThrow();
      }),
      { seed, numRuns: 3_000 },
    );
  });
});
