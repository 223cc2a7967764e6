import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { ChannelId, EventId, RemoteUserId, type TextContent, UserId } from "@trestle/core";
import { richTextOf, toMatrixHtml } from "@trestle/rich-text";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import fc from "fast-check";
import { correctionOf } from "../dist/format/correction.js";
import { withNickMentions } from "../dist/network/outward/nick-mentions.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

const room = ChannelId("net/#room");
const text = (body: string): TextContent => ({ type: "text", style: "text", body: richTextOf(body) });

describe("a correction", () => {
  it.each([
    ["I saw teh cat over there", "I saw the cat over there", "s/teh/the/"],
    ["one fish two fish red fish blue fish", "one fish two fish green fish blue fish", "s/red/green/"],
    ["a b a b a c, and so on and on", "a b a x a c, and so on and on", "s/b a b/b a x/"],
    ["see http://a/b for details, please", "see http://a/c for details, please", "s|http://a/b|http://a/c|"],
    ["the same", "the same", ""],
    ["one", "something else", undefined],
    ["one\ntwo", "one\nthree", undefined],
  ])("of %j to %j is %j", (before, after, told) => {
    expect(correctionOf(before, after)).toBe(told);
  });

  it("applied to the text gives the new text, and is shorter than it", () => {
    const words = fc.array(fc.constantFrom("a", "b", "the", "cat", "sat/on", "#mat", "|", "~x"), { maxLength: 20 });
    fc.assert(
      fc.property(words, words, words, (head, middle, tail) => {
        const before = [...head, "x", ...tail].join(" ");
        const after = [...head, ...middle, ...tail].join(" ");
        const told = correctionOf(before, after);
        if (told === undefined || told === "") return;
        const [, was = "", is = ""] = told.split(told[1]!);
        expect(before.split(was)).toHaveLength(2);
        const spaces = (said: string) => said.replace(/\s+/g, " ").trim();
        expect(spaces(before.split(was).join(is))).toBe(spaces(after));
        expect(told.length).toBeLessThan(after.length);
      }),
      { seed: 20260601, numRuns: 1_000 },
    );
  });
});

describe("a nick in a line", () => {
  const people = new Set(["will", "carol", "a[b]\\c", "x-1`", "mark_2", "bob"]);
  const html = (line: string): string =>
    toMatrixHtml(
      withNickMentions(richTextOf(line), (nick) =>
        people.has(nick.toLowerCase()) ? { kind: "matrixUser", userId: "@x:example.org" } : undefined,
      ),
    ).replace(/<a href="[^"]*">([^<]*)<\/a>/g, "[$1]");

  it.each([
    ["carol: hello", "[carol]: hello"],
    ["carol, hello", "[carol], hello"],
    ["I will: go", "I will: go"],
    ["will you come?", "will you come?"],
    ["ask @carol about it", "ask [@carol] about it"],
    ["mail carol@example.org or me@carol.org", "mail carol@example.org or me@carol.org"],
    ["mark_2 said so", "[mark_2] said so"],
    ["a[b]\\c waves", "[a[b]\\c] waves"],
    ["https://example.org/mark_2/x and #mark_2", "https://example.org/mark_2/x and #mark_2"],
    ["bobby: no", "bobby: no"],
    ["@bob @bob", "[@bob] [@bob]"],
    ["$1 $` carol", "$1 $` carol"],
  ])("%j is %j", (line, shown) => {
    expect(html(line)).toBe(shown);
  });

  it("never changes what is read", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...people, "@", ": ", " ", "will"), fc.string())), (pieces) => {
        const line = pieces.join("").replace(/[\r\n]/g, " ");
        const body = withNickMentions(richTextOf(line), () => ({ kind: "everyone" }));
        const shown = body.blocks.flatMap((block) => ("children" in block ? block.children : []));
        expect(shown.map((inline) => ("text" in inline ? inline.text : "")).join("")).toBe(
          richTextOf(line)
            .blocks.flatMap((block) => ("children" in block ? block.children : []))
            .map((inline) => ("text" in inline ? inline.text : ""))
            .join(""),
        );
      }),
      { seed: 20260602, numRuns: 500 },
    );
  });
});

