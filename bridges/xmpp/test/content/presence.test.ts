import { describe, expect, it } from "@jest/globals";
import { mucUser, readPresence, roomJoin, writePresence, type MucUser } from "../../dist/content/index.js";
import { avatarUpdate, capsElement } from "../../dist/protocol/index.js";
import { xml } from "./support.js";

const read = (attributes: string, children = "") =>
  readPresence(xml(`<presence ${attributes}>${children}</presence>`)).what;
const user = (children: string): string => `<x xmlns='http://jabber.org/protocol/muc#user'>${children}</x>`;
const left = (children: string) => read("type='unavailable' from='room@muc.example.org/ann'", user(children));

describe("a presence", () => {
  it("tells how somebody is", () => {
    const sha = "01B87FCD030B72895FF8E88DB57EC525450F000D";
    expect(
      read(
        "from='a@b/c'",
        `<show>dnd</show><status> busy </status><priority>-200</priority><x xmlns='vcard-temp:x:update'><photo>${sha}</photo></x><idle xmlns='urn:xmpp:idle:1' since='2002-09-10T23:08:25Z'/><c xmlns='http://jabber.org/protocol/caps' node='n' ver='v' hash='sha-1'/>`,
      ),
    ).toEqual({
      kind: "available",
      show: "dnd",
      status: "busy",
      priority: -128,
      avatarHash: sha.toLowerCase(),
      caps: { node: "n", ver: "v", hash: "sha-1" },
      idleSince: 1031699305000,
    });
    expect(read("", "<show>here</show><priority>x</priority>")).toEqual({ kind: "available", priority: 0 });
  });

  it("tells of an avatar that there is none, or that nobody knows", () => {
    expect(read("", "<x xmlns='vcard-temp:x:update'><photo/></x>")).toMatchObject({ avatarHash: "" });
    expect(read("", "<x xmlns='vcard-temp:x:update'/>")).not.toHaveProperty("avatarHash");
    expect(read("", "<x xmlns='vcard-temp:x:update'><photo>../x</photo></x>")).not.toHaveProperty("avatarHash");
  });

  it.each(["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "unavailable"])(
    "can be of type %s",
    (type) => expect(read(`type='${type}'`).kind).toBe(type),
  );

  it("of a type that nobody knows says so", () =>
    expect(read("type='nonsense'")).toEqual({ kind: "unknown", type: "nonsense" }));

  it("wants into a room, with as much of the past as is wanted", () => {
    expect(
      read(
        "to='room@bridge.example/nick'",
        "<x xmlns='http://jabber.org/protocol/muc'><password>s</password><history maxstanzas='20' since='2002-09-10T23:08:25Z' seconds='x'/></x>",
      ),
    ).toMatchObject({ kind: "roomJoin", password: "s", history: { maxStanzas: 20, since: 1031699305000 } });
  });

  it("shows who is in a room", () => {
    const what = read(
      "from='room@muc.example.org/ann'",
      `${user("<item affiliation='owner' role='moderator' jid='ann@example.org/x'/><status code='110'/><status code='x'/>")}<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/><hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='u'/></hats>`,
    );
    expect(what).toMatchObject({
      kind: "occupant",
      item: { affiliation: "owner", role: "moderator", jid: "ann@example.org/x" },
      statuses: [110],
      isSelf: true,
      occupantId: "o",
      hats: ["Host"],
    });
  });

  it.each([
    ["left", "<item affiliation='none' role='none'/>"],
    ["kicked", "<item role='none'><actor nick='Mod'/><reason>spam</reason></item><status code='307'/>"],
    ["banned", "<item affiliation='outcast' role='none'/><status code='301'/>"],
    ["disconnected", "<item role='none'/><status code='307'/><status code='333'/>"],
    ["affiliation", "<item role='none'/><status code='321'/>"],
    ["membersOnly", "<item role='none'/><status code='322'/>"],
    ["shutdown", "<item role='none'/><status code='332'/>"],
    ["destroyed", "<item role='none'/><destroy jid='other@muc.example.org'><reason>moved</reason></destroy>"],
    ["left", "<item role='none'/><status code='303'/>"],
  ])("tells that somebody is gone: %s", (how, children) =>
    expect(left(children)).toMatchObject({ kind: "occupantLeft", how }),
  );

  it("tells under which nick somebody goes on", () => {
    expect(left("<item nick='new'/><status code='303'/><status code='110'/>")).toMatchObject({
      how: "nick",
      newNick: "new",
      isSelf: true,
    });
  });

  it("tells why somebody could not come in", () => {
    expect(
      read(
        "type='error' from='room@muc.example.org/nick'",
        "<x xmlns='http://jabber.org/protocol/muc'/><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
      ),
    ).toEqual({ kind: "error", error: { type: "cancel", condition: "conflict" }, isRoomJoin: true });
  });

  it("is read as it was written", () => {
    const room: MucUser = {
      items: [
        {
          affiliation: "member",
          role: "none",
          jid: "a@b/c",
          nick: "it's <x>",
          reason: "r & s",
          actor: { nick: "Mod" },
        },
      ],
      statuses: [110, 307],
      destroyed: { alternative: "other@muc.example.org", reason: "moved", password: "s" },
    };
    const gone = writePresence({
      from: "room@muc.example.org/ann",
      to: "a@b/c",
      type: "unavailable",
      extra: [mucUser(room)],
    });
    expect(readPresence(xml(gone.toString())).what).toMatchObject({
      how: "destroyed",
      item: room.items[0],
      destroyed: room.destroyed,
      statuses: [110, 307],
    });
    const join = writePresence({
      to: "room@muc.example.org/ann",
      extra: [roomJoin({ password: "s", history: { since: 1031699305000 } })],
    });
    expect(readPresence(xml(join.toString())).what).toMatchObject({
      kind: "roomJoin",
      password: "s",
      history: { since: 1031699305000 },
    });
    const here = writePresence({
      show: "away",
      status: "out",
      extra: [avatarUpdate("a".repeat(40)), capsElement("n", "v")],
    });
    expect(readPresence(xml(here.toString())).what).toMatchObject({
      kind: "available",
      show: "away",
      status: "out",
      avatarHash: "a".repeat(40),
      caps: { node: "n", ver: "v", hash: "sha-1" },
    });
  });

  it("asks for nothing of the past where it does not say how much", () => {
    expect(roomJoin().toString()).toContain('maxchars="0"');
  });
});
