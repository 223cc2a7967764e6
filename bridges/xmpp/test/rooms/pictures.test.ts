import { describe, expect, it } from "@jest/globals";
import { ChannelId, RemoteUserId } from "@trestle/core";
import { parseXml } from "../../dist/content/index.js";
import { avatarId } from "../../dist/protocol/index.js";
import { Members } from "../../dist/rooms/members.js";
import { OccupantPictures, pictureOf } from "../../dist/rooms/occupant-pictures.js";
import { xml, type Element, type XmppStream } from "../../dist/stream/index.js";
import type { RoomFeatures } from "../../dist/rooms/muc.js";

const ROOM = "hall@rooms.test";
const features: RoomFeatures = {
  archive: true,
  occupantIds: true,
  nonAnonymous: false,
  membersOnly: false,
  moderated: false,
  moderation: undefined,
  card: true,
};

/** A room that gives these pictures, when it is let. */
function pictures(photos: Readonly<Record<string, Buffer>>, answering: Promise<void> = Promise.resolve()) {
  const asked: string[] = [];
  let underWay = 0;
  let most = 0;
  const stream: Pick<XmppStream, "request"> = {
    request: async (iq) => {
      const to = iq.attrs["to"] ?? "";
      asked.push(to);
      most = Math.max(most, ++underWay);
      await answering;
      underWay -= 1;
      const photo = photos[to.slice(ROOM.length + 1)] ?? Buffer.alloc(0);
      const card = `<vCard xmlns="vcard-temp"><PHOTO><TYPE>image/png</TYPE><BINVAL>${photo.toString("base64")}</BINVAL></PHOTO></vCard>`;
      const stanza = parseXml(`<iq xmlns="jabber:client" type="result" id="1" from="${to}">${card}</iq>`);
      return stanza ? { kind: "result", stanza } : Promise.reject(new Error("no XML"));
    },
  };
  const room = { asker: "bridge@bridge.test/bridge", nickOf: (person: string) => person.split("/")[1] };
  const opened = new OccupantPictures(stream as XmppStream, (id) => (id === ROOM ? room : undefined), 1_000);
  const open = (person: string, hash: string, from = ROOM) =>
    opened.open(pictureOf(from, RemoteUserId(`occupant:${from}/${person}`), hash).url.replace("remote:", ""));
  return { asked, open, most: () => most };
}

describe("pictures of people in rooms", () => {
  it("are asked of the person's nick once for all who want the same, and are what the hash says", async () => {
    const photo = Buffer.from("a picture");
    const { asked, open } = pictures({ bob: photo, eve: photo });
    const [one, two] = await Promise.all([open("bob", avatarId(photo)), open("eve", avatarId(photo))]);
    expect([one.size, two.size, one.mimeType]).toEqual([photo.length, photo.length, "image/png"]);
    await open("bob", avatarId(photo));
    expect(asked).toEqual([`${ROOM}/bob`]);
  });

  it("are refused where they are others, too large, or of a room that is not linked", async () => {
    const large = Buffer.alloc(1024 * 1024 + 1);
    const { open } = pictures({ bob: Buffer.from("another"), eve: large });
    await expect(open("bob", avatarId(Buffer.from("the one")))).rejects.toThrow("another picture");
    await expect(open("eve", avatarId(large))).rejects.toThrow("too large");
    await expect(open("bob", "00", "other@rooms.test")).rejects.toThrow("not in other@rooms.test");
  });

  it("are asked for a few at a time, and so many wait at most", async () => {
    let answer: () => void = () => undefined;
    const { asked, open, most } = pictures({}, new Promise<void>((resolve) => (answer = resolve)));
    const all = Array.from({ length: 300 }, (_, number) => open(`p${number}`, `${number}`.padStart(40, "0")));
    const settled = Promise.allSettled(all);
    await new Promise(setImmediate);
    expect(asked).toHaveLength(4);
    answer();
    const tooMany = (await settled).filter(
      (each) => each.status === "rejected" && String(each.reason).includes("Too many"),
    );
    expect(tooMany).toHaveLength(300 - 200 - 4);
    expect([asked.length, most()]).toEqual([204, 4]);
  });
});

describe("who says something in a room", () => {
  const members = (): Members =>
    new Members({
      room: ROOM,
      channel: ChannelId(ROOM),
      features: () => features,
      isOwnNick: (nick) => nick === "Matrix",
      isAsked: (nick) => nick === "Dora",
      accountOf: () => undefined,
    });
  const shown = (nick: string, id: string, photo?: string): Element =>
    xml(
      "presence",
      { from: `${ROOM}/${nick}` },
      xml(
        "x",
        { xmlns: "http://jabber.org/protocol/muc#user" },
        xml("item", { affiliation: "none", role: "participant" }),
      ),
      xml("occupant-id", { xmlns: "urn:xmpp:occupant-id:0", id }),
      photo === undefined ? undefined : xml("x", { xmlns: "vcard-temp:x:update" }, xml("photo", {}, photo)),
    );
  const said = (nick: string, id: string): Element =>
    xml("message", { from: `${ROOM}/${nick}` }, xml("occupant-id", { xmlns: "urn:xmpp:occupant-id:0", id }));

  it("comes with the picture that their presence told, and without one when it was taken away", () => {
    const room = members();
    const hash = "a".repeat(40);
    room.presence(shown("bob", "b", ""));
    expect(room.senderOf("bob", said("bob", "b"))).not.toHaveProperty("avatar");
    room.presence(shown("bob", "b", hash));
    expect(room.senderOf("bob", said("bob", "b")).avatar?.id).toBe(hash);
    // Somebody else had the nick when that was said.
    expect(room.senderOf("bob", said("bob", "e"))).not.toHaveProperty("avatar");
    room.presence(shown("bob", "b", ""));
    expect(room.senderOf("bob", said("bob", "b")).avatar).toEqual({ id: "", url: "" });
  });

  it("is nobody of the network whom one of ours asks to be, as others see before it does so itself", () => {
    const room = members();
    expect(room.presence(shown("Dora", "d"))).toBeUndefined();
    expect(room.present.size).toBe(0);
    expect(room.presence(shown("bob", "b"))?.change).toMatchObject({ change: "join" });
  });
});
