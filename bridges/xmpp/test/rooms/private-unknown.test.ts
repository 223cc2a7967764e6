import { afterEach, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { FakeCore } from "../support/fake-core.js";
import { letIn, sayWithoutArchive } from "../support/fake-room.js";
import { FakeServer, SECRET } from "../support/fake-server.js";
import { RunningBridge } from "../support/running-bridge.js";

const room = ChannelId("hall@rooms.test");
let server: FakeServer;
let bridge: RunningBridge;
afterEach(async () => {
  await bridge.close();
  await server.stop();
});

/** Rooms take these for the word of a client that is gone, and put whoever sends them out. */
const endsAnOccupant =
  /<(gone|internal-server-error|item-not-found|jid-malformed|recipient-unavailable|redirect|remote-server-not-found|remote-server-timeout|service-unavailable)\b/;

it("a private message of somebody whom the room has not shown yet is refused, and its receiver stays in the room", async () => {
  server = await FakeServer.start();
  const place = { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer;
  bridge = await RunningBridge.start({ server: place, rooms: [room], core: new FakeCore() });
  const session = await server.session(0);
  await letIn(session, room, "Matrix", "bridge@bridge.test/bridge");
  await sayWithoutArchive(session, room);
  await bridge.ready();
  void bridge.say({ channel: room, text: "hello", user: "@alice:example.org", name: "Alice" });
  await letIn(session, room, "Alice", "alice_example.org@bridge.test/matrix");
  await session.receives("the message", (text) => text.includes("hello"));
  await session.send(
    `<message type='chat' id='psst' from='${room}/Stranger' to='alice_example.org@bridge.test/matrix'><body>psst</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>`,
  );
  const received = await session.receives("the answer", (text) => /<message [^>]*id="psst".*<\/message>/s.test(text));
  const answer = received.match(/<message .*?<\/message>/gs)?.find((text) => text.includes('id="psst"')) ?? "";
  expect(answer).toContain('type="error"');
  expect(answer).toContain("Write again.");
  expect(answer).not.toMatch(endsAnOccupant);
});
