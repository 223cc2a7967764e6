import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteUserId } from "@trestle/core";
import fc from "fast-check";
import { nickFrom } from "../../dist/address/index.js";
import { parseXml } from "../../dist/content/index.js";
import { member, publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const DAVE = "dave@home.test/desk";
const MUC_USER = "http://jabber.org/protocol/muc#user";

let hall: Hall;
afterEach(() => hall.close());

const froms = (jid: string): (string | undefined)[] =>
  hall
    .to(jid)
    .filter(({ name, attrs }) => name === "presence" && attrs["type"] === undefined)
    .map(({ attrs }) => attrs["from"]?.split("/")[1]);
const gone = (jid: string, nick: string) =>
  hall.to(jid).find(({ attrs }) => attrs["type"] === "unavailable" && attrs["from"]?.endsWith(`/${nick}`));
const changes = (): string[] =>
  hall.core.received.flatMap((event) => (event.kind === "membership" ? `${event.user.id} ${event.change}` : []));

describe("who comes into a room", () => {
  it("is shown the others, oneself, and the subject at the end, and is shown to the others", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    expect(froms(DAVE)).toEqual(["Alice", "Bob", "Carol", "Dave"]);
    const [alice] = hall.to(DAVE);
    expect(alice?.getChild("x", MUC_USER)?.getChild("item")?.attrs).toEqual({
      affiliation: "owner",
      role: "moderator",
      jid: "alice_example.org@matrix.test",
    });
    expect(alice?.getChild("hats")?.getChild("hat")?.attrs["title"]).toBe("Room administrator");
    expect(codes(hall.to(DAVE)[3])).toEqual([100, 110, 170]);
    expect(hall.to(DAVE).at(-1)?.getChildText("subject")).toBe("Bridges");
    expect(froms(CAROL)).toEqual(["Alice", "Bob", "Carol", "Dave"]);
    expect(changes()).toEqual(["carol@home.test join", "dave@home.test join"]);
    expect(hall.core.received[0]).toMatchObject({ intoRoom: true, user: { name: "Carol" } });
  });

  it("has one occupant id under every nick, which does not tell who it is", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(CAROL, "Caroline");
    const ids = hall
      .to(CAROL)
      .filter(({ attrs }) => /\/Carol/.test(attrs["from"] ?? ""))
      .map((stanza) => stanza.getChild("occupant-id")?.attrs["id"]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).not.toContain("carol");
  });

  it("does not take a nick that somebody has, in whatever case", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "ALICE");
    expect(hall.error(CAROL)).toBe("conflict");
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "carol");
    expect(hall.error(DAVE)).toBe("conflict");
    expect(changes()).toEqual(["carol@home.test join"]);
  });

  it("comes from several clients under one nick, and leaves with the last", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    hall.forget();
    await hall.joins("carol@home.test/phone", "Carola");
    expect(codes(hall.to("carol@home.test/phone").findLast(({ name }) => name === "presence"))).toEqual([
      100, 110, 170, 210,
    ]);
    expect(froms("carol@home.test/phone")).toEqual(["Alice", "Bob", "Dave", "Carol"]);
    await hall.says(DAVE, "to all of you");
    expect(hall.bodies(CAROL)).toEqual(["to all of you"]);
    expect(hall.bodies("carol@home.test/phone")).toEqual(["to all of you"]);
    await hall.takes(`<presence type="unavailable" from="${CAROL}" to="${hall.channel}/Carol"/>`);
    expect(gone(DAVE, "Carol")).toBeUndefined();
    expect(codes(gone(CAROL, "Carol"))).toEqual([110]);
    await hall.takes(`<presence type="unavailable" from="carol@home.test/phone" to="${hall.channel}/Carol"/>`);
    expect(gone(DAVE, "Carol")).toBeDefined();
    expect(changes()).toEqual(["carol@home.test join", "dave@home.test join", "carol@home.test leave"]);
  });

  it("changes the nick for everybody to see", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    hall.forget();
    await hall.takes(`<presence from="${CAROL}" to="${hall.channel}/Caro"/>`);
    const left = gone(DAVE, "Carol");
    expect(codes(left)).toEqual([303]);
    expect(left?.getChild("x", MUC_USER)?.getChild("item")?.attrs["nick"]).toBe("Caro");
    expect(codes(gone(CAROL, "Carol"))).toEqual([110, 303]);
    expect(froms(DAVE)).toEqual(["Caro"]);
    expect(hall.core.received.at(-1)).toMatchObject({ kind: "profile", user: { id: "carol@home.test", name: "Caro" } });
    await hall.takes(`<presence from="${CAROL}" to="${hall.channel}/Dave"/>`);
    expect(hall.error(CAROL)).toBe("conflict");
  });

  it("is shown what was said before, as much as is wanted", async () => {
    hall = new Hall();
    for (let number = 0; number < 30; number++) await hall.say("Bob", `t${number}`);
    await hall.joins(CAROL, "Carol", "");
    expect(hall.bodies(CAROL)).toEqual(Array.from({ length: 20 }, (_, number) => `t${number + 10}`));
    expect(
      hall
        .to(CAROL)
        .find(({ name }) => name === "message")
        ?.getChild("delay")?.attrs["from"],
    ).toBe(hall.channel);
    await hall.joins(DAVE, "Dave", '<history maxstanzas="2"/>');
    expect(hall.bodies(DAVE)).toEqual(["t28", "t29"]);
    await hall.joins("eve@home.test/a", "Eve", '<history since="2999-01-01T00:00:00Z"/>');
    expect(hall.bodies("eve@home.test/a")).toEqual([]);
    await hall.joins("erin@home.test/a", "Erin", '<history seconds="600"/>');
    expect(hall.bodies("erin@home.test/a")).toHaveLength(30);
    await hall.joins("fay@home.test/a", "Fay", '<history maxchars="0"/>');
    expect(hall.bodies("fay@home.test/a")).toEqual([]);
  });

  it("comes in once more where a client has forgotten that it is there", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    hall.forget();
    await hall.joins(CAROL, "Carol");
    expect(froms(CAROL)).toEqual(["Alice", "Bob", "Carol"]);
    expect(changes()).toHaveLength(1);
  });
});

