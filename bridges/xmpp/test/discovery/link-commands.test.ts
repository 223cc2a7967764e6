import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { RemoteUserId } from "@trestle/core";
import { publicRoom } from "../gateway/support/gateway-stage.js";
import { Hall } from "../gateway/support/hall.js";
import { Desk, DOMAIN } from "./support/desk.js";

const CAROL = "carol@home.test/desk";
const ROOM = "room@muc.test";
const MATRIX = "#trestle:example.org";

let hall: Hall;
let desk: Desk;
beforeEach(() => {
  hall = new Hall();
  desk = new Desk(hall.gateway);
});
afterEach(() => hall.close());

describe("the commands of the component", () => {
  it("are listed, asked for with their questions, run, and can be cancelled", async () => {
    const items = await desk.asks(
      CAROL,
      "get",
      '<query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/>',
    );
    const nodes = items.getChild("query")?.getChildren("item") ?? [];
    expect(nodes.map(({ attrs }) => attrs["node"])).toEqual(["contact", "search", "link", "unlink", "list", "status"]);
    for (const { attrs } of nodes) expect(attrs["name"]).toBeTruthy();
    const first = await desk.runs(CAROL, "link");
    expect([first.status, first.questions]).toEqual(["executing", ["room", "matrix"]]);
    const session = `sessionid="${first.sessionId ?? ""}"`;
    // Without what must be answered it is asked again.
    expect((await desk.runs(CAROL, "link", { room: ROOM }, session)).status).toBe("executing");
    const cancelled = await desk.runs(CAROL, "link", undefined, `${session} action="cancel"`);
    expect([cancelled.status, cancelled.sessionId]).toEqual(["canceled", first.sessionId]);
    expect(desk.requests).toEqual([]);
    expect((await desk.runs(CAROL, "nothing")).xml).toContain("item-not-found");
  });
});

describe("link", () => {
  it("asks the people of the Matrix room, for who owns the room of XMPP", async () => {
    desk.room(ROOM, "carol@home.test");
    const done = await desk.runs(CAROL, "link", { room: `xmpp:${ROOM}?join`, matrix: MATRIX });
    expect(done).toMatchObject({ status: "completed", note: expect.stringContaining("are asked") });
    expect(desk.requests).toEqual([
      { channel: expect.objectContaining({ id: ROOM, name: "A room" }), room: MATRIX, by: "carol@home.test" },
    ]);
    desk.requestLink = () => Promise.resolve("linked");
    expect((await desk.runs(CAROL, "link", { room: ROOM, matrix: MATRIX })).note).toContain("is now linked");
  });

  it("is refused, with a reason, to who does not own it, and for what is no room", async () => {
    const note = async (room: string, matrix = MATRIX, from = CAROL) =>
      (await desk.runs(from, "link", { room, matrix })).note;
    desk.room(ROOM, "dave@home.test");
    expect(await note(ROOM)).toContain("Only owners and admins");
    // Whoever has the same name elsewhere is somebody else.
    expect(await note(ROOM, MATRIX, "dave@evil.test/x")).toContain("Only owners and admins");
    desk.answers.set(`${ROOM} http://jabber.org/protocol/muc#admin`, "forbidden");
    expect(await note(ROOM)).toContain(`Make bridge@${DOMAIN} an owner of it`);
    expect(await note("nowhere@muc.test")).toContain("There is no room nowhere@muc.test");
    expect(await note("no address")).toContain("is no address of an XMPP room");
    expect(await note(ROOM, "chat")).toContain("is no Matrix room");
    expect(await note(ROOM, "#chat")).toContain("is no Matrix room");
    expect(desk.requests).toEqual([]);
  });

  it("makes a Matrix room one that can be joined where no other is named", async () => {
    expect((await desk.runs(CAROL, "link", { room: "", matrix: MATRIX })).note).toContain("are asked");
    expect(desk.requests).toMatchObject([{ channel: { id: hall.channel }, room: MATRIX, by: "carol@home.test" }]);
    const closed = new Desk();
    expect((await closed.runs(CAROL, "link", { room: "", matrix: MATRIX })).note).toContain("cannot be joined");
  });

  it("tells what is missing on Matrix, as the command there does", async () => {
    desk.room(ROOM, "carol@home.test");
    desk.requestLink = () => Promise.reject(new Error("The bridge bot is not in the room: have @bot:x invited there."));
    const done = await desk.runs(CAROL, "link", { room: ROOM, matrix: MATRIX });
    expect([done.status, done.note]).toEqual([
      "completed",
      "The bridge bot is not in the room: have @bot:x invited there.",
    ]);
    expect(done.xml).toContain('type="error"');
  });

  it("cannot be asked for without end", async () => {
    const notes: string[] = [];
    for (let time = 0; time < 12; time++)
      notes.push((await desk.runs(CAROL, "link", { room: "nowhere@muc.test", matrix: MATRIX })).note);
    expect(notes[9]).toContain("There is no room");
    expect(notes[10]).toContain("too much at once");
    expect((await desk.runs("dave@home.test/x", "link", { room: "nowhere@muc.test", matrix: MATRIX })).note).toContain(
      "There is no room",
    );
  });
});

