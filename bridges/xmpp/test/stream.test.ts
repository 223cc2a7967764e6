import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Backoff } from "../dist/stream/backoff.js";
import { xml, type Element } from "../dist/stream/index.js";
import { FakeServer, STREAM_HEADER, streamError } from "./support/fake-server.js";
import { ObservedStream, type StreamPlace } from "./support/observed-stream.js";

const opened: { stream?: ObservedStream; server?: FakeServer }[] = [];
afterEach(async () => {
  for (const { stream, server } of opened.splice(0)) {
    void stream?.stream.close();
    await server?.stop();
  }
});

async function serverWith(options?: Parameters<typeof FakeServer.start>[0]): Promise<FakeServer> {
  const server = await FakeServer.start(options);
  opened.push({ server });
  return server;
}

function streamTo(server: FakeServer, more: Partial<StreamPlace> = {}): ObservedStream {
  const stream = new ObservedStream({ port: server.port, ...more });
  opened.unshift({ stream });
  return stream;
}

async function connected(more: Partial<StreamPlace> = {}) {
  const server = await serverWith();
  const stream = streamTo(server, more);
  await stream.becomes("online");
  return { server, stream, session: await server.session(0) };
}

function message(body: string, attrs: Record<string, string> = {}): Element {
  return xml("message", { from: "a@bridge.test", to: "b@test", ...attrs }, xml("body", {}, body));
}

describe("reading", () => {
  it("reads characters that lie across two reads", async () => {
    const { stream, session } = await connected();
    const body = "Привет 😀 мир ".repeat(20);
    const bytes = Buffer.from(`<message from='b@test' to='a@bridge.test'><body>${body}</body></message>`);
    // A read for each byte: nothing is read before this side has let the other one have its turn.
    for (const byte of bytes) {
      await session.send(Buffer.from([byte]));
      await nextTurn();
    }
    const seen = await stream.gets("the message", ({ name }) => name === "message");
    expect(seen.getChildText("body")).toBe(body);
  });

  const breaking: Record<string, string> = {
    "an unknown entity": "<message><body>&foo;</body></message>",
    "a character that XML does not have": "<message><body>&#0;</body></message>",
    "tags that do not match": "<message><body></message>",
    "an end tag too many": "</message>",
    "text between stanzas": "hello<message/>",
    "what is no XML at all": "SSH-2.0-OpenSSH_9.2\r\n<<>><&;",
    "elements nested without end": "<a>".repeat(5_000),
    "a stanza without end": `<message><body>${"x".repeat(70_000)}`,
    "the end of the stream, and more behind it": "</stream:stream><message/><a>&foo;</b>",
    "a stream error, and more behind it": `${streamError("undefined-condition")}<message/>&foo;<`,
    "another host to go to":
      "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:1</see-other-host></stream:error>",
  };
  it.each(Object.entries(breaking))("survives %s, and connects again", async (_what, sent) => {
    const { server, stream, session } = await connected({ tuning: { maxStanzaLength: 60_000 } });
    await session.send(sent);
    await session.send("<message><body>&bar;</body></message>");
    await stream.online(2);
    await (await server.session(1)).send("<message id='after'/>");
    await stream.gets("a message after it", ({ attrs }) => attrs["id"] === "after");
  });

  it("survives an answer to the stream header that is no XMPP", async () => {
    const server = await serverWith({ header: "HTTP/1.1 400 Bad Request\r\n\r\n<a></b>&foo;" });
    const stream = streamTo(server);
    await stream.becomes("waiting");
    server.options = {};
    await stream.online(1);
  });

  it("does not keep what stands between stanzas", async () => {
    const { stream, session } = await connected({ tuning: { maxStanzaLength: 1_000 } });
    for (let time = 0; time < 50; time++) await session.send(`${" ".repeat(100)}<message id='m${time}'/>`);
    await stream.gets("the last message", ({ attrs }) => attrs["id"] === "m49");
    expect(stream.connections).toBe(1);
  });

  it("answers no query by itself", async () => {
    const { stream, session } = await connected();
    await session.send("<iq type='get' id='q' from='b@test' to='bridge.test'><query xmlns='jabber:iq:version'/></iq>");
    await stream.gets("the query", ({ attrs }) => attrs["id"] === "q");
    await stream.stream.send(message("end"));
    expect(await session.receives("the message", (text) => text.includes("end"))).not.toContain("<iq");
  });

  it("stops reading while too much is in hand", async () => {
    const waiting: (() => void)[] = [];
    const { stream, session } = await connected({
      tuning: { maxInHand: 10 },
      onStanza: () => new Promise<void>((resolve) => waiting.push(resolve)),
    });
    const filler = "x".repeat(1_000);
    for (let number = 0; number < 5_000; number++)
      session.socket.write(`<message id='m${number}'><body>${filler}</body></message>`);
    await stream.until("ten in hand", () => waiting.length >= 10);
    // One read may hold more than ten; thousands cannot come through.
    expect(stream.stanzas.length).toBeLessThan(500);
    let released = 0;
    while (stream.stanzas.length < 5_000) {
      const next = waiting.shift();
      if (next) {
        next();
        released += 1;
      } else await new Promise((resolve) => setImmediate(resolve));
    }
    expect(released).toBeGreaterThan(4_000);
    expect(stream.stanzas.map(({ attrs }) => attrs["id"])).toEqual(Array.from({ length: 5_000 }, (_, n) => `m${n}`));
    for (const release of waiting) release();
  });

  it("opens a new connection when a stanza cannot be dealt with", async () => {
    let refusals = 0;
    const { server, stream, session } = await connected({
      onStanza: () => (refusals++ === 0 ? Promise.reject(new Error("the disk is full")) : undefined),
    });
    await session.send("<message id='m'/>");
    await stream.online(2);
    expect(stream.states.some(({ detail }) => detail?.includes("the disk is full") === true)).toBe(true);
    await (await server.session(1)).send("<message id='again'/>");
    await stream.gets("what comes again", ({ attrs }) => attrs["id"] === "again");
  });
});