describe("what is said on IRC", () => {
  let server: IrcServer;
  let person: IrcTestClient;
  let bridge: RunningBridge;

  async function start(
    options: Parameters<typeof IrcServer.start>[0] = {},
    more: Parameters<typeof networkOn>[1] = {},
  ) {
    server = await IrcServer.start(options);
    person = await IrcTestClient.connect({ port: server.port, nick: "Carol", caps: ["message-tags"] });
    await person.join("#room");
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port, more)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }).then((each) => each.ready());
  }
  afterEach(async () => {
    await bridge.end();
    person.close();
    await server.stop();
  });

  const said = () =>
    server
      .channel("#room")
      .log.filter(({ from }) => from !== "Carol")
      .flatMap(({ text: lines }) => lines.split("\n"));

  it("of a long text is its beginning, and a link to the whole", async () => {
    await start({}, { maxLines: 3 });
    bridge.core.textLink = (inRoom, event) => `https://bridge.example.org/${inRoom}/${event}`;
    await bridge.say({ channel: room, text: "1\n2\n3" });
    await bridge.say({ channel: room, text: "1\n2\n3\n4\n5", id: "long" });
    await server.waitFor(() => said().length >= 6);
    expect(said()).toEqual(["1", "2", "3", "1", "2", "… 3 more lines: https://bridge.example.org/!room/$long"]);
  });

  it("of a long text is all of it where there is no page for it", async () => {
    await start({}, { maxLines: 3 });
    await bridge.say({ channel: room, text: "1\n2\n3\n4\n5" });
    await server.waitFor(() => said().length >= 5);
    expect(said()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("of an edit is what changed; nothing where nothing did", async () => {
    await start();
    const edit = (before: string, after: string) =>
      bridge.say({
        channel: room,
        text: `* ${after}`,
        correction: { before: text(before), content: text(after) },
      });
    await edit("I saw teh cat over there", "I saw the cat over there");
    expect(await edit("same", "same")).toEqual([]);
    await edit("one", "something else");
    await server.waitFor(() => said().length >= 2);
    expect(said()).toEqual(["s/teh/the/", "* something else"]);
  });

  it("of an edit is the whole text where what it changed is not on the screen any more", async () => {
    await start();
    const edit = (before: string, after: string, minutes: number) => {
      const correction = { before: text(before), content: text(after), at: Date.now() - minutes * 60_000 };
      return bridge.say({ channel: room, text: `* ${after}`, correction });
    };
    await edit("I saw teh cat over there", "I saw the cat over there", 9);
    await edit("I saw teh cat over there", "I saw the cat over there", 11);
    expect(await edit("same", "same", 11)).toEqual([]);
    expect(said()).toEqual(["s/teh/the/", "* I saw the cat over there"]);
  });

  it("of a reply begins with whom it answers, as they are called on IRC", async () => {
    await start();
    await bridge.say({ channel: room, text: "hi", user: "@bob:example.org", name: "Bob the Builder" });
    const now = Date.now();
    const base = {
      event: EventId("$q"),
      excerpt: "shall we meet\ton Tuesday, or rather on Wednesday at noon?",
      at: now,
    };
    const say = (answer: string, replyTo: object) =>
      bridge.say({ channel: room, text: answer, replyTo: { ...base, ...replyTo } });
    await say("1", { remoteAuthor: RemoteUserId("net/carol"), authorName: "Renamed on Matrix" });
    await say("2", { matrixAuthor: UserId("@bob:example.org"), authorName: "Bob the Builder" });
    await say("3", { matrixAuthor: UserId("@dan:example.org"), authorName: "Dan\r\nQUIT :x" });
    await say("4", { remoteAuthor: RemoteUserId("net/carol"), at: now - 3_600_000 });
    await say("5", { matrixAuthor: UserId("@alice:example.org"), authorName: "Alice" });
    await server.waitFor(() => said().length >= 6);
    const bob = server.channel("#room").log.find(({ text: line }) => line === "hi")!.from;
    expect(said().slice(1)).toEqual([
      "Carol: 1",
      `${bob}: 2`,
      expect.stringMatching(/^Dan\s*QUIT :x: 3$/),
      expect.stringMatching(/^Carol, re “shall we meet on Tuesday.{0,20}”: 4$/),
      expect.stringMatching(/^re “shall we meet on Tuesday.{0,20}”: 5$/),
    ]);
  });

  it("of several lines is one message where the server takes it, confirmed, with its id and what it answers", async () => {
    await start();
    const watcher = await IrcTestClient.connect({
      port: server.port,
      nick: "Watcher",
      caps: ["message-tags", "batch", "draft/multiline"],
    });
    await watcher.join("#room");
    const [outcome] = await bridge.say({ channel: room, text: "one\ntwo\nthree", answers: "q1" });
    const opened = await watcher.waitForLine(
      ({ command, params }) => command === "BATCH" && params[1] === "draft/multiline",
    );
    expect(outcome).toEqual({ id: expect.any(String) });
    expect(opened).toContain(`msgid=${(outcome as { id: string }).id}`);
    expect(said()).toEqual(["one", "two", "three"]);
    watcher.close();
  });

  it("of several lines is line by line where the server takes no more", async () => {
    await start({ without: ["draft/multiline"] });
    const outcomes = await bridge.say({ channel: room, text: "one\ntwo" });
    expect(outcomes).toHaveLength(2);
    expect(said()).toEqual(["one", "two"]);
  });

  it("by somebody on IRC in several lines is one message, under the id of the whole", async () => {
    await start();
    const writer = await IrcTestClient.connect({
      port: server.port,
      nick: "Writer",
      caps: ["message-tags", "batch", "draft/multiline", "echo-message"],
    });
    await writer.join("#room");
    for (const line of ["BATCH +1 draft/multiline #room", "@batch=1 PRIVMSG #room :one", "@batch=1 PRIVMSG #room :two"])
      writer.raw(line);
    writer.raw("BATCH -1");
    writer.say("#room", "after");
    await bridge.core.until("both", () => bridge.core.messages().length === 2);
    expect(bridge.core.texts()).toEqual(["one\ntwo", "after"]);
    expect(bridge.core.messages()[0]?.id).toBe(server.channel("#room").log[0]?.tags["msgid"]);
    writer.close();
  });
});
