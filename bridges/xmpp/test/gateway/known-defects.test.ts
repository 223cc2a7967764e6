import { afterEach, describe, expect, it } from "@jest/globals";
import { parseXml } from "../../dist/content/index.js";
import { member, publicRoom } from "./support/gateway-stage.js";
import { codes, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const DAVE = "dave@home.test/desk";
const ERIN = "erin@home.test/desk";

let hall: Hall;
afterEach(() => hall.close());

async function withAll(options: ConstructorParameters<typeof Hall>[0] = {}): Promise<void> {
  hall = new Hall(options);
  for (const [jid, nick] of people) await hall.joins(jid, nick);
  hall.forget();
}
const people = [
  [CAROL, "Carol"],
  [DAVE, "Dave"],
  [ERIN, "Erin"],
] as const;

/** What other gateways are known to get wrong of Matrix rooms that are rooms of XMPP: none of it is to be wrong here. */
describe("a defect that others have", () => {
  it("bifrost: two Matrix users of one name that are one occupant", async () => {
    const twins = [member("Alice", 100), { ...member("Bob"), name: "Alice" }, { ...member("Zoe"), name: "alice" }];
    await withAll({ view: publicRoom({ members: twins }) });
    hall.forget();
    await hall.joins("fay@home.test/a", "Fay");
    const nicks = hall
      .to("fay@home.test/a")
      .flatMap(({ name, attrs }) => (name === "presence" ? [attrs["from"]?.split("/")[1]?.toLowerCase()] : []));
    expect(nicks).toHaveLength(7);
    expect(new Set(nicks).size).toBe(7);
  });

  it("bifrost: messages told apart by their ids alone, so that who counts them as somebody else does is not heard", async () => {
    await withAll();
    await hall.says(CAROL, "ok", "", "1");
    await hall.says(DAVE, "ok", "", "1");
    expect(hall.core.messages().map(({ sender }) => sender.id)).toEqual(["carol@home.test", "dave@home.test"]);
    expect(hall.bodies(ERIN)).toEqual(["ok", "ok"]);
  });

  it("bifrost: a message without an id known by its text, so that a second `ok` is lost", async () => {
    await withAll();
    for (const _ of [1, 2])
      await hall.takes(`<message type="groupchat" from="${CAROL}" to="${hall.channel}"><body>ok</body></message>`);
    expect(hall.core.texts()).toEqual(["ok", "ok"]);
    expect(hall.bodies(DAVE)).toEqual(["ok", "ok"]);
  });

  it("bifrost #69: after a restart nobody is heard behind the first of whom nothing is known", async () => {
    await withAll();
    await hall.crash();
    for (const [jid] of people)
      expect(codes(hall.to(jid).find(({ attrs }) => attrs["type"] === "unavailable"))).toEqual([110, 307, 333]);
    // The first does not come back.
    await hall.joins(DAVE, "Dave");
    await hall.joins(ERIN, "Erin");
    hall.forget();
    await hall.say("Bob", "welcome back");
    expect([hall.bodies(DAVE), hall.bodies(ERIN)]).toEqual([["welcome back"], ["welcome back"]]);
  });

  it("bifrost: a private message in a room that ends in an error of the program", async () => {
    await withAll();
    await hall.joins("carol@home.test/phone", "Carol");
    await hall.takes(
      `<message type="chat" id="pm" from="${DAVE}" to="${hall.channel}/Carol"><body>psst</body><x xmlns="http://jabber.org/protocol/muc#user"/></message>`,
    );
    const [answer] = hall.to(DAVE).filter(({ attrs }) => attrs["id"] === "pm");
    expect(answer?.getChild("error")?.getChildText("text")).toContain("carol@home.test");
    expect([hall.bodies(CAROL), hall.core.texts()]).toEqual([[], []]);
  });

  it("bifrost: `active` shown as something that was read, in the room or on Matrix", async () => {
    await withAll();
    await hall.says(CAROL, "", '<active xmlns="http://jabber.org/protocol/chatstates"/>');
    expect(hall.core.received.filter(({ kind }) => kind !== "membership")).toEqual([]);
    expect(hall.read).toEqual([]);
    expect(hall.to(DAVE).some((stanza) => stanza.toString().includes("displayed"))).toBe(false);
  });

  it("bifrost #199: an alias with capitals, spaces or an at sign, which gives no address or that of another room", async () => {
    hall = new Hall();
    const { gateway } = hall;
    const resolve = async (alias: string) => (await gateway.resolve(alias, undefined))?.id;
    expect(await resolve("#^42ig\\20^43hat\\40x#example.org@matrix.test")).toBeDefined();
    for (const address of ["#chat#example.org@matrix.test.evil.example", "#chat#example.org@evil-matrix.test"]) {
      expect(gateway.owns(address)).toBe(false);
      const stanza = parseXml(`<presence from="${CAROL}" to="${address}/Carol"/>`);
      expect(stanza && gateway.take(stanza)).toBe("unknown");
    }
  });

  it("bifrost: the topic and the name of a room squeezed into its subject, and the name replaced by the address", async () => {
    await withAll({ view: publicRoom({ topic: "Bridges & <more>", name: "Trestle" }) });
    await hall.joins("fay@home.test/a", "Fay");
    expect(hall.to("fay@home.test/a").at(-1)?.getChildText("subject")).toBe("Bridges & <more>");
    const info = await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    expect(info.getChild("query")?.getChild("identity")?.attrs["name"]).toBe("Trestle");
  });

  it("bifrost: everybody shown as a member who takes part, whatever they may do", async () => {
    const view = publicRoom({
      members: [member("Alice", 100), member("Mod", 50), member("Bob"), member("Mute", -1)],
    });
    hall = new Hall({ view });
    await hall.joins(CAROL, "Carol");
    const items = hall.to(CAROL).flatMap((stanza) => {
      const item = stanza.getChild("x", "http://jabber.org/protocol/muc#user")?.getChild("item");
      return item ? [`${stanza.attrs["from"]?.split("/")[1]} ${item.attrs["affiliation"]} ${item.attrs["role"]}`] : [];
    });
    expect(items).toEqual([
      "Alice owner moderator",
      "Mod admin moderator",
      "Bob none participant",
      "Mute none visitor",
      "Carol none participant",
    ]);
  });
});
