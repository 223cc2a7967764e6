import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, RemoteUserId, RoomId } from "@trestle/core";
import fc from "fast-check";
import { writeTime, type XmlElement } from "../../dist/content/index.js";
import { member, publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const DESK = "carol@home.test/desk";
const PHONE = "carol@home.test/phone";
const DAVE = "dave@home.test/desk";
const MUC_USER = "http://jabber.org/protocol/muc#user";
const PING = '<ping xmlns="urn:xmpp:ping"/>';

let hall: Hall;
afterEach(() => hall.close());

async function withAll(options: ConstructorParameters<typeof Hall>[0] = {}): Promise<void> {
  hall = new Hall(options);
  await hall.joins(DESK, "Carol");
  await hall.joins(PHONE, "Carol");
  await hall.joins(DAVE, "Dave");
  hall.forget();
}
const presences = (jid: string, nick: string) =>
  hall.to(jid).filter(({ name, attrs }) => name === "presence" && attrs["from"] === `${hall.channel}/${nick}`);
const occupantIdIn = (stanza: XmlElement | undefined) =>
  stanza?.getChild("occupant-id", "urn:xmpp:occupant-id:0")?.attrs["id"];
const hatsIn = (stanza: XmlElement | undefined) =>
  (stanza?.getChild("hats", "urn:xmpp:hats:0")?.getChildren("hat") ?? []).map(({ attrs }) => attrs["title"]);

describe("several clients of one person", () => {
  it("are told of a nick that one of them takes, each that it is its own", async () => {
    await withAll();
    await hall.takes(`<presence from="${PHONE}" to="${hall.channel}/Caro"/>`);
    for (const jid of [DESK, PHONE]) {
      expect(codes(presences(jid, "Carol")[0])).toEqual([110, 303]);
      expect(codes(presences(jid, "Caro")[0])).toEqual([110]);
    }
    expect(presences(DAVE, "Carol").map(codes)).toEqual([[303]]);
    expect(presences(DAVE, "Caro")).toHaveLength(1);
    expect(hall.core.received.filter(({ kind }) => kind === "profile")).toHaveLength(1);
  });

  it("see what each of them says, once", async () => {
    await withAll();
    await hall.says(PHONE, "from the phone", "", "p1");
    for (const jid of [DESK, PHONE, DAVE]) expect(hall.bodies(jid)).toEqual(["from the phone"]);
    expect(hall.to(DESK)[0]?.attrs).toMatchObject({ from: `${hall.channel}/Carol`, id: "p1" });
    expect(hall.core.texts()).toEqual(["from the phone"]);
  });

  it("show how the one that told last is, and the other when that one leaves", async () => {
    await withAll();
    await hall.takes(`<presence from="${PHONE}" to="${hall.channel}/Carol"><show>away</show></presence>`);
    expect(presences(DAVE, "Carol").at(-1)?.getChildText("show")).toBe("away");
    await hall.takes(`<presence type="unavailable" from="${PHONE}" to="${hall.channel}/Carol"/>`);
    expect(presences(DAVE, "Carol").at(-1)?.attrs["type"]).toBeUndefined();
    expect(presences(DAVE, "Carol").at(-1)?.getChildText("show")).toBeNull();
  });

  it("are all removed, and all bounced, as one", async () => {
    await withAll();
    const who = { remote: RemoteUserId("carol@home.test") };
    await hall.handlers.membership?.({ ...hall.effect("Alice"), change: "kick", who });
    await hall.settled();
    for (const jid of [DESK, PHONE]) expect(codes(presences(jid, "Carol").at(-1))).toEqual([110, 307]);
    expect(presences(DAVE, "Carol").filter(({ attrs }) => attrs["type"] === "unavailable")).toHaveLength(1);
    await hall.says(PHONE, "still here?");
    expect(hall.error(PHONE)).toBe("not-acceptable");
  });

  it("are no more than so many", async () => {
    hall = new Hall({ tuning: { burst: 1_000 } });
    for (let number = 0; number < 25; number++) await hall.joins(`carol@home.test/c${number}`, "Carol");
    expect(hall.error("carol@home.test/c24")).toBe("resource-constraint");
    expect(hall.error("carol@home.test/c10")).toBeUndefined();
  });
});

describe("a ping of oneself (XEP-0410)", () => {
  it("is answered to each client for itself, whatever others of the person do", async () => {
    await withAll();
    for (const jid of [DESK, PHONE]) expect((await hall.asks(jid, "get", PING, "Carol")).attrs["type"]).toBe("result");
    // A third client, which is not in the room, is told so though the person is.
    await hall.asks("carol@home.test/tablet", "get", PING, "Carol");
    expect(hall.error("carol@home.test/tablet")).toBe("not-acceptable");
    await hall.takes(`<presence type="unavailable" from="${PHONE}" to="${hall.channel}/Carol"/>`);
    await hall.asks(PHONE, "get", PING, "Carol");
    expect(hall.error(PHONE)).toBe("not-acceptable");
    expect((await hall.asks(DESK, "get", PING, "Carol")).attrs["type"]).toBe("result");
    // Under a nick that is nobody's any more.
    await hall.asks(DESK, "get", PING, "Carola");
    expect(hall.error(DESK)).toBe("item-not-found");
    const info = await hall.asks(DESK, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    expect(info.toString()).toContain("http://jabber.org/protocol/muc#self-ping-optimization");
  });

  it("says that one is out after the bridge was away", async () => {
    await withAll();
    await hall.crash();
    await hall.asks(DESK, "get", PING, "Carol");
    expect(hall.error(DESK)).toBe("not-acceptable");
  });
});

describe("what was said before", () => {
  it("comes as much as is asked for, by number, by characters and by time, and never more than is allowed", async () => {
    hall = new Hall({ tuning: { burst: 10_000, maxHistory: 8, history: 5 } });
    for (let number = 0; number < 12; number++) await hall.say("Bob", `t${number}`);
    const all = Array.from({ length: 12 }, (_, number) => `t${number}`);
    let joined = 0;
    const shown = async (history: string) => {
      const jid = `p${++joined}@home.test/a`;
      await hall.joins(jid, `P${joined}`, history);
      return {
        bodies: hall.bodies(jid),
        stanzas: hall.to(jid).filter((stanza) => stanza.getChildText("body") !== null),
      };
    };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 15 }), async (most) => {
        const { bodies } = await shown(`<history maxstanzas="${most}"/>`);
        expect(bodies).toEqual(all.slice(all.length - Math.min(most, 8)));
      }),
      { seed: 3, numRuns: 10 },
    );
    expect((await shown("")).bodies).toEqual(all.slice(-5));
    // The latest that fit, in order.
    const { stanzas } = await shown('<history maxstanzas="3"/>');
    const size = stanzas.at(-1)?.toString().length ?? 0;
    const cut = (await shown(`<history maxchars="${Math.floor(size * 2.5)}"/>`)).bodies;
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.length).toBeLessThan(4);
    expect(cut).toEqual(all.slice(-cut.length));
    expect((await shown('<history seconds="600"/>')).bodies).toEqual(all.slice(-8));
    const since = writeTime(Date.now() + 60_000);
    expect((await shown(`<history since="${since}"/>`)).bodies).toEqual([]);
  });

  it("has the ids and times of the archive, so that a client does not show it twice", async () => {
    hall = new Hall();
    await hall.say("Bob", "one", "i1");
    await hall.joins(DESK, "Carol", "");
    const shown = hall.to(DESK).find((stanza) => stanza.getChildText("body") === "one");
    await hall.asks(DESK, "set", '<query xmlns="urn:xmpp:mam:2"/>');
    const result = hall
      .to(DESK)
      .findLast((stanza) => stanza.getChild("result"))
      ?.getChild("result");
    expect(shown?.getChild("stanza-id")?.attrs).toMatchObject({ by: hall.channel, id: result?.attrs["id"] });
    const archived = result?.getChild("forwarded");
    expect(shown?.getChild("delay")?.attrs["stamp"]).toBe(archived?.getChild("delay")?.attrs["stamp"]);
    expect(occupantIdIn(shown)).toBe(occupantIdIn(archived?.getChild("message", "jabber:client")));
  });
});

