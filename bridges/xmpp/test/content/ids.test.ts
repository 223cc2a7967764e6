import { describe, expect, it } from "@jest/globals";
import { message } from "./support.js";

const fromAnn = "type='chat' from='ann@example.org/phone' to='us@bridge.example' id='m1'";
const inRoom = "type='groupchat' from='room@muc.example.org/ann' to='us@bridge.example' id='m1'";

describe("ids", () => {
  const sid = (by: string, id: string): string => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`;
  const origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o'/>";

  it("of a room are its own alone", () => {
    const read = (children: string) => message(inRoom, `<body>x</body>${children}`).ids;
    expect(read(origin + sid("room@muc.example.org", "s") + sid("evil@example.org", "x"))).toEqual({
      id: "m1",
      originId: "o",
      stanzaId: "s",
    });
    expect(read(sid("Room@MUC.example.org", "s"))).toMatchObject({ stanzaId: "s" });
    for (const forged of [
      sid("evil@example.org", "x"),
      sid("room@muc.example.org/ann", "x"),
      sid("", "x"),
      sid("room@muc.example.org", "s") + sid("room@muc.example.org", "t"),
    ])
      expect(read(forged)).toEqual({ id: "m1" });
  });

  it("of an account are its own server's", () => {
    const children = `<body>x</body>${sid("me@example.org", "s")}`;
    expect(message(fromAnn, children).ids).toEqual({ id: "m1" });
    expect(message(fromAnn, children, { account: "me@example.org" }).ids).toEqual({ id: "m1", stanzaId: "s" });
  });

  it("of occupants are the room's, and none where there are two", () => {
    const occupant = (id: string): string => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`;
    expect(message(inRoom, `<body>x</body>${occupant("a")}`).occupantId).toBe("a");
    expect(message(inRoom, `<body>x</body>${occupant("a")}${occupant("b")}`)).not.toHaveProperty("occupantId");
  });
});

describe("delays", () => {
  it.each([
    [
      "<delay xmlns='urn:xmpp:delay' from='room@x' stamp='2002-09-10T23:08:25Z'>Offline</delay>",
      { at: 1031699305000, by: "room@x", reason: "Offline" },
    ],
    ["<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25.123456+02:00'/>", { at: 1031692105123 }],
    ["<x xmlns='jabber:x:delay' stamp='20020910T23:08:25'/>", { at: 1031699305000 }],
  ])("%s", (delay, expected) => expect(message(fromAnn, `<body>x</body>${delay}`).delay).toEqual(expected));
  it.each(["", "yesterday", "2002-13-10T23:08:25Z", "2002-09-10"])("%j is none", (stamp) =>
    expect(message(fromAnn, `<body>x</body><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>`)).not.toHaveProperty(
      "delay",
    ),
  );
});

describe("messages within messages", () => {
  const forwarded = (inner: string): string =>
    `<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>${inner}</forwarded>`;
  const said = (from: string): string =>
    `<message xmlns='jabber:client' type='chat' from='${from}' id='i'><body>x</body></message>`;
  const carbon = (inner: string): string => `<sent xmlns='urn:xmpp:carbons:2'>${forwarded(inner)}</sent>`;
  const result = (inner: string): string =>
    `<result xmlns='urn:xmpp:mam:2' queryid='q' id='a1'>${forwarded(inner)}</result>`;
  const account = { account: "me@example.org" };

  it("are carbons from the own account alone", () => {
    expect(
      message("from='me@example.org' to='me@example.org/x'", carbon(said("me@example.org/y")), account).what,
    ).toMatchObject({
      kind: "carbon",
      direction: "sent",
      message: { from: "me@example.org/y", what: { kind: "text" } },
    });
    for (const from of ["from='eve@example.org'", "from='me@example.org/other'", "from='me@example.org.evil'", ""])
      expect(message(from, carbon(said("me@example.org/y")), account).what.kind).toBe("forged");
    expect(message("from='me@example.org'", carbon(said("me@example.org/y"))).what.kind).toBe("forged");
  });

  it("are results of an archive, with the archive's id and time", () => {
    const read = message("from='room@muc.example.org'", result(said("room@muc.example.org/ann"))).what;
    expect(read).toMatchObject({
      kind: "archived",
      queryId: "q",
      id: "a1",
      message: { ids: { id: "i", stanzaId: "a1" }, delay: { at: 1031699305000 }, what: { kind: "text" } },
    });
  });

  it("of a room's archive are from that room", () => {
    expect(message("from='room@muc.example.org'", result(said("bob@example.org"))).what.kind).toBe("forged");
    expect(message("from='me@example.org'", result(said("bob@example.org")), account).what.kind).toBe("archived");
  });

  it("hold no more messages", () => {
    const nested = `<message xmlns='jabber:client' from='me@example.org'>${carbon(said("x@y"))}</message>`;
    expect(message("from='me@example.org'", carbon(nested), account).what).toMatchObject({
      message: { what: { kind: "ignored" } },
    });
  });
});
