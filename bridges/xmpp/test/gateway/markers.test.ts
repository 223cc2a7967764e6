import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteMessageId, type RemoteUserId, UserId } from "@trestle/core";
import { publicRoom, member } from "./support/gateway-stage.js";
import { Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";
const DAVE = "dave@home.test/desk";
const MARKERS = "urn:xmpp:chat-markers:0";

let hall: Hall;
afterEach(() => hall.close());

async function withBoth(options: ConstructorParameters<typeof Hall>[0] = {}): Promise<void> {
  hall = new Hall(options);
  await hall.joins(CAROL, "Carol");
  await hall.joins(DAVE, "Dave");
  hall.forget();
}
const marks = (jid: string) =>
  hall.to(jid).flatMap((stanza) => {
    const id = stanza.getChild("displayed", MARKERS)?.attrs["id"];
    return id === undefined ? [] : [`${stanza.attrs["from"]?.split("/")[1] ?? ""} ${id}`];
  });
const displayed = (from: string, id: string, marker = "displayed") =>
  hall.says(from, "", `<${marker} xmlns="${MARKERS}" id="${id}"/>`);

describe("read markers (XEP-0333)", () => {
  it("what somebody has read on XMPP is read on Matrix", async () => {
    await withBoth();
    const id = await hall.say("Bob", "read me");
    expect(hall.to(CAROL)[0]?.getChild("markable", MARKERS)).toBeDefined();
    await displayed(CAROL, id);
    expect(hall.read).toEqual([["carol@home.test" as RemoteUserId, id]]);
    // The others see it too, as they do in other rooms.
    expect(marks(DAVE)).toEqual([`Carol ${id}`]);
    expect(hall.core.messages()).toEqual([]);
    // What Matrix knows by its first form is read with it.
    await hall.handlers.edit?.({
      ...hall.effect("Bob", "corrected"),
      target: [RemoteMessageId(id)],
      content: { type: "text", style: "text", body: { blocks: [] } },
    });
    await displayed(DAVE, "corrected");
    expect(hall.read.at(-1)).toEqual(["dave@home.test", id]);
  });

  it("of what nobody knows, of somebody outside, or that something arrived, say nothing to Matrix", async () => {
    await withBoth();
    const id = await hall.say("Bob", "read me");
    await displayed(CAROL, "never said");
    await displayed(CAROL, id, "received");
    await displayed("eve@home.test/a", id);
    expect(hall.read).toEqual([]);
  });

  it("are taken from who may not speak", async () => {
    await withBoth({ view: publicRoom({ power: { ...publicRoom().power, speak: 50 } }) });
    const id = await hall.say("Alice", "an announcement");
    await displayed(CAROL, id);
    expect(hall.error(CAROL)).toBeUndefined();
    expect(hall.read).toEqual([["carol@home.test", id]]);
  });

  it("what somebody has read on Matrix is marked in the room", async () => {
    await withBoth();
    await hall.says(CAROL, "seen?");
    const id = hall.core.messages()[0]?.id ?? RemoteMessageId("none");
    const read = (name: string, upTo = id) =>
      hall.handlers.receipt?.({
        channel: hall.channel,
        author: { userId: UserId(`@${name.toLowerCase()}:example.org`), name },
        upTo,
      });
    await read("Bob");
    // It is told once.
    await read("Bob");
    await read("Bob", RemoteMessageId("never said"));
    // Who is not shown in the room is not shown because of it.
    await read("Stranger");
    await hall.settled();
    expect(marks(CAROL)).toEqual([`Bob ${id}`]);
    expect(hall.to(CAROL).at(-1)?.getChild("occupant-id")).toBeDefined();
    expect(hall.to(CAROL).some(({ name }) => name === "presence")).toBe(false);
    await read("Alice");
    await hall.settled();
    expect(marks(DAVE)).toEqual([`Bob ${id}`, `Alice ${id}`]);
    expect(member("Bob").userId).toBe("@bob:example.org");
  });
});
