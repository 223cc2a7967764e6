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
  await saysOfItself(session, room, []);
}

/** Answers what the room can do: it has an archive, with nothing in it. */
export async function sayWithEmptyArchive(session: FakeSession, room: string): Promise<void> {
  await saysOfItself(session, room, ["urn:xmpp:mam:2", "urn:xmpp:sid:0"]);
  const id = await asked(session, "what is in the archive", '<query xmlns="urn:xmpp:mam:2"');
  await session.send(
    `<iq type='result' id='${id}' from='${room}' to='bridge@bridge.test/bridge'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin></iq>`,
  );
}

async function saysOfItself(session: FakeSession, room: string, features: readonly string[]): Promise<void> {
  const id = await asked(session, "what the room can do", "disco#info");
  const listed = features.map((feature) => `<feature var='${feature}'/>`).join("");
  await session.send(
    `<iq type='result' id='${id}' from='${room}' to='bridge@bridge.test/bridge'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/>${listed}</query></iq>`,
  );
}

/** The id of the first request with these words. */
async function asked(session: FakeSession, what: string, words: string): Promise<string> {
  const received = await session.receives(what, (text) => text.includes(words));
  const iq = received.match(/<iq .*?<\/iq>/gs)?.find((text) => text.includes(words)) ?? "";
  return /^<iq [^>]*\bid="([^"]+)"/.exec(iq)?.[1] ?? "";
}
