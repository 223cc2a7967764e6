import { expect, it } from "@jest/globals";
import { RemoteUserId, UserId, type Failure, type FoundUser } from "@trestle/core";
import { parseXml, readMessage, type XmlElement } from "../../dist/content/index.js";
import { Receivers } from "../../dist/people/receivers.js";
import type { XmppStream } from "../../dist/stream/index.js";
import { FakeCore } from "../support/fake-core.js";

/** Somebody writes to `user`, of whom this is found; the errors that they got. */
async function written(user: string, found: FoundUser, failure?: Failure) {
  const sent: XmlElement[] = [];
  const asked: string[] = [];
  const stream: Pick<XmppStream, "send"> = {
    send: (stanza) => {
      sent.push(stanza);
      return Promise.resolve(failure);
    },
  };
  const lookUpUser = (id: UserId): Promise<FoundUser> => {
    asked.push(id);
    return Promise.resolve(found);
  };
  const receivers = new Receivers({ network: { ...new FakeCore().network, lookUpUser }, stream });
  const stanza = parseXml(
    '<message type="chat" id="m1" from="bob@home.test/desk" to="alice_example.org@matrix.test"><body>hello</body></message>',
  );
  if (!stanza) throw new Error("No stanza.");
  const outcome = await receivers.refuse(UserId(user), stanza);
  await receivers.refuse(UserId(user), stanza);
  return { outcome, sent, asked };
}

it("a message to somebody goes on, and they are looked up once in a while", async () => {
  const { outcome, sent, asked } = await written("@alice:example.org", { is: "user" });
  expect([outcome, sent, asked]).toEqual(["heard", [], ["@alice:example.org"]]);
});

it("a message to nobody comes back under its id, and says so", async () => {
  const { outcome, sent } = await written("@alice:example.org", { is: "nobody" });
  expect(outcome).toBe("told");
  const [error] = sent;
  expect(error?.attrs).toMatchObject({ to: "bob@home.test/desk", id: "m1", type: "error" });
  expect(error && readMessage(error).what).toMatchObject({
    kind: "error",
    error: { condition: "item-not-found", text: expect.stringContaining("There is no @alice:example.org on Matrix") },
  });
});

it("a message to who stands for somebody on XMPP comes back with their address", async () => {
  const person = RemoteUserId("dave@home.test");
  const { sent } = await written("@xmpp_dave=40home.test:example.org", { is: "own", person });
  const error = sent[0]?.getChild("error");
  expect(error?.getChildText("redirect")).toBe("xmpp:dave@home.test");
  expect(error?.getChildText("text")).toContain("write to them there");
  // Of an occupant of a room there is no address.
  for (const found of [
    { is: "own" },
    { is: "own", person: RemoteUserId("occupant:room@muc.test/x") },
    { is: "own", person: RemoteUserId("nick:room@muc.test/Eve") },
  ] as const) {
    const answered = await written("@xmpp_x:example.org", found);
    expect(answered.sent[0]?.getChild("error")?.getChild("item-not-found")).toBeDefined();
  }
});

it("a message that cannot be sent back now is sent back later", async () => {
  const failure = { failed: "retry", reason: "offline" } as const;
  expect((await written("@alice:example.org", { is: "nobody" }, failure)).outcome).toEqual(failure);
});