describe("unlink", () => {
  it("is done for who owns the room, and for nobody else", async () => {
    desk.room(ROOM, "carol@home.test");
    expect((await desk.runs(CAROL, "unlink", { room: ROOM })).note).toContain("is not linked");
    desk.link(ROOM, "!a:example.org");
    expect((await desk.runs("dave@home.test/x", "unlink", { room: ROOM })).note).toContain("Only owners and admins");
    expect(desk.removed).toEqual([]);
    expect((await desk.runs(CAROL, "unlink", { room: ROOM })).note).toContain("no longer linked");
    expect(desk.removed).toEqual([`${ROOM} by carol@home.test`]);
  });

  it("of a Matrix room that can be joined is for who has all the power in it", async () => {
    desk.link(hall.channel, "!room:example.org");
    const person = { id: RemoteUserId("carol@home.test"), membership: "join" as const };
    hall.view = publicRoom({ people: [{ ...person, power: 50 }] });
    expect((await desk.runs(CAROL, "unlink", { room: hall.channel })).note).toContain("power level 100");
    hall.view = publicRoom({ people: [{ ...person, power: 100 }] });
    expect((await desk.runs(CAROL, "unlink", { room: hall.channel })).note).toContain("no longer linked");
    expect(desk.removed).toEqual([`${hall.channel} by carol@home.test`]);
  });
});

describe("list and status", () => {
  it("tell what a room is linked to, and nothing of private Matrix rooms", async () => {
    desk.link(ROOM, "!a:example.org");
    expect((await desk.runs(CAROL, "list", { room: ROOM })).note).toBe("Linked to #trestle:example.org.");
    desk.joinRule = "invite";
    expect((await desk.runs(CAROL, "list", { room: ROOM })).note).toBe("Linked to a private Matrix room.");
    expect((await desk.runs(CAROL, "list", { room: "other@muc.test" })).note).toContain("is not linked");
  });

  it("tell which Matrix rooms can be joined", async () => {
    await hall.joins(CAROL, "Carol");
    expect((await desk.runs(CAROL, "list", { room: "" })).xml).toContain(hall.channel);
    hall.view = publicRoom({ joinRule: "invite" });
    await hall.joins(CAROL, "Caro");
    await hall.joins("dave@home.test/x", "Dave");
    expect((await desk.runs(CAROL, "list", { room: "" })).xml).not.toContain(hall.channel);
  });

  it("tell how the bridge is, and not which rooms are linked", async () => {
    const { status, note } = await desk.runs(CAROL, "status");
    expect(status).toBe("completed");
    expect(note).toContain(`${DOMAIN}: connected`);
    expect(note).toContain("to xmpp: 5 delivered since the start, 3 waiting");
    expect(note).toContain("to Matrix: 7 delivered since the start, 0 waiting, 1 could not be delivered");
    expect(note).not.toContain("secret@muc.test");
  });
});
