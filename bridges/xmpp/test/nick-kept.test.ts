import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { FakeCore } from "./support/fake-core.js";
import { FakeServer, SECRET } from "./support/fake-server.js";
import { letIn, sayWithoutArchive } from "./support/fake-room.js";
import { RunningBridge } from "./support/running-bridge.js";

const room = ChannelId("hall@rooms.test");

describe("a Matrix user who is about to speak for the first time", () => {
  let server: FakeServer;
  let bridge: RunningBridge;
  afterEach(async () => {
    await bridge.close();
    await server.stop();
  });

  it("says nothing before their nick is on disk: after a crash nobody would know it for the bridge's own", async () => {
    server = await FakeServer.start();
    const core = new FakeCore();
    let keep: () => void = () => undefined;
    const kept = new Promise<void>((resolve) => (keep = resolve));
    const { storage } = core.network;
    const set = (key: string, value: string) => (key.startsWith("ghost ") ? kept : storage.set(key, value));
    Object.assign(core.network, { storage: { ...storage, set } });
    const place = { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer;
    bridge = await RunningBridge.start({ server: place, rooms: [room], core });
    const session = await server.session(0);
    await letIn(session, room, "Matrix", "bridge@bridge.test/bridge");
    await sayWithoutArchive(session, room);
    await bridge.ready();

    void bridge.say({ channel: room, text: "hello", user: "@alice:example.org", name: "Alice" });
    await letIn(session, room, "Alice", "alice_example.org@bridge.test/matrix");
    await session.send(
      `<iq type='get' id='behind' from='rooms.test' to='bridge.test'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
    const before = await session.receives("the answer to what came behind", (text) => text.includes('id="behind"'));
    expect(before).not.toContain("hello");
    keep();
    await session.receives("the message", (text) => text.includes("hello"));
  });
});
