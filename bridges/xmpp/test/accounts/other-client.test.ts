import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, type Login, LoginId, RemoteUserId, UserId } from "@trestle/core";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { FakeAccountServer, PASSWORD } from "../support/fake-account-server.js";
import { FakeServer, SECRET, type FakeSession } from "../support/fake-server.js";
import { RunningBridge } from "../support/running-bridge.js";

const room = ChannelId("hall@rooms.test");
const me = "bridge@bridge.test/bridge";
const account = "alice@localhost";
const alice: Login = {
  id: LoginId("1"),
  user: UserId("@alice:example.org"),
  account: { name: account, remoteUser: RemoteUserId(account), secret: { jid: account, password: PASSWORD } },
};

/** As in ejabberd 23.01, which gives no ids of occupants. */
describe("another client of a Matrix user's account, in a room where everybody sees who everybody is", () => {
  let server: FakeServer;
  let clients: FakeAccountServer;
  let bridge: RunningBridge;
  beforeEach(async () => {
    server = await FakeServer.start();
    clients = await FakeAccountServer.start();
    const servers = { localhost: { host: "127.0.0.1", port: clients.port, security: "none" as const } };
    bridge = await RunningBridge.start({
      server: { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer,
      rooms: [room],
      config: { accounts: { enabled: true, servers } },
    });
    await bridge.handlers.signedIn?.(alice);
  });
  afterEach(async () => {
    await bridge.close();
    await clients.stop();
    await server.stop();
  });

  const said = (body: string) => bridge.core.messages(room)[bridge.core.texts(room).indexOf(body)]?.sender.id;
  const hears = async (session: FakeSession, nick: string, body: string) => {
    await session.send(`<message type='groupchat' from='${room}/${nick}' to='${me}'><body>${body}</body></message>`);
    await bridge.core.until(body, () => said(body) !== undefined);
    return said(body);
  };
  /** The Matrix user is in the room, which is how the bridge knows the account there. */
  const enters = async () => {
    void bridge.say({ channel: room, text: "here I am", user: alice.user, name: "Alice" });
    const session = await clients.session(0);
    await session.receives("the account's entry", /<presence [^>]*to="hall@rooms\.test\/Alice"/);
  };

  it("speaks as that user, whenever it comes into the room", async () => {
    const first = await server.session(0);
    await enter(first);
    await bridge.ready();
    await enters();
    await first.send(shown("phone", `${account}/phone`));
    expect(await hears(first, "phone", "from the phone")).toBe(account);
    // The server was restarted: everybody comes in anew, the client behind the bridge.
    first.socket.destroy();
    const second = await server.session(1);
    await enter(second);
    await bridge.core.until("the bridge in the room", () => bridge.core.statuses.get(room)?.state === "connected");
    await second.send(shown("phone", `${account}/phone`));
    expect(await hears(second, "phone", "from the phone again")).toBe(account);
    expect(bridge.core.ofKind("membership", room)).toEqual([]);
  });

  it("is forgotten when it leaves, and somebody else may have its nick", async () => {
    const session = await server.session(0);
    await enter(session, shown("phone", `${account}/phone`));
    await bridge.ready();
    await enters();
    expect(await hears(session, "phone", "hers")).toBe(account);
    await session.send(shown("phone", `${account}/phone`, "unavailable") + shown("phone", "bob@localhost/phone"));
    expect(await hears(session, "phone", "his")).toBe("bob@localhost");
    expect(bridge.core.ofKind("membership", room)).toEqual([]);
  });
});

/** Lets the bridge in, behind `others`; the room has no archive. */
async function enter(session: FakeSession, others = ""): Promise<void> {
  await session.receives("the join", (text) => text.includes(`${room}/Matrix`));
  await session.send(others + shown("Matrix", me, undefined, "<status code='110'/>"));
  const asked = await session.receives("what the room can do", (text) => text.includes("disco#info"));
  const iq = asked.match(/<iq .*?<\/iq>/gs)?.find((text) => text.includes("disco#info")) ?? "";
  const id = /^<iq [^>]*\bid="([^"]+)"/.exec(iq)?.[1] ?? "";
  await session.send(
    `<iq type='result' id='${id}' from='${room}' to='${me}'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/><feature var='muc_nonanonymous'/></query></iq>`,
  );
}

function shown(nick: string, jid: string, type?: "unavailable", status = ""): string {
  const item = `<item affiliation='none' role='${type === undefined ? "participant" : "none"}' jid='${jid}'/>`;
  const presence = `<presence from='${room}/${nick}' to='${me}'${type === undefined ? "" : ` type='${type}'`}>`;
  return `${presence}<x xmlns='http://jabber.org/protocol/muc#user'>${item}${status}</x></presence>`;
}