describe("writing", () => {
  it("writes nothing that XML cannot carry, and nothing as markup", async () => {
    const { stream, session } = await connected();
    const hostile = "\u0000\u0001\u000b\ufffe\uffff\ud800 </body></message><message from='admin@test'> &amp; ]]> \"'";
    expect(await stream.stream.send(message(hostile, { id: `x' onload="\u0001<` }))).toBeUndefined();
    expect(await session.receives("the message", (text) => text.endsWith("</message>"))).toBe(
      `<message from="a@bridge.test" to="b@test" id="x&apos; onload=&quot;\ufffd&lt;"><body>` +
        `${"\ufffd".repeat(6)} &lt;/body&gt;&lt;/message&gt;&lt;message from='admin@test'&gt; &amp;amp; ]]&gt; "'</body></message>`,
    );
  });

  it("refuses for good what is too large, too deep or no element", async () => {
    const { stream, session } = await connected({ tuning: { maxStanzaBytes: 1_000 } });
    let deep = xml("a");
    for (let depth = 0; depth < 20_000; depth++) deep = xml("a", {}, deep);
    for (const bad of [
      message("ö".repeat(500)),
      xml("message", {}, deep),
      xml("message><x", {}),
      xml("message", { "a='b' c": "d" }),
    ])
      expect(await stream.stream.send(bad)).toMatchObject({ failed: "permanent" });
    expect(await stream.stream.send(message("good"))).toBeUndefined();
    expect(await session.receives("the good one", (text) => text.includes("good"))).not.toContain("ö");
    expect(stream.connections).toBe(1);
  });

  it("sends nothing in the name of others, for which servers end the stream", async () => {
    const { stream, session } = await connected();
    for (const from of [
      "alice@test",
      "bridge.test@test/x",
      "test/a@bridge.test",
      "sub.bridge.test",
      "a@b@bridge.test.x",
    ])
      expect(await stream.stream.send(message("from elsewhere", { from }))).toMatchObject({ failed: "permanent" });
    for (const from of ["bridge.test", "bridge.test/x@test", "a@bridge.test/a@test"])
      expect(await stream.stream.send(message("from here", { from }))).toBeUndefined();
    expect(await stream.stream.send(message("the last"))).toBeUndefined();
    const sent = await session.receives("the last", (text) => text.includes("the last"));
    expect(sent.match(/from here/g)).toHaveLength(3);
    expect(sent).not.toContain("from elsewhere");
  });

  it("says that surely nothing was sent while it is not connected", async () => {
    const server = await serverWith({ handshake: null });
    const stream = streamTo(server);
    expect(await stream.stream.send(message("early"))).toMatchObject({ failed: "retry" });
    expect(await stream.stream.request(query("b@test"))).toMatchObject({
      kind: "failure",
      failure: { failed: "retry" },
    });
  });

  it("keeps the order of its calls", async () => {
    const { stream, session } = await connected();
    await Promise.all(Array.from({ length: 500 }, (_, n) => stream.stream.send(message(`n${n}`))));
    const text = await session.receives("the last", (received) => received.includes("n499<"));
    expect([...text.matchAll(/>n(\d+)</g)].map(([, n]) => Number(n))).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });

  it("sends nothing more to a server that does not read", async () => {
    const { stream, session } = await connected({ tuning: { maxBacklogBytes: 200_000 } });
    session.socket.pause();
    const sent: Promise<unknown>[] = [];
    let refused: unknown;
    for (let number = 0; number < 1_000 && refused === undefined; number++) {
      const outcome = stream.stream.send(message("y".repeat(50_000)));
      sent.push(outcome);
      refused = await Promise.race([
        outcome,
        new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
      ]);
    }
    expect(refused).toMatchObject({ failed: "retry", afterMs: 1_000 });
    session.socket.destroy();
    const outcomes = await Promise.all(sent);
    // What the system had not taken may or may not have arrived.
    expect(outcomes).toContainEqual(expect.objectContaining({ failed: "uncertain" }));
  });
});