describe("who may not come in", () => {
  it("is told why: banned, not invited, blocked, or too many", async () => {
    const person = (id: string, membership: "ban" | "invite" | "join") =>
      ({ id: RemoteUserId(id), membership, power: 0 }) as const;
    const people = [person("carol@home.test", "ban"), person("erin@home.test", "invite")];
    hall = new Hall({ gateway: { blocked: ["bad.test"], maxOccupants: 2 }, view: publicRoom({ people }) });
    await hall.joins(CAROL, "Carol");
    expect(hall.error(CAROL)).toBe("forbidden");
    await hall.joins("x@bad.test/a", "X");
    expect(hall.error("x@bad.test/a")).toBe("forbidden");
    hall.view = { ...hall.view, joinRule: "invite" };
    await hall.joins(DAVE, "Dave");
    expect(hall.error(DAVE)).toBe("registration-required");
    await hall.joins("erin@home.test/a", "Erin");
    expect(hall.error("erin@home.test/a")).toBeUndefined();
    hall.view = publicRoom();
    await hall.joins(DAVE, "Dave");
    await hall.joins("fay@home.test/a", "Fay");
    expect(hall.error("fay@home.test/a")).toBe("service-unavailable");
  });

  it("waits where the Matrix room cannot be read", async () => {
    hall = new Hall();
    hall.beforeView = () => Promise.reject(new Error("no homeserver"));
    await hall.joins(CAROL, "Carol");
    expect(hall.error(CAROL)).toBe("internal-server-error");
    hall.beforeView = () => Promise.resolve();
    await hall.joins(CAROL, "Carol");
    expect(froms(CAROL)).toContain("Carol");
  });

  it("is sent to the room's address from its other aliases, and told where there is no room", async () => {
    hall = new Hall({ view: publicRoom({ otherAliases: ["#bridges:example.org" as never] }) });
    await hall.joins(CAROL, "Carol");
    const join = (room: string) =>
      hall.takes(
        `<presence from="${DAVE}" to="${room}@matrix.test/Dave"><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
      );
    await join("#bridges#example.org");
    expect(hall.to(DAVE).at(-1)?.getChild("error")?.getChild("gone")?.getText()).toBe(
      "xmpp:%23trestle%23example.org@matrix.test?join",
    );
    await join("#other#example.org");
    expect(hall.error(DAVE)).toBe("item-not-found");
  });
});

describe("a room that is not linked", () => {
  it("is opened for who joins it, where the operator says so, once for all who come", async () => {
    hall = new Hall({ unlinked: true, gateway: { rooms: "public" } });
    let opened = 0;
    hall.openRoom = async ({ room, channel }) => {
      opened++;
      expect(room).toBe("#trestle:example.org");
      const { id } = channel(hall.view);
      await hall.settled();
      return { channel: id, room: hall.view.room, kind: "plumbed" };
    };
    await Promise.all([hall.joins(CAROL, "Carol"), hall.joins(DAVE, "Dave")]);
    await hall.settled();
    expect(opened).toBe(1);
    expect(froms(DAVE)).toEqual(expect.arrayContaining(["Alice", "Carol", "Dave"]));
  });
});

describe("who is no longer there", () => {
  it("is taken out by what bounces, and Matrix is told", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    const error = (condition: string) =>
      `<error type="cancel"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>`;
    await hall.takes(
      `<message type="error" from="${CAROL}" to="${hall.channel}/Bob">${error("not-acceptable")}</message>`,
    );
    expect(gone(DAVE, "Carol")).toBeUndefined();
    await hall.takes(
      `<message type="error" from="${CAROL}" to="${hall.channel}/Bob">${error("remote-server-not-found")}</message>`,
    );
    expect(codes(gone(DAVE, "Carol"))).toEqual([333]);
    expect(changes().at(-1)).toBe("carol@home.test leave");
    await hall.takes(`<presence type="error" from="${DAVE}" to="${hall.channel}">${error("gone")}</presence>`);
    expect(changes().at(-1)).toBe("dave@home.test leave");
  });

  it("is known by a ping of the own nick", async () => {
    hall = new Hall();
    const ping = '<ping xmlns="urn:xmpp:ping"/>';
    await hall.asks(CAROL, "get", ping, "Carol");
    expect(hall.error(CAROL)).toBe("not-acceptable");
    await hall.joins(CAROL, "Carol");
    expect((await hall.asks(CAROL, "get", ping, "Carol")).attrs["type"]).toBe("result");
    await hall.asks(CAROL, "get", ping, "Alice");
    expect(hall.error(CAROL)).toBe("service-unavailable");
  });

  it("is told so after a crash, comes in again, and leaves Matrix where it does not", async () => {
    hall = new Hall({ tuning: { rejoinMs: 20 } });
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    await hall.crash();
    expect(codes(gone(CAROL, "Carol"))).toEqual([110, 307, 333]);
    // What it says before it is back is not lost silently.
    await hall.says(CAROL, "still here");
    expect(hall.error(CAROL)).toBe("not-acceptable");
    await hall.joins(CAROL, "Carol");
    await hall.core.until("dave's leaving", () => changes().includes("dave@home.test leave"));
    expect(changes()).not.toContain("carol@home.test leave");
  });

  it("is told so at the end, in good order", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.gateway.close();
    expect(codes(gone(CAROL, "Carol"))).toEqual([110, 332]);
    hall.gateway.close = () => Promise.resolve();
  });
});

describe("Matrix users", () => {
  it("come, go, are renamed and removed for everybody to see", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    hall.forget();
    const zoe = { userId: member("Zoe").userId, name: "Zoe" };
    const change = (kind: "join" | "rename" | "kick", who: typeof zoe) =>
      hall.handlers.membership?.({ ...hall.effect("Zoe"), change: kind, who });
    await change("join", zoe);
    await change("rename", { ...zoe, name: "Carol" });
    await change("kick", zoe);
    await hall.settled();
    expect(froms(CAROL)).toEqual(["Zoe", "Carol[m]"]);
    expect(codes(gone(CAROL, "Zoe"))).toEqual([303]);
    expect(codes(gone(CAROL, "Carol[m]"))).toEqual([307]);
  });

  it("remove people of XMPP, who stay away when they are banned", async () => {
    hall = new Hall();
    await hall.joins(CAROL, "Carol");
    await hall.joins(DAVE, "Dave");
    const who = { remote: RemoteUserId("carol@home.test") };
    await hall.handlers.membership?.({ ...hall.effect("Alice"), change: "kick", who, reason: "enough" });
    await hall.settled();
    const item = gone(CAROL, "Carol")?.getChild("x", MUC_USER)?.getChild("item");
    expect(codes(gone(CAROL, "Carol"))).toEqual([110, 307]);
    expect([item?.getChildText("reason"), item?.getChild("actor")?.attrs["nick"]]).toEqual(["enough", "Alice"]);
    expect(codes(gone(DAVE, "Carol"))).toEqual([307]);
    // Matrix knows already.
    expect(changes()).not.toContain("carol@home.test leave");
    hall.view = publicRoom({ people: [{ id: who.remote, membership: "ban", power: 0 }] });
    await hall.joins(CAROL, "Carol");
    expect(hall.error(CAROL)).toBe("forbidden");
  });

  it("of very many are shown who have a say, and who speak", async () => {
    const many = Array.from({ length: 2_000 }, (_, number) => member(`M${number}`));
    hall = new Hall({
      gateway: { maxMembers: 10 },
      view: publicRoom({ members: [...many, member("Mod", 50)] }),
    });
    await hall.joins(CAROL, "Carol");
    expect(froms(CAROL)).toHaveLength(11);
    expect(froms(CAROL)).toContain("Mod");
    await hall.say("M1999", "I am here");
    expect(froms(CAROL).at(-1)).toBe("M1999");
  });
});

describe("hostile people", () => {
  it("with any nick get one that every server takes as it is", async () => {
    hall = new Hall({ tuning: { burst: 1_000_000 } });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), async (asked) => {
        const jid = `p${++number}@home.test/a`;
        const x = '<x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="0"/></x>';
        const clean = asked.toWellFormed().replace(/[^\t\n\x20-\ufffd\u{10000}-\u{10ffff}]/gu, "");
        const attribute = clean.replace(/[&<>"'\t\n]/g, (character) => `&#${character.charCodeAt(0)};`);
        await hall.takes(`<presence from="${jid}" to="${hall.channel}/${attribute}">${x}</presence>`);
        for (const nick of froms(jid)) expect(nickFrom(nick ?? "")).toBe(nick);
        await hall.takes(`<presence type="unavailable" from="${jid}" to="${hall.channel}"/>`);
        hall.forget();
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it("in a flood fill no more than the room holds, and cannot make all of it come and go", async () => {
    hall = new Hall({ gateway: { maxOccupants: 20 }, tuning: { viewMs: 60_000, refillMs: 1e9, burst: 5 } });
    await hall.joins(CAROL, "Carol");
    const x = '<x xmlns="http://jabber.org/protocol/muc"/>';
    for (let number = 0; number < 10_000; number++) {
      const from = `f${number}@home.test/a`;
      const stanza = parseXml(`<presence from="${from}" to="${hall.channel}/f${number}">${x}</presence>`);
      if (stanza) await hall.gateway.take(stanza);
    }
    await hall.settled();
    expect(changes()).toHaveLength(20);
    hall.forget();
    for (let round = 0; round < 100; round++) {
      await hall.joins(DAVE, "Dave");
      await hall.takes(`<presence from="f1@home.test/a" to="${hall.channel}/f1"><show>away</show></presence>`);
    }
    expect(hall.to(CAROL).length).toBeLessThan(20);
    expect(hall.error(DAVE)).toBe("policy-violation");
  });
});