describe("ids of occupants (XEP-0421)", () => {
  it("are the same in presences and messages, of clients and after a crash, and another for each and in each room", async () => {
    await withAll();
    await hall.joins("erin@home.test/a", "Erin");
    const ids = new Map(
      ["Alice", "Bob", "Carol", "Dave"].map((nick) => [nick, occupantIdIn(presences("erin@home.test/a", nick)[0])]),
    );
    expect(new Set(ids.values()).size).toBe(4);
    for (const jid of [DESK, PHONE]) {
      await hall.says(jid, `by ${jid}`);
      expect(occupantIdIn(hall.to(DAVE).at(-1))).toBe(ids.get("Carol"));
    }
    await hall.say("Bob", "hello");
    expect(occupantIdIn(hall.to(DAVE).at(-1))).toBe(ids.get("Bob"));
    await hall.crash();
    await hall.joins(DESK, "Another nick");
    expect(occupantIdIn(presences(DESK, "Another nick")[0])).toBe(ids.get("Carol"));
    const other = ChannelId("#other#example.org@matrix.test");
    hall.gateway.add({ channel: other, room: RoomId("!other:example.org"), kind: "plumbed" });
    await hall.takes(
      `<presence from="${DESK}" to="${other}/Carol"><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
    );
    const elsewhere = hall.to(DESK).find(({ attrs }) => attrs["from"] === `${other}/Carol`);
    expect(occupantIdIn(elsewhere)).toBeTruthy();
    expect(occupantIdIn(elsewhere)).not.toBe(ids.get("Carol"));
  });
});

describe("hats (XEP-0317)", () => {
  it("say who may do what, and change with it", async () => {
    const people = (power: number) => [{ id: RemoteUserId("carol@home.test"), membership: "join", power } as const];
    const members = [member("Alice", 100), member("Mod", 50), member("Bob", 10)];
    await withAll({ view: publicRoom({ members, people: people(0) }) });
    await hall.joins("erin@home.test/a", "Erin");
    const titles = (nick: string) => hatsIn(presences("erin@home.test/a", nick).at(-1));
    expect([titles("Alice"), titles("Mod"), titles("Bob"), titles("Carol")]).toEqual([
      ["Room administrator"],
      ["Room moderator"],
      [],
      [],
    ]);
    hall.view = publicRoom({ members, people: people(50) });
    await hall.handlers.role?.({
      ...hall.effect("Alice"),
      who: { remote: RemoteUserId("carol@home.test") },
      role: "moderator",
      before: "none",
    });
    await hall.settled();
    expect(titles("Carol")).toEqual(["Room moderator"]);
    const item = presences("erin@home.test/a", "Carol").at(-1)?.getChild("x", MUC_USER)?.getChild("item");
    expect(item?.attrs).toMatchObject({ affiliation: "admin", role: "moderator" });
    // Nobody can put one on by themselves.
    await hall.says(DAVE, "look", '<hats xmlns="urn:xmpp:hats:0"><hat uri="x" title="Boss"/></hats>');
    expect(hatsIn(hall.to(DESK).at(-1))).toEqual([]);
  });
});

describe("moderation (XEP-0425)", () => {
  const view = publicRoom({ people: [{ id: RemoteUserId("carol@home.test"), membership: "join", power: 50 }] });
  const requests = {
    now: (id: string) =>
      `<moderate xmlns="urn:xmpp:message-moderate:1" id="${id}"><retract xmlns="urn:xmpp:message-retract:1"/><reason>rude</reason></moderate>`,
    before: (id: string) =>
      `<apply-to xmlns="urn:xmpp:fasten:0" id="${id}"><moderate xmlns="urn:xmpp:message-moderate:0"><retract xmlns="urn:xmpp:message-retract:0"/><reason>rude</reason></moderate></apply-to>`,
  };

  it.each(["now", "before"] as const)("is asked for as of %s, and told in both ways to everybody", async (version) => {
    await withAll({ view });
    await hall.says(DAVE, "rude");
    const id = hall.core.messages()[0]?.id ?? "";
    expect((await hall.asks(DESK, "set", requests[version](id))).attrs["type"]).toBe("result");
    expect(hall.core.received.at(-1)).toMatchObject({ kind: "redaction", target: id, reason: "rude" });
    for (const jid of [DESK, PHONE, DAVE]) {
      const told = hall.to(jid).findLast(({ name }) => name === "message");
      expect(told?.attrs["from"]).toBe(hall.channel);
      const now = told?.getChild("retract", "urn:xmpp:message-retract:1");
      expect(now?.attrs["id"]).toBe(id);
      expect(now?.getChild("moderated", "urn:xmpp:message-moderate:1")?.attrs["by"]).toBe(`${hall.channel}/Carol`);
      const before = told?.getChild("apply-to", "urn:xmpp:fasten:0");
      expect(before?.attrs["id"]).toBe(id);
      expect(before?.getChild("moderated", "urn:xmpp:message-moderate:0")).toBeDefined();
    }
    // Whoever comes now does not see it.
    await hall.joins("erin@home.test/a", "Erin", "");
    expect(hall.bodies("erin@home.test/a")).toEqual([]);
  });

  it("is offered in both ways, and refused to who may not", async () => {
    await withAll({ view });
    const info = await hall.asks(DESK, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    for (const version of ["urn:xmpp:message-moderate:1", "urn:xmpp:message-moderate:0"])
      expect(info.toString()).toContain(version);
    await hall.says(DAVE, "fine");
    const id = hall.core.messages()[0]?.id ?? "";
    for (const request of Object.values(requests)) {
      await hall.asks(DAVE, "set", request(id));
      expect(hall.error(DAVE)).toBe("forbidden");
    }
    expect(hall.core.received.some(({ kind }) => kind === "redaction")).toBe(false);
  });
});