function query(to: string): Element {
  return xml("iq", { type: "get", from: "a@bridge.test", to }, xml("query", { xmlns: "jabber:iq:version" }));
}

describe("queries", () => {
  const idIn = (text: string) => /id="([^"]+)"/.exec(text)?.[1] ?? "";

  it("takes an answer only from whom was asked, to whom asked", async () => {
    const { stream, session } = await connected();
    const answer = stream.stream.request(query("room@rooms.test/Nick"));
    const id = idIn(await session.receives("the query", (text) => text.includes("<iq")));
    await session.send(
      [
        `<iq type='result' id='${id}' from='mallory@evil.test' to='a@bridge.test'><forged/></iq>`,
        `<iq type='result' id='${id}' from='room@rooms.test/nick' to='a@bridge.test'><forged/></iq>`,
        `<iq type='result' id='${id}' from='room@rooms.test/Nick' to='other@bridge.test'><forged/></iq>`,
        `<iq type='result' id='${id}' to='a@bridge.test'><forged/></iq>`,
        `<iq type='result' id='${id}' from='ROOM@rooms.test/Nick' to='a@bridge.test'><real/></iq>`,
      ].join(""),
    );
    const given = await answer;
    expect(given.kind === "result" && given.stanza.getChild("real") !== undefined).toBe(true);
    expect(stream.stanzas).toEqual([]);
  });

  it("tells errors apart", async () => {
    const { stream, session } = await connected();
    const answer = stream.stream.request(query("b@test"));
    const id = idIn(await session.receives("the query", (text) => text.includes("<iq")));
    await session.send(
      `<iq type='error' id='${id}' from='b@test' to='a@bridge.test'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>moved</text><x xmlns='urn:x'/></error></iq>`,
    );
    expect(await answer).toEqual({
      kind: "error",
      error: { type: "cancel", condition: "gone", text: "moved", application: ["{urn:x}x"] },
    });
  });

  it("ends each of them: by time, by signal, with the connection", async () => {
    const { stream, session } = await connected();
    const uncertain = { kind: "failure", failure: { failed: "uncertain" } };
    expect(await stream.stream.request(query("b@test"), { timeoutMs: 10 })).toMatchObject(uncertain);
    const controller = new AbortController();
    const givenUp = stream.stream.request(query("b@test"), { signal: controller.signal });
    controller.abort();
    expect(await givenUp).toMatchObject(uncertain);
    const cut = stream.stream.request(query("c@test"));
    await session.receives("the last query", (text) => text.includes("c@test"));
    session.socket.destroy();
    expect(await cut).toMatchObject(uncertain);
  });

  it("bounds how many wait", async () => {
    const { stream } = await connected({ tuning: { maxRequests: 2 } });
    void stream.stream.request(query("b@test"));
    void stream.stream.request(query("b@test"));
    expect(await stream.stream.request(query("b@test"))).toMatchObject({ failure: { failed: "retry" } });
  });
});

