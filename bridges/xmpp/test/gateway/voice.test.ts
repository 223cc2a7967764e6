import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteMessageId, RemoteUserId, textContent, type NetworkEvent } from "@trestle/core";
import { mentionsOf, toPlainText } from "@trestle/rich-text";
import { publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const DAVE = "dave@home.test/desk";

let hall: Hall;
afterEach(() => hall.close());

async function withBoth(options: ConstructorParameters<typeof Hall>[0] = {}): Promise<void> {
  hall = new Hall(options);
  await hall.joins(CAROL, "Carol");
  await hall.joins(DAVE, "Dave");
  hall.forget();
}
const events = (kind: NetworkEvent["kind"]) => hall.core.received.filter((event) => event.kind === kind);
/** The id that the room gave the latest message with a body. */
const latestId = (): string => {
  const shown = hall.to(DAVE).findLast((stanza) => stanza.getChildText("body") !== null);
  return shown?.getChild("stanza-id")?.attrs["id"] ?? "none";
};
const power = (level: number) => ({
  view: publicRoom({ people: [{ id: RemoteUserId("carol@home.test"), membership: "join", power: level }] }),
});

describe("what an occupant says", () => {
  it("is shown to all once it is on disk, in the order in which it came, with the sender's id", async () => {
    await withBoth();
    const waiting: (() => void)[] = [];
    hall.core.beforeReceive = () => new Promise((resolve) => waiting.push(resolve));
    const said = [hall.says(CAROL, "one", "", "a"), hall.says(DAVE, "two", "", "b")];
    await hall.settled();
    expect(hall.bodies(DAVE)).toEqual([]);
    // The second is on disk first.
    waiting[1]?.();
    await hall.settled();
    expect(hall.bodies(DAVE)).toEqual([]);
    waiting[0]?.();
    await Promise.all(said);
    expect(hall.bodies(DAVE)).toEqual(["one", "two"]);
    expect(hall.to(CAROL).map(({ attrs }) => attrs["id"])).toEqual(["a", "b"]);
    const ids = hall.to(DAVE).map((stanza) => stanza.getChild("stanza-id")?.attrs["id"]);
    expect(new Set(ids)).toEqual(new Set(hall.core.messages().map(({ id }) => id)));
  });

  it("comes back to who said it where the disk refuses, and is not shown", async () => {
    await withBoth();
    hall.core.beforeReceive = () => Promise.reject(new Error("disk full"));
    await hall.says(CAROL, "one");
    expect(hall.error(CAROL)).toBe("internal-server-error");
    expect(hall.bodies(DAVE)).toEqual([]);
    hall.core.beforeReceive = () => Promise.resolve();
    await hall.says(CAROL, "two");
    expect(hall.bodies(DAVE)).toEqual(["two"]);
    await hall.crash();
    expect(hall.core.texts()).toEqual(["two"]);
  });

  it("reaches Matrix once, and those who come later, where the bridge dies before it was shown", async () => {
    await withBoth();
    const kept = hall.core.received.length;
    let isKept = false;
    hall.core.beforeReceive = () => (isKept ? Promise.resolve() : new Promise(() => undefined));
    void hall.says(CAROL, "said before").catch(() => undefined);
    await hall.settled();
    isKept = true;
    await hall.crash();
    await hall.joins(DAVE, "Dave", "");
    expect(hall.bodies(DAVE)).toEqual(["said before"]);
    expect(hall.core.texts()).toEqual(["said before"]);
    expect(hall.core.received.length).toBeGreaterThan(kept);
    await hall.crash();
    expect(hall.core.texts()).toEqual(["said before"]);
  });

  it("is taken once where a client sends it once more", async () => {
    await withBoth();
    await hall.says(CAROL, "hello", "", "same");
    await hall.says(CAROL, "hello", "", "same");
    await hall.says(CAROL, "another", "", "same");
    expect(hall.core.texts()).toEqual(["hello", "another"]);
    expect(hall.bodies(DAVE)).toEqual(["hello", "another"]);
    expect(hall.bodies(CAROL)).toEqual(["hello", "hello", "another"]);
  });

  it("cannot pretend to come from the room or from somebody else", async () => {
    await withBoth();
    const forged = `<stanza-id xmlns="urn:xmpp:sid:0" by="${hall.channel}" id="mine"/><occupant-id xmlns="urn:xmpp:occupant-id:0" id="x"/><delay xmlns="urn:xmpp:delay" stamp="2001-01-01T00:00:00Z"/><x xmlns="http://jabber.org/protocol/muc#user"><status code="301"/></x>`;
    await hall.says(CAROL, "x", forged);
    const [shown] = hall.to(DAVE);
    expect(shown?.getChildren("stanza-id").map(({ attrs }) => attrs["id"])).toEqual([hall.core.messages()[0]?.id]);
    expect(shown?.getChildren("occupant-id")).toHaveLength(1);
    expect([shown?.getChild("delay"), codes(shown)]).toEqual([undefined, []]);
  });

  it("is refused with a reason where it cannot be carried", async () => {
    await withBoth({ ...power(-1), tuning: { maxMessageBytes: 2_000 } });
    await hall.says("eve@home.test/a", "let me");
    expect(hall.error("eve@home.test/a")).toBe("not-acceptable");
    await hall.says(CAROL, "no voice");
    expect(hall.error(CAROL)).toBe("forbidden");
    await hall.says(DAVE, "x".repeat(3_000));
    expect(hall.error(DAVE)).toBe("policy-violation");
    await hall.says(DAVE, "", '<encrypted xmlns="eu.siacs.conversations.axolotl"><header sid="1"/></encrypted>');
    expect(hall.error(DAVE)).toBe("not-acceptable");
    const pm = (nick: string) =>
      hall.takes(`<message type="chat" from="${DAVE}" to="${hall.channel}/${nick}"><body>psst</body></message>`);
    await pm("Alice");
    expect(hall.error(DAVE)).toBe("forbidden");
    expect(hall.to(DAVE).at(-1)?.getChild("error")?.getChildText("text")).toContain("alice_example.org@matrix.test");
    await pm("Nobody");
    expect(hall.error(DAVE)).toBe("item-not-found");
    expect(hall.core.messages()).toEqual([]);
  });

  it("mentions people as they are on the other side", async () => {
    await withBoth();
    const reference = `<reference xmlns="urn:xmpp:reference:0" type="mention" begin="0" end="5" uri="xmpp:%23trestle%23example.org@matrix.test/Alice"/>`;
    await hall.says(CAROL, "Alice: look", reference);
    const content = hall.core.messages()[0]?.content;
    expect(content?.type === "text" && mentionsOf(content.body)).toEqual([
      { kind: "matrixUser", userId: "@alice:example.org" },
    ]);
  });

  it("answers what the room knows", async () => {
    await withBoth();
    const id = await hall.say("Bob", "a question");
    await hall.says(CAROL, "an answer", `<reply xmlns="urn:xmpp:reply:0" to="${hall.channel}/Bob" id="${id}"/>`);
    expect(hall.core.messages()[0]?.replyTo).toBe(id);
  });

  it("is corrected by who said it, however often, by the id of its first form", async () => {
    await withBoth();
    await hall.says(CAROL, "firts", "", "one");
    const first = latestId();
    await hall.says(CAROL, "first", '<replace xmlns="urn:xmpp:message-correct:0" id="one"/>', "two");
    await hall.says(CAROL, "First", '<replace xmlns="urn:xmpp:message-correct:0" id="two"/>', "three");
    // Nobody else's: what they mean is a message of theirs.
    await hall.says(DAVE, "mine", '<replace xmlns="urn:xmpp:message-correct:0" id="one"/>');
    const edits = events("edit").map((event) => event.kind === "edit" && [event.target, event.content]);
    expect(edits).toEqual([
      [first, textContent("first")],
      [first, textContent("First")],
    ]);
    expect(hall.core.texts()).toEqual(["firts", "mine"]);
  });

  it("is taken back by who said it, and is then not shown to those who come", async () => {
    await withBoth();
    await hall.says(CAROL, "oops");
    const id = latestId();
    const retract = `<retract xmlns="urn:xmpp:message-retract:1" id="${id}"/>`;
    await hall.says(DAVE, "", retract);
    expect(hall.error(DAVE)).toBe("forbidden");
    await hall.says(CAROL, "", retract);
    expect(events("redaction")).toMatchObject([{ target: id, sender: { id: "carol@home.test" } }]);
    await hall.joins("eve@home.test/a", "Eve", "");
    expect(hall.bodies("eve@home.test/a")).toEqual([]);
  });

  it("gets reactions, of which the difference to those before goes to Matrix", async () => {
    await withBoth();
    const id = await hall.say("Bob", "nice?");
    const react = (...keys: string[]) =>
      hall.says(
        CAROL,
        "",
        `<reactions xmlns="urn:xmpp:reactions:0" id="${id}">${keys.map((key) => `<reaction>${key}</reaction>`).join("")}</reactions>`,
      );
    await react("👍", "🎉");
    await react("🎉");
    await react();
    const seen = hall.core.received.flatMap((event) =>
      event.kind === "reaction" || event.kind === "reactionRemoved" ? `${event.kind} ${event.key} ${event.target}` : [],
    );
    expect(seen).toEqual([
      `reaction 👍 ${id}`,
      `reaction 🎉 ${id}`,
      `reactionRemoved 👍 ${id}`,
      `reactionRemoved 🎉 ${id}`,
    ]);
    expect(hall.to(DAVE).filter((stanza) => stanza.getChild("reactions"))).toHaveLength(3);
  });

  it("is announced while it is typed", async () => {
    await withBoth();
    await hall.says(CAROL, "", '<composing xmlns="http://jabber.org/protocol/chatstates"/>');
    await hall.says(CAROL, "", '<paused xmlns="http://jabber.org/protocol/chatstates"/>');
    expect(hall.typing).toEqual([
      { user: "carol@home.test", forMs: 30_000 },
      { user: "carol@home.test", forMs: 0 },
    ]);
    expect(hall.to(DAVE).flatMap((stanza) => stanza.getChild("composing") ?? [])).toHaveLength(1);
  });
});

describe("what a moderator does", () => {
  it("is done where the Matrix room gives the power for it", async () => {
    await withBoth(power(50));
    const admin = (item: string) => `<query xmlns="http://jabber.org/protocol/muc#admin">${item}</query>`;
    await hall.says(DAVE, "rude");
    const id = latestId();
    const moderate = `<moderate xmlns="urn:xmpp:message-moderate:1" id="${id}"><retract xmlns="urn:xmpp:message-retract:1"/><reason>rude</reason></moderate>`;
    expect((await hall.asks(DAVE, "set", moderate)).getChild("error")?.getChild("forbidden")).toBeDefined();
    expect((await hall.asks(CAROL, "set", moderate)).attrs["type"]).toBe("result");
    expect(events("redaction")).toMatchObject([{ target: id, reason: "rude", sender: { id: "carol@home.test" } }]);
    expect(hall.to(DAVE).at(-1)?.getChild("retract")?.getChild("moderated")).toBeDefined();

    const old = `<apply-to xmlns="urn:xmpp:fasten:0" id="${id}"><moderate xmlns="urn:xmpp:message-moderate:0"><retract xmlns="urn:xmpp:message-retract:0"/></moderate></apply-to>`;
    expect((await hall.asks(CAROL, "set", old)).getChild("error")?.getChild("item-not-found")).toBeDefined();

    await hall.asks(DAVE, "set", admin('<item nick="Carol" role="none"/>'));
    expect(hall.error(DAVE)).toBe("forbidden");
    await hall.asks(CAROL, "set", admin('<item nick="Alice" role="none"/>'));
    expect(hall.error(CAROL)).toBe("not-allowed");
    await hall.asks(CAROL, "set", admin('<item nick="Bob" affiliation="owner"/>'));
    expect(hall.error(CAROL)).toBe("not-allowed");
    await hall.asks(CAROL, "set", admin('<item jid="dave@home.test" affiliation="outcast"><reason>no</reason></item>'));
    expect(codes(hall.to(DAVE).findLast(({ name }) => name === "presence"))).toEqual([110, 301]);
    expect(hall.core.received.at(-1)).toMatchObject({ kind: "membership", change: "ban", reason: "no" });
    await hall.joins(DAVE, "Dave");
    expect(hall.error(DAVE)).toBe("forbidden");
    const list = await hall.asks(CAROL, "get", admin('<item affiliation="outcast"/>'));
    expect(list.getChild("query")?.getChild("item")?.attrs["jid"]).toBe("dave@home.test");
    await hall.asks(CAROL, "set", admin('<item jid="dave@home.test" affiliation="none"/>'));
    hall.forget();
    await hall.joins(DAVE, "Dave");
    expect(hall.error(DAVE)).toBeUndefined();
  });

  it("sets the topic of Matrix", async () => {
    await withBoth(power(50));
    const subject = (from: string) =>
      hall.takes(`<message type="groupchat" from="${from}" to="${hall.channel}"><subject>New</subject></message>`);
    await subject(DAVE);
    expect(hall.error(DAVE)).toBe("forbidden");
    await subject(CAROL);
    expect(hall.core.received.at(-1)).toMatchObject({ kind: "channel", topic: "New", by: { id: "carol@home.test" } });
    expect(hall.to(DAVE).at(-1)?.getChildText("subject")).toBe("New");
  });
});

describe("what is said on Matrix", () => {
  it("is in the room once, however often it is delivered", async () => {
    await withBoth();
    const effect = { ...hall.effect("Bob", "once"), content: textContent("hello"), part: 0, parts: 1 };
    expect(await hall.handlers.findSent?.(effect)).toBeNull();
    expect(await hall.handlers.message(effect)).toEqual({ id: "once" });
    expect(await hall.handlers.message({ ...effect, attempt: 2, maybeSent: true })).toEqual({ id: "once" });
    expect(await hall.handlers.findSent?.(effect)).toEqual({ id: "once" });
    await hall.settled();
    expect(hall.bodies(CAROL)).toEqual(["hello"]);
  });

  it("is there for those who come, also where nobody could be reached", async () => {
    hall = new Hall();
    hall.stream.state = { state: "waiting" };
    await hall.say("Bob", "nobody hears me");
    hall.stream.state = { state: "online" };
    await hall.joins(CAROL, "Carol", "");
    expect(hall.bodies(CAROL)).toEqual(["nobody hears me"]);
  });

  it("is corrected, taken back, moderated, answered and reacted to as XMPP has it", async () => {
    await withBoth();
    const id = await hall.say("Bob", "helo");
    const target = [RemoteMessageId(id)];
    await hall.handlers.edit?.({ ...hall.effect("Bob"), target, content: textContent("hello") });
    await hall.settled();
    const edit = hall.to(CAROL).at(-1);
    expect([edit?.getChildText("body"), edit?.getChild("replace")?.attrs["id"]]).toEqual(["hello", id]);

    const reply = { event: hall.effect("Bob").event, id: RemoteMessageId(id), authorName: "Bob", excerpt: "hello" };
    const answer = { ...hall.effect("Alice"), content: textContent("yes"), part: 0, parts: 1, replyTo: reply };
    await hall.handlers.message(answer);
    await hall.settled();
    const replied = hall.to(CAROL).at(-1);
    expect(replied?.getChild("reply")?.attrs).toMatchObject({ id, to: `${hall.channel}/Bob` });
    expect(replied?.getChildText("body")).toBe("> Bob: hello\nyes");

    const react = (key: string) => hall.handlers.react?.({ ...hall.effect("Alice"), target: RemoteMessageId(id), key });
    await react("👍");
    await react("🎉");
    await hall.handlers.unreact?.({ ...hall.effect("Alice"), target: RemoteMessageId(id), key: "👍" });
    await hall.settled();
    const given = hall.to(CAROL).flatMap((stanza) => stanza.getChild("reactions") ?? []);
    expect(given.map((reactions) => reactions.getChildren("reaction").map((each) => each.getText()))).toEqual([
      ["👍"],
      ["👍", "🎉"],
      ["🎉"],
    ]);

    await hall.handlers.redact?.({ ...hall.effect("Bob"), target });
    await hall.settled();
    expect(hall.to(CAROL).at(-1)?.getChild("retract", "urn:xmpp:message-retract:1")?.attrs["id"]).toBe(id);
    expect(hall.to(CAROL).at(-1)?.attrs["from"]).toBe(`${hall.channel}/Bob`);

    await hall.says(CAROL, "rude");
    const rude = hall.core.messages().at(-1)?.id ?? RemoteMessageId("none");
    await hall.handlers.redact?.({ ...hall.effect("Alice"), target: [rude], reason: "rude" });
    await hall.settled();
    const moderated = hall.to(DAVE).at(-1);
    expect(moderated?.attrs["from"]).toBe(hall.channel);
    expect(moderated?.getChild("retract")?.getChild("moderated")?.attrs["by"]).toBe(`${hall.channel}/Alice`);
  });

  it("is a file where it is a file, with its caption", async () => {
    await withBoth();
    const source = { from: "matrix", uri: "mxc://example.org/x" as never, url: "https://media.example.org/x" } as const;
    const caption = textContent("look").body;
    const content = { type: "media", kind: "image", name: "x.png", mimeType: "image/png", source, caption } as const;
    await hall.handlers.message({ ...hall.effect("Bob"), content, part: 0, parts: 1 });
    await hall.settled();
    expect(hall.bodies(CAROL)).toEqual(["https://media.example.org/x", "look"]);
    expect(hall.to(CAROL)[0]?.getChild("x", "jabber:x:oob")?.getChildText("url")).toBe("https://media.example.org/x");
  });

  it("is cut where it is longer than servers take, and taken back as a whole", async () => {
    await withBoth();
    const text = "&<>".repeat(21_000);
    const id = await hall.say("Bob", text);
    expect(hall.bodies(CAROL).length).toBeGreaterThan(1);
    expect(hall.bodies(CAROL).join("")).toBe(text);
    hall.forget();
    await hall.handlers.redact?.({ ...hall.effect("Bob"), target: [RemoteMessageId(id)] });
    await hall.settled();
    await hall.joins("eve@home.test/a", "Eve", "");
    expect(hall.bodies("eve@home.test/a")).toEqual([]);
  });

  it("changes the subject, and says that something else has changed", async () => {
    await withBoth();
    await hall.handlers.topic?.({ ...hall.effect("Alice"), topic: "Parrots" });
    await hall.handlers.name?.({ ...hall.effect("Alice"), name: "Birds" });
    await hall.settled();
    expect(hall.to(CAROL)[0]?.getChildText("subject")).toBe("Parrots");
    expect(codes(hall.to(CAROL)[1])).toEqual([104]);
  });

  it("is shown while it is typed", async () => {
    await withBoth();
    const { author } = hall.effect("Bob");
    await hall.handlers.typing?.({ channel: hall.channel, authors: [author] });
    await hall.handlers.typing?.({ channel: hall.channel, authors: [author] });
    await hall.handlers.typing?.({ channel: hall.channel, authors: [] });
    await hall.settled();
    expect(hall.to(CAROL).map((stanza) => stanza.getChildElements()[0]?.name)).toEqual(["composing", "paused"]);
  });

  it("mentions people of the room by their names in it", async () => {
    await withBoth();
    const target = { kind: "remoteUser", id: "carol@home.test" } as const;
    const body = {
      blocks: [{ type: "paragraph" as const, children: [{ type: "mention" as const, target, text: "x" }] }],
    };
    const content = { type: "text", style: "text", body } as const;
    expect(toPlainText(body)).toBe("x");
    await hall.handlers.message({ ...hall.effect("Bob"), content, part: 0, parts: 1 });
    await hall.settled();
    expect(hall.bodies(CAROL)).toEqual(["Carol"]);
    expect(hall.to(CAROL)[0]?.getChild("reference")?.attrs["uri"]).toBe("xmpp:carol@home.test");
  });
});

describe("a room that is no longer linked", () => {
  it("is gone for those in it, with all that was said", async () => {
    await withBoth();
    await hall.say("Bob", "the end");
    await hall.handlers.unlinked?.({ channel: hall.channel, room: hall.view.room, kind: "plumbed" });
    await hall.settled();
    const last = hall.to(CAROL).at(-1);
    expect(last?.getChild("x", "http://jabber.org/protocol/muc#user")?.getChild("destroy")).toBeDefined();
    await hall.says(CAROL, "hello?");
    expect(hall.error(CAROL)).toBe("item-not-found");
  });
});
