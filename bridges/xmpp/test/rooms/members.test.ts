import { describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { Members } from "../../dist/rooms/members.js";
import { xml } from "../../dist/stream/index.js";

const room = "hall@rooms.test";
const user = "http://jabber.org/protocol/muc#user";

/** A room that tells of nobody who they are. */
function begin(): Members {
  return new Members({
    room,
    channel: ChannelId(room),
    features: () => ({
      ...{ archive: true, occupantIds: false, nonAnonymous: false, membersOnly: false, moderated: false },
      moderation: undefined,
      card: false,
    }),
    isOwnNick: () => false,
    isAsked: () => false,
    accountOf: () => undefined,
  });
}
const comes = (nick: string) =>
  xml("presence", { from: `${room}/${nick}` }, xml("x", { xmlns: user }, xml("item", { affiliation: "none" })));
const goes = (nick: string, code?: string, newNick?: string) =>
  xml(
    "presence",
    { from: `${room}/${nick}`, type: "unavailable" },
    xml(
      "x",
      { xmlns: user },
      xml("item", { affiliation: "none", ...(newNick !== undefined && { nick: newNick }) }),
      ...(code === undefined ? [] : [xml("status", { code })]),
    ),
  );
const says = (nick: string) => xml("message", { from: `${room}/${nick}`, type: "groupchat" }, xml("body", {}, "hi"));
const idOf = (members: Members, nick: string) => members.senderOf(nick, says(nick)).id;

describe("somebody in a room that tells of nobody who they are", () => {
  const renames = (members: Members, from: string, to: string) => {
    expect(members.presence(goes(from, "303", to))).toBeUndefined();
    return members.presence(comes(to));
  };

  it("is the same under every nick that they were seen to take", () => {
    const members = begin();
    members.presence(comes("eve"));
    const id = idOf(members, "eve");
    expect(renames(members, "eve", "eva")?.user).toEqual({ id, name: "eva" });
    renames(members, "eva", "evita");
    expect([idOf(members, "evita"), members.nickOf(id), members.withNick("evita")]).toEqual([id, "evita", id]);
    expect(members.present.size).toBe(1);
    // Back again they are nobody else, and once they have left nobody is they.
    renames(members, "evita", "eve");
    expect(idOf(members, "eve")).toBe(id);
    expect(members.presence(goes("eve"))?.change).toMatchObject({ change: "leave", user: { id } });
    members.presence(comes("evita"));
    expect(idOf(members, "evita")).not.toBe(id);
  });

  it("is not taken for who had the nick before, nor shares it with who takes theirs", () => {
    const members = begin();
    members.presence(comes("eve"));
    const eve = idOf(members, "eve");
    renames(members, "eve", "eva");
    members.presence(comes("eve"));
    expect(idOf(members, "eve")).toBe(eve);
    expect(idOf(members, "eva")).not.toBe(eve);
    expect(members.present.size).toBe(2);
    members.presence(goes("eva"));
    members.presence(comes("eva"));
    expect(idOf(members, "eva")).not.toBe(eve);
  });

  it("is seen anew after the bridge was away: who had a nick meanwhile nobody knows", () => {
    const members = begin();
    members.presence(comes("eve"));
    const id = idOf(members, "eve");
    renames(members, "eve", "eva");
    members.clear();
    members.presence(comes("eva"));
    expect(idOf(members, "eva")).not.toBe(id);
  });

  it("who is renamed without a word of the new nick has left", () => {
    const members = begin();
    members.presence(comes("eve"));
    expect(members.presence(goes("eve", "303"))?.change).toMatchObject({ change: "leave" });
  });
});
