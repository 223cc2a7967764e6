import type { FakeSession } from "./fake-server.js";

/** Shows somebody of the bridge's in the room, once they ask for it. */
export async function letIn(session: FakeSession, room: string, nick: string, jid: string): Promise<void> {
  await session.receives(`the join of ${nick}`, (text) => text.includes(`${room}/${nick}"`));
  await session.send(
    `<presence from='${room}/${nick}' to='${jid}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='participant'/><status code='110'/></x></presence>`,
  );
}

/** Answers what the room can do: it has no archive. */
export async function sayWithoutArchive(session: FakeSession, room: string): Promise<void> {
  const asked = await session.receives("what the room can do", (text) => text.includes("disco#info"));
  const iq = asked.match(/<iq .*?<\/iq>/gs)?.find((text) => text.includes("disco#info")) ?? "";
  const id = /^<iq [^>]*\bid="([^"]+)"/.exec(iq)?.[1] ?? "";
  await session.send(
    `<iq type='result' id='${id}' from='${room}' to='bridge@bridge.test/bridge'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/></query></iq>`,
  );
}
