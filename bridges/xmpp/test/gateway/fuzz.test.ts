import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { isFailure, RemoteMessageId, type Outcome, type UserId } from "@trestle/core";
import fc from "fast-check";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { cleanXml } from "../../dist/content/index.js";
import { onEachServer } from "../support/each-server.js";
import { anyBody, anyText, anyUser, withoutEnds } from "../support/anything.js";
import { stanzasOnWire, type WireStanza } from "../support/stanzas-on-wire.js";
import { WireSpy } from "../support/wire-spy.js";
import { GatewayStage, idOf } from "./support/gateway-stage.js";

const SEED = 11;
const MESSAGES = 30;
const OTHERS = 8;

await onEachServer("anything from Matrix in a room of the gateway, with $server", ["carol"], behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let spy: WireSpy;
  let carol: XmppPerson;
  let stage: GatewayStage;

  beforeAll(async () => {
    server = await start();
    spy = await WireSpy.before(server.componentPort);
    carol = await XmppPerson.connect(install, server, "carol");
    stage = await GatewayStage.open({ port: spy.port, domain: server.component, secret: server.secret });
    await carol.join(stage.channel, "Carol");
    await carol.sees("the subject", ({ subject }) => subject === "Bridges");
  }, 60_000);
  afterAll(async () => {
    await stage.close();
    await carol.end();
    await spy.stop();
    await server.process.stop();
  }, 60_000);

  const effectOf = (id: string, [userId, name]: readonly [UserId, string]) => ({
    ...stage.effect("Alice", id),
    author: { userId, name },
  });

  /** All that went out since `before`, which is for carol alone, from the room alone, and nothing but what it is. */
  async function meant(before: number): Promise<readonly WireStanza[]> {
    const id = await stage.say("Alice", "the end");
    await carol.sees("the end", ({ xml, body }) => body === "the end" && xml.includes(id));
    const stanzas = stanzasOnWire(spy.sent.slice(before));
    for (const { name, attrs, inner } of stanzas) {
      expect(["message", "presence", "iq"]).toContain(name);
      expect(attrs["to"]?.split("/")[0]).toBe(`carol@${server.domain}`);
      expect(attrs["from"]?.split("/")[0]).toBe(stage.channel);
      expect(inner.filter((inside) => /^(message|presence|iq|stream)$|:/.test(inside))).toEqual([]);
    }
    expect({ connections: spy.connections, errors: spy.streamErrors }).toEqual({ connections: 1, errors: [] });
    expect(carol.seen.filter(({ body }) => body === "owned")).toEqual([]);
    return stanzas;
  }

  it("shows every message as it was said, under whatever name", async () => {
    const before = spy.sent.length;
    const sample = fc.sample(fc.tuple(anyUser, anyText, anyBody, fc.boolean()), { seed: SEED, numRuns: MESSAGES });
    const ids: string[] = [];
    for (const [index, [user, name, body, emote]] of sample.entries()) {
      const content = { type: "text", body, style: emote ? "emote" : "text" } as const;
      ids.push(
        idOf(await stage.handlers.message({ ...effectOf(`any${index}`, [user, name]), content, part: 0, parts: 1 })),
      );
    }
    const sent = (await meant(before)).filter(({ name }) => name === "message");
    const bodies = new Map(sent.map(({ attrs, body }) => [attrs["id"], body ?? ""]));
    for (const id of ids) {
      const seen = await carol.sees(`the message ${id}`, (stanza) => stanza.id === id);
      expect(withoutEnds(seen.body ?? "")).toBe(withoutEnds(bodies.get(id) ?? "none"));
    }
  }, 60_000);

  it("shows every topic and every change of a name", async () => {
    const before = spy.sent.length;
    const texts = fc.sample(fc.tuple(anyUser, anyText), { seed: SEED, numRuns: OTHERS });
    for (const [index, [user, text]] of texts.entries()) {
      const topic = `${index} ${text}`;
      const set: Outcome = await stage.handlers.topic?.({ ...effectOf(`topic${index}`, [user, text]), topic });
      expect({ topic, failed: isFailure(set) && set }).toEqual({ topic, failed: false });
      await carol.sees(`the topic ${topic}`, ({ subject }) => withoutEnds(subject ?? "") === shownAs(topic));
      const effect = effectOf(`rename${index}`, [user, `${text}${index}`]);
      const renamed: Outcome = await stage.handlers.membership?.({ ...effect, change: "rename", who: effect.author });
      expect({ text, failed: isFailure(renamed) && renamed }).toEqual({ text, failed: false });
    }
    const subjects = (await meant(before)).flatMap(({ subject }) => (subject === undefined ? [] : [subject]));
    expect(subjects.map(withoutEnds)).toEqual(texts.map(([, text], index) => shownAs(`${index} ${text}`)));
  }, 60_000);

  it("shows reactions, answers and what replaces a text, whatever they hold", async () => {
    const before = spy.sent.length;
    const sample = fc.sample(fc.tuple(anyUser, anyText, anyBody), { seed: SEED, numRuns: OTHERS });
    for (const [index, [user, text, body]] of sample.entries()) {
      const content = { type: "text", body, style: "text" } as const;
      const effect = (kind: string) => effectOf(`${kind}${index}`, [user, text]);
      const replyTo = { event: effect("x").event, id: undefined, authorName: text, excerpt: text };
      const id = idOf(await stage.handlers.message({ ...effect("first"), content, part: 0, parts: 1 }));
      const target = RemoteMessageId(id);
      const answer = { ...effect("answer"), content, part: 0, parts: 1, replyTo: { ...replyTo, id: target } };
      idOf(await stage.handlers.message(answer));
      const edited = await stage.handlers.edit?.({ ...effect("edit"), target: [target], content });
      expect({ text, failed: isFailure(edited) && edited }).toEqual({ text, failed: false });
      // What is no emoji is refused, and its sender told.
      await stage.handlers.react?.({ ...effect("react"), target, key: text });
      await stage.handlers.react?.({ ...effect("emoji"), target, key: "🎉" });
      await stage.handlers.redact?.({ ...effect("redact"), target: [target], reason: text });
    }
    expect((await meant(before)).length).toBeGreaterThanOrEqual(4 * OTHERS);
  }, 60_000);
}

/** What XML does not have is left out. */
function shownAs(text: string): string {
  return withoutEnds(cleanXml(text));
}
