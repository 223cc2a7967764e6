import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ContentUri } from "@trestle/core";
import { readDiscoInfo, readRoomInfo } from "../../dist/protocol/index.js";
import { publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const CARD = '<vCard xmlns="vcard-temp"/>';
const [first, second] = ["a picture", "another picture"].map((text) => Buffer.from(text));
const hashOf = (bytes: Buffer | undefined) =>
  createHash("sha1")
    .update(bytes ?? "")
    .digest("hex");

let hall: Hall;
afterEach(() => hall.close());

async function withPicture(bytes = first): Promise<void> {
  const avatar = ContentUri("mxc://example.org/one");
  hall = new Hall({ view: publicRoom({ avatar }) });
  hall.core.files.set(avatar, { bytes: bytes ?? Buffer.alloc(0), mimeType: "image/png" });
  await hall.joins("dave@home.test/a", "Dave");
  await hall.settled();
}
/** What the presences of the room itself tell of its picture. */
const told = (jid: string) =>
  hall
    .to(jid)
    .filter(({ name, attrs }) => name === "presence" && attrs["from"] === hall.channel)
    .map((stanza) => stanza.getChild("x", "vcard-temp:x:update")?.getChildText("photo"));
const info = async () => {
  const answer = await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
  const query = answer.getChild("query");
  return query && readRoomInfo(readDiscoInfo(query));
};

describe("the picture of the Matrix room", () => {
  it("is in the room's vCard, and its hash where clients look for it", async () => {
    await withPicture();
    await hall.joins(CAROL, "Carol");
    expect(told(CAROL)).toEqual([hashOf(first)]);
    // Behind oneself, and before what was said.
    const order = hall.to(CAROL).map(({ name, attrs }) => `${name} ${attrs["from"]?.split("/")[1] ?? "room"}`);
    expect(order.slice(-3)).toEqual(["presence Carol", "presence room", "message room"]);
    expect(await info()).toMatchObject({ avatarHash: hashOf(first) });
    const photo = (await hall.asks(CAROL, "get", CARD)).getChild("vCard")?.getChild("PHOTO");
    expect(photo?.getChildText("TYPE")).toBe("image/png");
    expect(Buffer.from(photo?.getChildText("BINVAL") ?? "", "base64")).toEqual(first);
  });

  it("is another one for everybody when the Matrix room has another, and none when it has none", async () => {
    await withPicture();
    await hall.joins(CAROL, "Carol");
    hall.forget();
    const other = ContentUri("mxc://example.org/two");
    hall.core.files.set(other, { bytes: second ?? Buffer.alloc(0), mimeType: "image/png" });
    hall.view = publicRoom({ avatar: other });
    expect(await info()).toBeDefined();
    await hall.settled();
    expect(told(CAROL)).toEqual([hashOf(second)]);
    expect(hall.to(CAROL).some((stanza) => codes(stanza).includes(104))).toBe(true);
    hall.view = publicRoom();
    await info();
    await hall.settled();
    expect(told(CAROL)).toEqual([hashOf(second), ""]);
    expect((await info())?.avatarHash).toBeUndefined();
    expect((await hall.asks(CAROL, "get", CARD)).getChild("vCard")?.getChild("PHOTO")).toBeUndefined();
  });

  it("that is too large for a stanza, no picture, or cannot be had is left out, and the rest of the room is there", async () => {
    await withPicture(Buffer.alloc(200_000));
    await hall.joins(CAROL, "Carol");
    expect(told(CAROL)).toEqual([]);
    hall.core.files.clear();
    expect((await hall.asks(CAROL, "get", CARD)).getChild("vCard")?.getChildText("FN")).toBe("Trestle");
    // What could not be read is read when it can be.
    hall.core.files.set("mxc://example.org/one", { bytes: first ?? Buffer.alloc(0), mimeType: "image/png" });
    await info();
    await hall.settled();
    expect(told(CAROL)).toEqual([hashOf(first)]);
  });
});
