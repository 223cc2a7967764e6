import { describe, expect, it } from "@jest/globals";
import { ChannelId, RemoteUserId, UserId } from "@trestle/core";
import { SentInvitations } from "../../dist/rooms/invitations.js";
import { xml } from "../../dist/stream/index.js";
import { FakeCore } from "../support/fake-core.js";

const ROOM = ChannelId("hall@rooms.test");
const BOB = UserId("@bob:example.org");
const dave = RemoteUserId("dave@home.test");
const user = "http://jabber.org/protocol/muc#user";
const decline = (from: string) =>
  xml("message", { from: ROOM }, xml("x", { xmlns: user }, xml("decline", { from }, xml("reason", {}, "no time"))));
const refusal = (id: string) => {
  const condition = xml("forbidden", { xmlns: "urn:ietf:params:xml:ns:xmpp-stanzas" });
  return xml("message", { from: ROOM, type: "error", id }, xml("error", { type: "auth" }, condition));
};

async function begin(core: FakeCore): Promise<SentInvitations> {
  const invitations = new SentInvitations(core.network, ROOM);
  await invitations.load();
  return invitations;
}

describe("whoever was asked into a room", () => {
  it("and would rather not come is told of once, also after a restart, and nobody who was not asked", async () => {
    const core = new FakeCore();
    await (await begin(core)).asking("i1", dave, BOB);
    const again = await begin(core);
    await again.declined(decline("eve@home.test/a"));
    expect(core.ofKind("declined", ROOM)).toEqual([]);
    await again.declined(decline("dave@home.test/a"));
    await again.declined(decline("dave@home.test/a"));
    expect(core.ofKind("declined", ROOM)).toMatchObject([
      { who: { id: dave }, how: "declined", userId: BOB, reason: "no time" },
    ]);
  });

  it("and whom the room does not invite is told of, with why, by the id of the message alone", async () => {
    const core = new FakeCore();
    const invitations = await begin(core);
    await invitations.asking("i1", dave, BOB);
    expect(invitations.bounced(refusal("other"))).toBeUndefined();
    expect(invitations.declined(refusal("i1"))).toBeUndefined();
    await invitations.bounced(refusal("i1"));
    expect(core.ofKind("declined", ROOM)).toMatchObject([
      { who: { id: dave }, how: "refused", userId: BOB, reason: expect.stringContaining("forbidden") },
    ]);
    expect(invitations.bounced(refusal("i1"))).toBeUndefined();
  });

  it("is kept for the latest of them alone", async () => {
    const core = new FakeCore();
    const invitations = await begin(core);
    for (let number = 0; number < 150; number++)
      await invitations.asking(`i${number}`, RemoteUserId(`p${number}@home.test`), BOB);
    expect(invitations.bounced(refusal("i49"))).toBeUndefined();
    await invitations.bounced(refusal("i50"));
    expect(core.ofKind("declined", ROOM)).toHaveLength(1);
  });
});
