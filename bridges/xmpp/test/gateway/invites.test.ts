import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { RemoteUserId, UserId, type NetworkEvent } from "@trestle/core";
import { publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const DAVE = "dave@home.test";
const ZOE = "zoe_example.org@matrix.test";
const MUC_USER = "http://jabber.org/protocol/muc#user";

let hall: Hall;
beforeEach(async () => {
  hall = new Hall();
  await hall.joins(CAROL, "Carol");
  hall.forget();
});
afterEach(() => hall.close());

const asks = (to: string, from = CAROL) =>
  hall.takes(
    `<message from="${from}" to="${hall.channel}" id="i"><x xmlns="${MUC_USER}"><invite to="${to}"><reason>tea &amp; cake</reason></invite></x></message>`,
  );
const invitations = () =>
  hall.core.received.filter(
    (event): event is Extract<NetworkEvent, { kind: "invitation" }> => event.kind === "invitation",
  );
const invitedBy = (jid: string) => {
  const invite = hall.to(jid).at(-1)?.getChild("x", MUC_USER)?.getChild("invite");
  return invite && [invite.attrs["from"], invite.getChildText("reason")];
};
const inviteOnly = (power = 0) =>
  publicRoom({
    joinRule: "invite",
    people: [{ id: RemoteUserId("carol@home.test"), membership: "join", power }],
    power: { ...publicRoom().power, invite: 50 },
  });

describe("invitations", () => {
  it("by somebody in the room reach a person of XMPP, a Matrix user and nobody else", async () => {
    await asks(DAVE);
    expect(invitedBy(DAVE)).toEqual([`${hall.channel}/Carol`, "tea & cake"]);
    // Whoever may come anyway need not be invited on Matrix.
    expect(invitations()).toEqual([]);
    await asks(ZOE);
    expect(invitations()).toMatchObject([
      {
        by: { id: "carol@home.test", name: "Carol" },
        who: { userId: "@zoe:example.org" },
        reason: "tea & cake",
        channel: hall.channel,
      },
    ]);
    expect(hall.error(CAROL)).toBeUndefined();
    for (const [to, condition] of [
      ["nobody@matrix.test", "item-not-found"],
      ["matrix.test", "item-not-found"],
      ["bob_example.org@matrix.test", "conflict"],
      ["a@b@c", "jid-malformed"],
    ] as const) {
      await asks(to);
      expect([to, hall.error(CAROL)]).toEqual([to, condition]);
    }
    await asks(DAVE, "eve@home.test/a");
    expect(hall.error("eve@home.test/a")).toBe("not-acceptable");
    expect(invitations()).toHaveLength(1);
  });

  it("of Matrix users who are not there, or stand for somebody on XMPP, are answered so", async () => {
    hall.lookUpUser = (user) =>
      Promise.resolve(user.startsWith("@xmpp_") ? { is: "own", person: RemoteUserId(DAVE) } : { is: "nobody" });
    await asks(ZOE);
    expect(hall.error(CAROL)).toBe("item-not-found");
    await asks("xmpp_dave=40home.test_example.org@matrix.test");
    const error = hall.to(CAROL).at(-1)?.getChild("error");
    expect(error?.getChildText("redirect")).toBe("xmpp:dave@home.test");
    expect(error?.getChildText("text")).toContain(DAVE);
    expect(invitations()).toEqual([]);
  });

  it("into a room for the invited alone are for who may invite there, and let them in", async () => {
    hall.view = inviteOnly();
    await hall.joins(`${DAVE}/a`, "Dave");
    expect(hall.error(`${DAVE}/a`)).toBe("registration-required");
    await asks(DAVE);
    expect(hall.error(CAROL)).toBe("forbidden");
    await asks(ZOE);
    expect(hall.error(CAROL)).toBe("forbidden");
    expect(invitations()).toEqual([]);
    hall.view = inviteOnly(50);
    hall.forget();
    await asks(DAVE);
    expect(invitedBy(DAVE)).toEqual([`${hall.channel}/Carol`, "tea & cake"]);
    expect(invitations()).toMatchObject([{ who: { person: { id: DAVE } } }]);
    await hall.joins(`${DAVE}/a`, "Dave");
    expect(hall.error(`${DAVE}/a`)).toBeUndefined();
    expect(codes(hall.to(`${DAVE}/a`).findLast(({ name }) => name === "presence"))).toContain(110);
  });

  it("of who is banned are not sent", async () => {
    hall.view = publicRoom({ people: [{ id: RemoteUserId("carol@home.test"), membership: "join", power: 100 }] });
    await hall.asks(
      CAROL,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item jid="${DAVE}" affiliation="outcast"/></query>`,
    );
    await asks(DAVE);
    expect(hall.error(CAROL)).toBe("forbidden");
    expect(hall.to(DAVE)).toEqual([]);
  });

  it("of Matrix reach the person, who can then come in", async () => {
    hall.view = inviteOnly();
    const told = (who: string) =>
      hall.handlers.invite?.({ ...hall.effect("Alice"), who: RemoteUserId(who), reason: "join us" });
    expect(await told(DAVE)).toBeUndefined();
    await hall.settled();
    expect(invitedBy(DAVE)).toEqual([`${hall.channel}/Alice`, "join us"]);
    await hall.joins(`${DAVE}/a`, "Dave");
    expect(hall.error(`${DAVE}/a`)).toBeUndefined();
    for (const nobody of ["occupant:room@muc.test/x", "nick:room@muc.test/Eve", "alice_example.org@matrix.test"])
      expect(await told(nobody)).toMatchObject({ failed: "permanent" });
    hall.stream.state = { state: "waiting" };
    expect(await told("erin@home.test")).toMatchObject({ failed: "retry" });
  });

  it("that are declined are known to who asked, on either side", async () => {
    const decline = (to: string) =>
      hall.takes(
        `<message from="${DAVE}/a" to="${hall.channel}"><x xmlns="${MUC_USER}"><decline to="${to}"><reason>no time</reason></decline></x></message>`,
      );
    await decline(`${hall.channel}/Carol`);
    const declined = hall.to(CAROL).at(-1)?.getChild("x", MUC_USER)?.getChild("decline");
    expect([declined?.attrs["from"], declined?.getChildText("reason")]).toEqual([DAVE, "no time"]);
    await decline(`${hall.channel}/Alice`);
    expect(hall.core.received.at(-1)).toMatchObject({
      kind: "declined",
      who: { id: DAVE },
      how: "declined",
      userId: expect.stringMatching(/^@alice:/),
      reason: "no time",
    });
  });

  it("that are direct go to Matrix, from who is in the room", async () => {
    const { gateway } = hall;
    const direct = (from: string, room: string = hall.channel) =>
      gateway.invite(room, { from, user: UserId("@zoe:example.org"), reason: "tea" });
    expect(await direct("eve@home.test/a")).toMatchObject({ condition: "not-acceptable" });
    expect(await direct(CAROL, "#other#example.org@matrix.test")).toMatchObject({ condition: "item-not-found" });
    expect(invitations()).toEqual([]);
    expect(await direct(CAROL)).toBeUndefined();
    expect(invitations()).toMatchObject([{ who: { userId: "@zoe:example.org" }, reason: "tea" }]);
  });

  it("cannot be made without end", async () => {
    await hall.close();
    hall = new Hall({ tuning: { burst: 5, refillMs: 1e9 } });
    await hall.joins(CAROL, "Carol");
    for (let number = 0; number < 20; number++) await asks(`p${number}@home.test`);
    const sent = hall.stream.sent.filter((stanza) => stanza.getChild("x", MUC_USER)?.getChild("invite"));
    expect(sent).toHaveLength(4);
    expect(hall.error(CAROL)).toBe("policy-violation");
  });
});

describe("a private room", () => {
  it("says that it is one, and tells those in it when that changes", async () => {
    hall.view = publicRoom({ joinRule: "invite" });
    await hall.handlers.settings?.({ ...hall.effect("Alice"), settings: { inviteOnly: true } });
    await hall.settled();
    expect(hall.to(CAROL).flatMap(codes)).toEqual([104]);
    const info = await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    const features = info
      .getChild("query")
      ?.getChildren("feature")
      .map(({ attrs }) => attrs["var"]);
    expect(features).toEqual(expect.arrayContaining(["muc_membersonly", "muc_hidden"]));
    expect(features).not.toContain("muc_open");
  });
});
