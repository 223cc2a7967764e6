import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { UserId } from "@trestle/core";
import fc from "fast-check";
import type { SlixmppInstall } from "../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../test/support/xmpp-person.js";
import { localOfUser, nickCandidate, userOfLocal } from "../dist/address/index.js";
import { legalXmlText, xml, type Element } from "../dist/stream/index.js";
import { onEachServer } from "./support/each-server.js";
import { ObservedStream, type StreamPlace } from "./support/observed-stream.js";
import { WireSpy } from "./support/wire-spy.js";

const USERS = ["alice", "bob"];

await onEachServer("with $server", USERS, behaviour);

/** Any text at all, and texts of what has broken bridges before. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...Array.from(
          "\u0000\u0001\u000b\u001f\u007f\u0085\u200b\u202e\ufffe\uffff\ud800 \t\n\r&<>\"'/\\:@_^#!=+%Aäß😀שﬁ",
        ),
        ...[
          "]]>",
          "</body></message>",
          "<message to='bob@localhost'>",
          "&foo;",
          "&#0;",
          "</stream:stream>",
          "<!--",
          "<?",
        ],
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join("")),
);

function samples<Value>(arbitrary: fc.Arbitrary<Value>, count: number): Value[] {
  return fc.sample(arbitrary, { seed: 5, numRuns: count });
}

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let spy: WireSpy;
  let alice: XmppPerson;
  let component: ObservedStream;
  const others: ObservedStream[] = [];

  beforeAll(async () => {
    server = await start();
    spy = await WireSpy.before(server.componentPort);
    alice = await XmppPerson.connect(install, server, "alice");
    component = await ObservedStream.online({ port: spy.port, domain: server.component });
  }, 60_000);
  afterAll(async () => {
    for (const { stream } of others) await stream.close();
    await component.stream.close();
    await alice.end();
    await spy.stop();
    await server.process.stop();
  }, 60_000);

  const another = (place: Partial<StreamPlace>) => {
    const stream = new ObservedStream({ port: server.componentPort, domain: server.component, ...place });
    others.push(stream);
    return stream;
  };
  const chat = (from: string, id: string, body: string) =>
    xml("message", { from, to: "alice@localhost", type: "chat", id }, xml("body", {}, body));

  describe("whatever a Matrix user is called and says", () => {
    it("delivers it, takes the answer back, and stays connected", async () => {
      const names = samples(fc.oneof(anyText, fc.stringMatching(/^[a-z0-9._=/+-]{1,30}$/)), 150);
      const users = names.map((name) => UserId(`@${name.replaceAll(":", "").toWellFormed().slice(0, 70)}:example.org`));
      const bodies = samples(anyText, users.length);
      const before = spy.sent.length;
      for (const [index, user] of users.entries()) {
        const from = `${localOfUser(user)}@${server.component}/matrix`;
        expect(await component.stream.send(chat(from, `fuzz${index}`, bodies[index] ?? ""))).toBeUndefined();
      }
      for (const [index, user] of users.entries()) {
        const seen = await alice.sees(`the message of ${user}`, ({ id }) => id === `fuzz${index}`);
        const local = seen.from?.split("@")[0] ?? "";
        expect(userOfLocal(local)).toBe(user);
        expect(withoutEnds(seen.body ?? "")).toBe(withoutEnds(bodies[index] ?? ""));
        await alice.say(seen.from ?? "", `re ${index}`, { id: `re${index}` });
      }
      for (const [index, user] of users.entries()) {
        const answer = await component.gets(`the answer to ${user}`, ({ attrs }) => attrs["id"] === `re${index}`);
        expect(userOfLocal(answer.attrs["to"]?.split("@")[0] ?? "")).toBe(user);
      }
      expect(component.connections).toBe(1);
      // The spy saw as many messages as were meant, and no markup but ours.
      const wire = spy.sent.slice(before);
      expect(wire.match(/<message /g)).toHaveLength(users.length);
      expect(new Set(wire.match(/<\/?[^ />]*/g))).toEqual(new Set(["<message", "</message", "<body", "</body"]));
    }, 120_000);

    it("joins a room under every nick, shown as it was written", async () => {
      const room = `nicks@${server.rooms}`;
      await alice.join(room, "alice");
      const users = samples(anyText, 60).map((name, index) => ({ name, user: UserId(`@u${index}:example.org`) }));
      for (const { name, user } of users) {
        // Others may have the same name: theirs come first.
        let attempt = 0;
        for (;;) {
          const [from, nick] = [`${localOfUser(user)}@${server.component}/matrix`, nickCandidate(name, user, attempt)];
          const start_ = component.stanzas.length;
          await component.stream.send(join(from, `${room}/${nick}`));
          const answer = await component.gets(
            `the answer to the join of ${nick}`,
            (stanza) =>
              component.stanzas.indexOf(stanza) >= start_ &&
              stanza.name === "presence" &&
              stanza.attrs["to"] === from &&
              (stanza.attrs["type"] === "error" || isOwn(stanza)),
          );
          if (answer.attrs["type"] === "error") {
            expect(answer.getChild("error")?.getChild("conflict")).toBeDefined();
            attempt += 1;
            continue;
          }
          expect(answer.attrs["from"]).toBe(`${room}/${nick}`);
          await alice.sees(
            `${nick} in the room`,
            (stanza) => stanza.name === "presence" && stanza.from === `${room}/${nick}`,
          );
          break;
        }
      }
      expect(component.connections).toBe(1);
    }, 120_000);

    it("says anything in a room, and sees it reflected", async () => {
      const room = `talk@${server.rooms}`;
      await alice.join(room, "alice");
      const from = `${localOfUser(UserId("@speaker:example.org"))}@${server.component}/matrix`;
      await component.stream.send(join(from, `${room}/Speaker`));
      await component.gets("the speaker's own presence", (stanza) => stanza.attrs["to"] === from && isOwn(stanza));
      const bodies = samples(anyText, 80).filter((body) => body !== "");
      for (const [index, body] of bodies.entries())
        await component.stream.send(
          xml("message", { from, to: room, type: "groupchat", id: `talk${index}` }, xml("body", {}, body)),
        );
      const reflected = (index: number) => (stanza: Element) =>
        stanza.attrs["id"] === `talk${index}` && stanza.attrs["type"] === "groupchat" && stanza.attrs["to"] === from;
      for (const [index, body] of bodies.entries()) {
        const own = await component.gets(`the reflection of message ${index}`, reflected(index));
        expect(withoutEnds(own.getChildText("body") ?? "")).toBe(withoutEnds(body));
        const seen = await alice.sees(`message ${index}`, ({ id }) => id === `talk${index}`);
        expect(withoutEnds(seen.body ?? "")).toBe(withoutEnds(body));
      }
      const order = component.stanzas.flatMap(({ attrs }) => (attrs["to"] === from ? [attrs["id"] ?? ""] : []));
      expect(order.filter((id) => id.startsWith("talk"))).toEqual(bodies.map((_, index) => `talk${index}`));
      expect(component.connections).toBe(1);
    }, 120_000);

    it("carries long texts of every script without damage", async () => {
      const body = "Съешь ещё этих мягких французских булок 🥐 ".repeat(600);
      const from = `long_example.org@${server.component}/matrix`;
      for (let number = 0; number < 20; number++) await component.stream.send(chat(from, `long${number}`, body));
      for (let number = 0; number < 20; number++) {
        const seen = await alice.sees(`long message ${number}`, ({ id }) => id === `long${number}`);
        expect(seen.body).toBe(body);
        await alice.say(from, body, { id: `back${number}` });
      }
      for (let number = 0; number < 20; number++) {
        const back = await component.gets(`long answer ${number}`, ({ attrs }) => attrs["id"] === `back${number}`);
        expect(back.getChildText("body")).toBe(body);
      }
    }, 60_000);
  });

  it("asks and is answered, also by what is not there", async () => {
    const query = (to: string) =>
      xml("iq", { type: "get", from: `a_h@${server.component}/matrix`, to }, xml("query", { xmlns: DISCO }));
    const rooms = await component.stream.request(query(server.rooms));
    expect(rooms.kind === "result" && rooms.stanza.getChild("query", DISCO) !== undefined).toBe(true);
    const nobody = await component.stream.request(query(`nobody@${server.domain}/x`));
    expect(nobody.kind === "error" && nobody.error.condition).toBe("service-unavailable");
  });

  it("comes back after every cut, and says what it does not know", async () => {
    const from = `cut_example.org@${server.component}/matrix`;
    for (let round = 1; round <= 5; round++) {
      const before = component.connections;
      spy.cut();
      await component.online(before + 1);
      const outcome = await component.stream.send(chat(from, `cut${round}`, "still here"));
      expect(outcome).toBeUndefined();
      await alice.sees("a message after the cut", ({ id }) => id === `cut${round}`);
    }
    spy.refuse();
    await component.becomes("waiting");
    expect(await component.stream.send(chat(from, "away", "?"))).toMatchObject({ failed: "retry" });
    spy.admit();
    await component.becomes("online");
  });

  it("notices a frozen line, and comes back although the server still holds the old one", async () => {
    await component.stream.close();
    component = await ObservedStream.online({
      port: spy.port,
      domain: server.component,
      tuning: { silenceMs: 300, answerMs: 300, conflictMs: 60_000 },
    });
    spy.freeze();
    await component.until("the loss noticed", () =>
      component.states.some(({ detail }) => detail?.includes("said nothing") === true),
    );
    spy.thaw();
    await component.online(2);
  });

  it("stops and says so when the secret is wrong", async () => {
    const wrong = another({ secret: "wrong" });
    expect((await wrong.becomes("failed")).detail).toContain("refused the secret");
    expect(wrong.states.map(({ state }) => state)).toEqual(["connecting", "failed"]);
  });

  it("does not take the domain from another component, or shares it", async () => {
    const second = another({});
    await second.until("an end of its attempt", () => ["failed", "online"].includes(second.stream.state.state));
    // ejabberd lets several connect and balances among them; Prosody keeps the first.
    expect(second.stream.state.state).toBe(server.name === "Prosody" ? "failed" : "online");
    expect(component.stream.state.state).toBe("online");
    await second.stream.close();
  });

  it("comes back after the server was restarted", async () => {
    const before = component.connections;
    await server.process.restart();
    await component.online(before + 1);
  }, 60_000);
}

const DISCO = "http://jabber.org/protocol/disco#info";
const MUC = "http://jabber.org/protocol/muc";

function join(from: string, to: string): Element {
  return xml("presence", { from, to }, xml("x", { xmlns: MUC }, xml("history", { maxchars: "0" })));
}

/** XEP-0045 §7.2.2: status 110 is on one's own presence. */
function isOwn(stanza: Element): boolean {
  const statuses = stanza.getChild("x", `${MUC}#user`)?.getChildren("status") ?? [];
  return stanza.name === "presence" && statuses.some(({ attrs }) => attrs["code"] === "110");
}

/** Line ends are written in several ways by parsers on the way, and what XML does not have is replaced. */
function withoutEnds(text: string): string {
  return legalXmlText(text).replace(/\r\n?/g, "\n");
}
