import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { ChannelId, isFailure } from "@trestle/core";
import fc from "fast-check";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../test/support/xmpp-person.js";
import { localOfUser } from "../dist/address/index.js";
import { onEachServer } from "./support/each-server.js";
import { anyBody, anyText, anyUser, withoutEnds } from "./support/anything.js";
import { deliver, effectOf } from "./support/fake-core.js";
import { RunningBridge } from "./support/running-bridge.js";
import { stanzasOnWire, type WireStanza } from "./support/stanzas-on-wire.js";
import { WireSpy } from "./support/wire-spy.js";

const SEED = 7;
const MESSAGES = 40;
const TOPICS = 10;

await onEachServer("anything from Matrix, with $server", ["alice"], behaviour);

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
