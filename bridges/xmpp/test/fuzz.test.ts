import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { ChannelId, isFailure, UserId, type TextContent } from "@trestle/core";
import { parseMatrixHtml, parsePlainText } from "@trestle/rich-text";
import fc from "fast-check";
import { startEjabberd } from "../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../test/support/servers/index.js";
import { startProsody } from "../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../test/support/xmpp-person.js";
import { localOfUser } from "../dist/address/index.js";
import { legalXmlText } from "../dist/stream/index.js";
import { deliver, effectOf } from "./support/fake-core.js";
import { RunningBridge } from "./support/running-bridge.js";
import { stanzasOnWire, type WireStanza } from "./support/stanzas-on-wire.js";
import { WireSpy } from "./support/wire-spy.js";

const SEED = 7;
const MESSAGES = 40;
const TOPICS = 10;

const prosody = await realServers("prosody", "slixmpp");
const ejabberd = await realServers("ejabberd", "slixmpp");

prosody.describe("anything from Matrix, with Prosody", (installs) =>
  behaviour(installs.slixmpp, () => startProsody(installs.prosody, { users: ["alice"] })),
);
ejabberd.describe("anything from Matrix, with ejabberd", (installs) =>
  behaviour(installs.slixmpp, () => startEjabberd(installs.ejabberd, { users: ["alice"] })),
);

/** Markup that would do harm if it were ever taken for such. */
const harmful = [
  "</body></message><message to='alice@localhost' from='admin@localhost'><body>owned",
  "</message></stream:stream>",
  "<presence type='unavailable'/>",
  "<iq type='set' id='1' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>",
  '" to="alice@localhost',
  "' type='error",
  "]]>",
  "<![CDATA[",
  "<!--",
  "<?xml version='1.0'?>",
  "&foo;",
  "&#0;",
  "&amp;lt;",
];
const characters = Array.from(
  "\u0000\u0001\u000b\u001f\u007f\u0085\u200b\u202e\u2028\ufeff\ufffe\uffff\ud800\udfff \t\r\n&<>\"'/\\:@^=+%_#!Aäß😀שﬁ",
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.array(fc.constantFrom(...characters, ...harmful), { maxLength: 12 }).map((parts) => parts.join("")),
);
const tag = fc.constantFrom(
  "b",
  "i",
  "a",
  "code",
  "pre",
  "blockquote",
  "span",
  "font",
  "p",
  "message",
  "stream:stream",
);
const anyHtml = fc
  .array(
    fc.oneof(
      anyText,
      fc
        .tuple(tag, anyText, anyText)
        .map(([name, value, text]) => `<${name} href="${value}" class='x'>${text}</${name}>`),
      fc.tuple(tag, anyText).map(([name, text]) => `<${name}>${text}`),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));
const anyBody: fc.Arbitrary<TextContent["body"]> = fc.oneof(
  anyText.map((text) => parsePlainText(`.${text}`)),
  anyHtml.map((html) => parseMatrixHtml(`.${html}`)),
);
const anyUser = fc
  .oneof(anyText, fc.stringMatching(/^[a-z0-9._=/+-]{1,40}$/))
  .map((text) => UserId(`@${text.replaceAll(":", "").toWellFormed().slice(0, 70)}:example.org`));

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let spy: WireSpy;
  let alice: XmppPerson;
  let bridge: RunningBridge;
  let room: ChannelId;

  beforeAll(async () => {
    server = await start();
    spy = await WireSpy.before(server.componentPort);
    alice = await XmppPerson.connect(install, server, "alice");
    room = ChannelId(`anything@${server.rooms}`);
    await alice.join(room, "alice");
    bridge = await RunningBridge.start({ server, port: spy.port, rooms: [room] });
    await bridge.ready();
  }, 60_000);
  afterAll(async () => {
    await bridge.close();
    await alice.end();
    await spy.stop();
    await server.process.stop();
  }, 60_000);

  const messagesOf = (from: number): readonly WireStanza[] =>
    stanzasOnWire(spy.sent.slice(from)).filter(({ name }) => name === "message");

  it("never ends the connection, and sends no stanza that is not meant", async () => {
    const before = spy.sent.length;
    const sample = fc.sample(fc.tuple(anyUser, anyText, anyBody, fc.boolean()), { seed: SEED, numRuns: MESSAGES });
    for (const [index, [user, name, body, emote]] of sample.entries()) {
      const saying = { channel: room, text: "", user, name, id: `any${index}` };
      const effect = effectOf(saying);
      const content = { ...effect.content, body, style: emote ? "emote" : "text" } as const;
      const outcome = await deliver(bridge.handlers, { ...effect, content });
      expect({ user, name, failed: isFailure(outcome) && outcome }).toEqual({ user, name, failed: false });
    }
    const sent = messagesOf(before);
    expect(sent).toHaveLength(sample.length);
    const senders = sample.map(([user]) => `${localOfUser(user)}@${server.component}/matrix`);
    expect(sent.map(({ attrs }) => attrs["from"])).toEqual(senders);
    for (const { attrs, inner } of sent) {
      expect(attrs).toMatchObject({ to: room, type: "groupchat" });
      expect(inner.filter((name) => /^(message|presence|iq|stream)$|:/.test(name))).toEqual([]);
    }
    const meant = new Set(["message", "presence", "iq"]);
    const everything = stanzasOnWire(spy.sent.slice(before));
    expect(everything.filter(({ name }) => !meant.has(name))).toEqual([]);
    // Nothing goes elsewhere than to the room, whatever a text says.
    for (const { attrs } of everything) expect(attrs["to"]?.split("/")[0]).toBe(room);
    for (const { attrs, body } of sent) {
      const seen = await alice.sees(`the message ${attrs["id"] ?? ""}`, ({ id }) => id === attrs["id"]);
      expect(withoutEnds(seen.body ?? "")).toBe(withoutEnds(body ?? ""));
    }
    expect({ connections: spy.connections, errors: spy.streamErrors }).toEqual({ connections: 1, errors: [] });
    expect(alice.seen.filter(({ body }) => body === "owned")).toEqual([]);
  }, 60_000);

  it("sets every topic as it was written", async () => {
    const before = spy.sent.length;
    const topics = fc.sample(anyText, { seed: SEED, numRuns: TOPICS }).map((topic, index) => `${index} ${topic}`);
    for (const [index, topic] of topics.entries()) {
      const {
        content: _,
        part: __,
        parts: ___,
        ...effect
      } = effectOf({ channel: room, text: "", id: `topic${index}` });
      const outcome = await bridge.handlers.topic?.({ ...effect, topic });
      expect({ topic, failed: isFailure(outcome) && outcome }).toEqual({ topic, failed: false });
      const wanted = withoutEnds(topic);
      const seen = await alice.sees(`the topic ${topic}`, ({ subject }) => withoutEnds(subject ?? "") === wanted);
      expect(seen.from?.split("/")[0]).toBe(room);
    }
    const sent = messagesOf(before);
    expect(sent.map(({ subject }) => withoutEnds(subject ?? ""))).toEqual(topics.map(withoutEnds));
    expect({ connections: spy.connections, errors: spy.streamErrors }).toEqual({ connections: 1, errors: [] });
  }, 60_000);
}

/** Line ends are written in several ways by parsers on the way, and what XML does not have is replaced. */
function withoutEnds(text: string): string {
  return legalXmlText(text).replace(/\r\n?/g, "\n").trim();
}
