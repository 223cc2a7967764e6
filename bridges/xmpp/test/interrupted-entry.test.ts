import { afterEach, describe, expect, it } from "@jest/globals";
import { FakeServer, SECRET, type FakeSession } from "./support/fake-server.js";
import { linkOf, RunningBridge } from "./support/running-bridge.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";

const room = "hall@rooms.test";
const me = "bridge@bridge.test/bridge";

describe("a room that is being entered when the connection ends", () => {
  let server: FakeServer;
  let bridge: RunningBridge | undefined;
  afterEach(async () => {
    await bridge?.close();
    await server.stop();
  });

  it("takes what it has shown meanwhile from its archive, once and behind what came before", async () => {
    server = await FakeServer.start();
    bridge = await RunningBridge.start({ server: placeOf(server), rooms: [room] });
    const { core } = bridge;
    await enter(await server.session(0));
    const first = await server.session(0);
    await first.send(message("kept1", "one"));
    await core.until("the first message", () => core.texts(room).length === 1);

    // It is back, and in the room, which shows something before it has said what it can do.
    await bridge.close();
    bridge = await RunningBridge.start({ server: placeOf(server), rooms: [room], core });
    const second = await server.session(1);
    await second.receives("the join", (text) => text.includes(`${room}/Matrix`));
    await second.send(joined());
    const asked = await second.receives("the question what the room can do", (text) => text.includes("disco#info"));
    expect(asked).not.toContain("urn:xmpp:mam:2");
    await second.send(message("kept3", "three"));
    await second.send(`<iq type='get' id='behind' from='${room}' to='${me}'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await second.receives("the answer to what came behind", (text) => text.includes('id="behind"'));
    second.socket.destroy();

    await enter(await server.session(2), [
      ["kept2", "two"],
      ["kept3", "three"],
    ]);
    await core.until("all of them", () => core.texts(room).length >= 3);
    expect(core.texts(room)).toEqual(["one", "two", "three"]);
  });

  /** A room is linked, and the bridge asks to be let in. */
  async function asksToEnter(): Promise<{ bridge: RunningBridge; core: RunningBridge["core"]; session: FakeSession }> {
    server = await FakeServer.start();
    const started = await RunningBridge.start({ server: placeOf(server), rooms: [] });
    bridge = started;
    await started.handlers.linked?.(linkOf(room));
    const session = await server.session(0);
    await session.receives("the join", (text) => text.includes(`${room}/Matrix`));
    return { bridge: started, core: started.core, session };
  }

  /** The connection ends when the room has let the bridge in. */
  async function endsWhileEntering(): Promise<{ bridge: RunningBridge; core: RunningBridge["core"] }> {
    const { session, ...started } = await asksToEnter();
    await session.send(joined());
    await session.receives("what the room can do", (text) => text.includes("disco#info"));
    session.socket.destroy();
    return started;
  }

  it("misses nothing that a new room showed since the bridge came in, where the connection ended at once", async () => {
    const { core } = await endsWhileEntering();

    await enter(await server.session(1), [["kept1", "one"]]);
    await core.until("what was said", () => core.texts(room).length > 0);
    expect(core.texts(room)).toEqual(["one"]);
  });

  it("takes nothing that was said while the room did not let the bridge in", async () => {
    const { core, session } = await asksToEnter();
    await session.send(refused());
    await session.receives("the next join", (text) => text.split(`${room}/Matrix`).length > 2);
    await enter(session, [["kept1", "said before"]]);
    await session.send(message("kept2", "said after"));
    await core.until("what was said", () => core.texts(room).length > 0);
    expect(core.texts(room)).toEqual(["said after"]);
  });

  it("misses nothing that a new room showed since the bridge came in, where the bridge was killed at once", async () => {
    const { core, bridge: first } = await endsWhileEntering();

    await first.close();
    const next = server.sessions.length;
    bridge = await RunningBridge.start({ server: placeOf(server), rooms: [room], core });
    await enter(await server.session(next), [["kept1", "one"]]);
    await core.until("what was said", () => core.texts(room).length > 0);
    const last = server.sessions.at(-1)?.received ?? "";
    expect(Date.parse(/<field var="start"><value>([^<]*)</.exec(last)?.[1] ?? "")).toBeLessThanOrEqual(Date.now());
    expect(core.texts(room)).toEqual(["one"]);
  });
});

/** All that a bridge is told of its server. */
function placeOf({ port }: FakeServer): XmppServer {
  return { component: "bridge.test", secret: SECRET, componentPort: port } as unknown as XmppServer;
}

/** Lets the bridge in, and gives it what is in the archive. */
async function enter(session: FakeSession, archived: readonly (readonly [string, string])[] = []): Promise<void> {
  await session.receives("the join", (text) => text.includes(`${room}/Matrix`));
  await session.send(joined());
  const asked = await session.receives("what the room can do", (text) => text.includes("disco#info"));
  const features = ["http://jabber.org/protocol/muc", "urn:xmpp:mam:2", "urn:xmpp:sid:0"]
    .map((feature) => `<feature var='${feature}'/>`)
    .join("");
  await session.send(
    `<iq type='result' id='${idOf(asked, "disco#info")}' from='${room}' to='${me}'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/>${features}</query></iq>`,
  );
  const query = await session.receives("the question for the archive", (text) => text.includes("urn:xmpp:mam:2"));
  const queryid = /queryid="([^"]+)"/.exec(query)?.[1] ?? "";
  for (const [id, body] of archived)
    await session.send(
      `<message from='${room}' to='${me}'><result xmlns='urn:xmpp:mam:2' id='${id}' queryid='${queryid}'><forwarded xmlns='urn:xmpp:forward:0'>${message(id, body)}</forwarded></result></message>`,
    );
  await session.send(
    `<iq type='result' id='${idOf(query, "urn:xmpp:mam:2")}' from='${room}' to='${me}'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>`,
  );
}

/** The id of the query of a namespace. */
function idOf(received: string, namespace: string): string {
  const iq = received.match(/<iq .*?<\/iq>/gs)?.find((text) => text.includes(namespace)) ?? "";
  return /^<iq [^>]*\bid="([^"]+)"/.exec(iq)?.[1] ?? "";
}

function joined(): string {
  return `<presence from='${room}/Matrix' to='${me}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='participant'/><status code='110'/></x></presence>`;
}

function refused(): string {
  return `<presence type='error' from='${room}/Matrix' to='${me}'><error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`;
}

function message(id: string, body: string): string {
  return `<message xmlns='jabber:component:accept' type='groupchat' from='${room}/anna' to='${me}' id='${body}'><body>${body}</body><stanza-id xmlns='urn:xmpp:sid:0' by='${room}' id='${id}'/></message>`;
}
