import { afterEach, expect, it } from "@jest/globals";
import { ChannelId, RemoteMessageId } from "@trestle/core";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { effectOf, FakeCore } from "../support/fake-core.js";
import { letIn, sayWithEmptyArchive } from "../support/fake-room.js";
import { FakeServer, SECRET } from "../support/fake-server.js";
import { RunningBridge } from "../support/running-bridge.js";

const room = ChannelId("hall@rooms.test");
const alice = { user: "@alice:example.org", name: "Alice", jid: "alice_example.org@bridge.test/matrix" };
let server: FakeServer;
let bridge: RunningBridge;
afterEach(async () => {
  await bridge.close();
  await server.stop();
});

// Prosody's are 24 characters at random: one in 4,096 begins as the bridge's own do for messages that have none.
it.each(["kAKw3dcp2hRc13jwDhsAGtxd", "x-YLY8XFmWzrOnry842uCMXo"])(
  "a message to which the room gives the id %s can be taken back",
  async (stanzaId) => {
    server = await FakeServer.start();
    const place = { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer;
    bridge = await RunningBridge.start({ server: place, rooms: [room], core: new FakeCore() });
    const session = await server.session(0);
    await letIn(session, room, "Matrix", "bridge@bridge.test/bridge");
    await sayWithEmptyArchive(session, room);
    await bridge.ready();
    const said = bridge.say({ channel: room, text: "hello", user: alice.user, name: alice.name });
    await letIn(session, room, alice.name, alice.jid);
    const sent = await session.receives("the message", (text) => text.includes("hello"));
    const own = /<message [^>]*\bid="(tr\.[^"]+)"/.exec(sent)?.[1] ?? "";
    for (const to of ["bridge@bridge.test/bridge", alice.jid])
      await session.send(
        `<message type='groupchat' id='${own}' from='${room}/${alice.name}' to='${to}'><body>hello</body><origin-id xmlns='urn:xmpp:sid:0' id='${own}'/><stanza-id xmlns='urn:xmpp:sid:0' id='${stanzaId}' by='${room}'/></message>`,
      );
    expect(await said).toEqual({ id: stanzaId });
    const { content: _content, ...effect } = effectOf({ channel: room, text: "", user: alice.user, name: alice.name });
    void bridge.handlers.redact?.({ ...effect, target: [RemoteMessageId(stanzaId)] });
    await session.receives("the retraction", (text) => text.includes("<retract ") && text.includes(`"${stanzaId}"`));
  },
);
