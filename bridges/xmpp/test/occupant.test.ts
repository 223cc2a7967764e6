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
    close: () => Promise.resolve(),
  };
  const occupant = new Occupant({
    stream,
    room: ROOM,
    jid: JID,
    nick: (attempt) => (attempt === 0 ? "Dora" : `Dora[m${attempt}]`),
    joinTimeoutMs: 5_000,
    onRemoved: (stanza) => removed.push(stanza),
  });
  return { sent, removed, occupant };
}

function shown(type?: string, nick = "Dora", ...codes: readonly string[]): Element {
  const statuses = ["110", ...codes].map((code) => xml("status", { code }));
  const x = xml("x", { xmlns: "http://jabber.org/protocol/muc#user" }, statuses);
  return xml("presence", { from: `${ROOM}/${nick}`, to: JID, type }, x);
}

/** XEP-0045 §7.2.8. */
function taken(nick: string): Element {
  const conflict = xml("conflict", { xmlns: "urn:ietf:params:xml:ns:xmpp-stanzas" });
  return xml(
    "presence",
    { from: `${ROOM}/${nick}`, to: JID, type: "error" },
    xml("error", { type: "cancel" }, conflict),
  );
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

  it("tries one nick after the other while they are taken, and gives up after a number of them", async () => {
    const { sent, occupant } = entering();
    const joined = occupant.join();
    for (let attempt = 0; attempt < 20; attempt++) {
      await new Promise(setImmediate);
      expect(sent).toHaveLength(attempt + 1);
      occupant.presence(taken(occupant.asking ?? ""));
    }
    expect(await joined).toMatchObject({ failed: "permanent", reason: expect.stringContaining("taken") });
    expect(new Set(sent.map(({ attrs }) => attrs["to"])).size).toBe(20);
  });

  it("is called what the room calls it, where that is another nick than it asked for (210)", async () => {
    const { occupant } = entering();
    const joined = occupant.join();
    await new Promise(setImmediate);
    occupant.presence(shown(undefined, "dora the second", "210"));
    expect(await joined).toBeUndefined();
    expect(occupant.nick).toBe("dora the second");
  });

  it("stays in the room while it gets another nick (303), and is out when it was put out", async () => {
    const { removed, occupant } = entering();
    const joined = occupant.join();
    await new Promise(setImmediate);
    occupant.presence(shown());
    await joined;
    occupant.presence(shown("unavailable", "Dora", "303"));
    occupant.presence(shown(undefined, "Theodora"));
    expect([occupant.nick, removed.length]).toEqual(["Theodora", 0]);
    occupant.presence(shown("unavailable", "Theodora", "307"));
    expect([occupant.nick, removed.length]).toEqual([undefined, 1]);
  });
});