describe("connecting", () => {
  it("stops and says so when the secret is wrong", async () => {
    const server = await serverWith();
    const stream = streamTo(server, { secret: "wrong" });
    expect((await stream.becomes("failed")).detail).toMatch(/refused the secret.*Put the same secret/);
    expect(server.connections).toBe(1);
  });

  it("stops and says so when something else has the domain", async () => {
    const server = await serverWith({ handshake: streamError("conflict") });
    const stream = streamTo(server);
    expect((await stream.becomes("failed")).detail).toMatch(/Something else is connected/);
  });

  it("asks again for a time when the server may not know yet that the last connection is dead", async () => {
    const server = await serverWith({ handshake: streamError("conflict") });
    const stream = streamTo(server, { tuning: { conflictMs: 60_000 } });
    await stream.until("a second attempt", () => server.connections >= 2);
    server.options = {};
    await stream.online(1);
  });

  it("does not fight for the domain with whoever took it", async () => {
    const { server, stream, session } = await connected({ tuning: { conflictMs: 60_000 } });
    await session.send(streamError("conflict"));
    await stream.becomes("failed");
    expect(server.connections).toBe(1);
  });

  it("waits longer from attempt to attempt, never the same for two", () => {
    const most = new Backoff(500, 60_000, () => 0);
    const least = new Backoff(500, 60_000, () => 1);
    const waits = Array.from({ length: 12 }, () => [least.next(), most.next()]);
    expect(waits.slice(0, 3)).toEqual([
      [250, 500],
      [500, 1_000],
      [1_000, 2_000],
    ]);
    expect(waits.at(-1)).toEqual([30_000, 60_000]);
    most.reset();
    expect(most.next()).toBe(500);
  });

  it("tries again and again where the server does not know the domain yet", async () => {
    const server = await serverWith({ header: STREAM_HEADER + streamError("host-unknown") });
    const stream = streamTo(server);
    await stream.until("five attempts", () => server.connections >= 5);
    expect(stream.states.find(({ state }) => state === "waiting")?.detail).toContain("host-unknown");
  });

  it("notices a connection that is silently dead", async () => {
    const { server, stream, session } = await connected({ tuning: { silenceMs: 50, answerMs: 1_500 } });
    expect(await session.receives("a ping", (text) => text.includes("urn:xmpp:ping"))).toContain('to="bridge.test"');
    server.options = { echo: true };
    await stream.online(2);
    // One that answers, by routing the ping back, stays.
    const second = await server.session(1);
    await second.receives("three pings", (text) => text.split("urn:xmpp:ping").length > 3);
    expect(stream.connections).toBe(2);
    expect(stream.stanzas).toEqual([]);
  });

  it("gives up on a server that accepts and says nothing", async () => {
    const server = await serverWith({ handshake: null });
    const stream = streamTo(server, { tuning: { connectTimeoutMs: 50 } });
    await stream.until("a second attempt", () => server.connections >= 2);
  });

  it("closes for good, with all that the server had given out before it knew", async () => {
    const { server, stream, session } = await connected();
    void stream.stream.send(message("last words"));
    const closed = stream.stream.close();
    await session.receives(
      "the end of the stream",
      (text) => text.includes("last words") && text.endsWith("</stream:stream>"),
    );
    // A server that reads the end of the connection now would drop what it has not written.
    expect(session.socket.readableEnded).toBe(false);
    expect(await stream.stream.send(message("too late"))).toMatchObject({ failed: "retry" });
    await session.send("<message from='b@test' to='a@bridge.test'><body>on its way</body></message></stream:stream>");
    await closed;
    expect(stream.stanzas.map((stanza) => stanza.getChildText("body"))).toEqual(["on its way"]);
    expect(stream.stream.state.state).toBe("closed");
    expect(await stream.stream.send(message("too late"))).toMatchObject({ failed: "retry" });
    expect(server.connections).toBe(1);
  });

  it("does not wait for ever for the server to close", async () => {
    const { server, stream } = await connected({ tuning: { closeTimeoutMs: 20 } });
    await stream.stream.close();
    expect(stream.stream.state.state).toBe("closed");
    expect(server.connections).toBe(1);
  });

  it("is closed when all that came is dealt with", async () => {
    let dealtWith: () => void = () => undefined;
    const { stream, session } = await connected({
      tuning: { closeTimeoutMs: 20 },
      onStanza: () => new Promise<void>((resolve) => (dealtWith = resolve)),
    });
    await session.send("<message from='b@test' to='a@bridge.test'><body>slow disk</body></message>");
    await stream.gets("the message", ({ name }) => name === "message");
    let isClosed = false;
    const closed = stream.stream.close().then(() => (isClosed = true));
    await stream.becomes("closed");
    await nextTurn();
    expect(isClosed).toBe(false);
    dealtWith();
    await closed;
  });
});
