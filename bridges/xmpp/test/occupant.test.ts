import { describe, expect, it } from "@jest/globals";
import { Occupant } from "../dist/rooms/occupant.js";
import { xml, type Element, type XmppStream } from "../dist/stream/index.js";

const ROOM = "hall@rooms.test";
const JID = "dora_example.org@bridge.test/matrix";

function entering(): { readonly sent: Element[]; readonly removed: unknown[]; readonly occupant: Occupant } {
  const sent: Element[] = [];
  const removed: unknown[] = [];
  const stream: XmppStream = {
    address: "bridge.test",
    state: { state: "online" },
    start: () => undefined,
    send: (stanza) => {
      sent.push(stanza);
      return Promise.resolve(undefined);
    },
    request: () => Promise.reject(new Error("nothing is asked here")),
    interrupt: () => undefined,
    close: () => undefined,
  };
  const occupant = new Occupant({
    stream,
    room: ROOM,
    jid: JID,
    nick: () => "Dora",
    joinTimeoutMs: 5_000,
    onRemoved: (stanza) => removed.push(stanza),
  });
  return { sent, removed, occupant };
}

function shown(type?: string): Element {
  const x = xml("x", { xmlns: "http://jabber.org/protocol/muc#user" }, xml("status", { code: "110" }));
  return xml("presence", { from: `${ROOM}/Dora`, to: JID, type }, x);
}

describe("an occupant", () => {
  it("leaves also while it enters: others may have seen it in the room by then", async () => {
    const { sent, removed, occupant } = entering();
    const joined = occupant.join();
    await occupant.leave();
    expect(await joined).toMatchObject({ failed: "retry" });
    expect(sent.map(({ attrs }) => [attrs["to"], attrs["type"]])).toEqual([
      [`${ROOM}/Dora`, undefined],
      [`${ROOM}/Dora`, "unavailable"],
    ]);
    // The room answers the entry that was given up, and the leave.
    occupant.presence(shown());
    expect(occupant.nick).toBeUndefined();
    occupant.presence(shown("unavailable"));
    expect(removed).toEqual([]);
  });

  it("can come back after it left", async () => {
    const { occupant } = entering();
    void occupant.join();
    await occupant.leave();
    const again = occupant.join();
    await new Promise(setImmediate);
    occupant.presence(shown());
    expect(await again).toBeUndefined();
    expect(occupant.nick).toBe("Dora");
  });
});
