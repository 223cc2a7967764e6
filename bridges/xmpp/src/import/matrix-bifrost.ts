import type { Importer, ImportRecord } from "@trestle/core";
import { bareOf, parseJid } from "../address/index.js";
import { KeptInNedb } from "./kept-nedb.js";
import { KeptInPostgres } from "./kept-postgres.js";
import type { Kept, KeptAccount, KeptConversation, KeptGhost, KeptRoom } from "./kept.js";

/** The backend for XMPP itself, and libpurple's. */
const OWN = "xmpp-js";
const XMPP: ReadonlySet<string> = new Set([OWN, "prpl-jabber"]);

/** Takes over from matrix-bifrost. */
export const matrixBifrost: Importer = {
  description:
    "matrix-bifrost: the URL of its PostgreSQL database (postgres://user@host/database; the password may come in PGPASSWORD), or the directory of its NeDB files",
  async *read(source) {
    const kept = /^postgres(?:ql)?:\/\//i.test(source)
      ? await KeptInPostgres.open(source)
      : await KeptInNedb.open(source.replace(/^nedb:\/\//, ""));
    try {
      yield* recordsOf(kept);
    } finally {
      await kept.close();
    }
  },
};

async function* recordsOf(kept: Kept): AsyncIterable<ImportRecord> {
  for await (const ghost of kept.ghosts()) yield ghostRecord(ghost);
  for await (const room of kept.rooms()) yield roomRecord(room);
  for await (const conversation of kept.conversations()) yield conversationRecord(conversation);
  for await (const account of kept.accounts()) yield* accountRecords(account);
  for (const [subject, count] of kept.unreadable)
    yield { kind: "leftOut", reason: "it could not be read", subject: `${subject} (${count})` };
}

/** That bridge knew people in rooms by their nicks alone. */
function ghostRecord({ user, protocol, sender, name }: KeptGhost): ImportRecord {
  const jid = parseJid(sender);
  if (!XMPP.has(protocol)) return foreign(protocol, user);
  if (!jid) return { kind: "leftOut", reason: "its address is none", subject: `${user} ${sender}` };
  const bare = bareOf(jid);
  // Only a room's people have a resource: contacts are kept without.
  const remote = jid.resource === undefined ? bare : `nick:${bare}/${jid.resource}`;
  return { kind: "ghost", remote, user, ...(name !== undefined && { name }) };
}

function roomRecord({ room, protocol, address, gateway }: KeptRoom): ImportRecord {
  const subject = `${room} ${address}`;
  if (!XMPP.has(protocol)) return foreign(protocol, subject);
  if (gateway)
    return {
      kind: "leftOut",
      reason:
        "it is a Matrix room that XMPP users enter as a room of the bridge's own: that needs no link, and its address is made of its alias as before",
      subject,
    };
  const jid = parseJid(address);
  if (jid?.local === undefined || jid.resource !== undefined)
    return { kind: "leftOut", reason: "its address is none of an XMPP room", subject };
  const channel = bareOf(jid);
  return { kind: "link", room, channel, channelName: jid.local };
}

function conversationRecord({ room, protocol, user, recipient }: KeptConversation): ImportRecord {
  const subject = `${room} ${user} ${recipient}`;
  if (!XMPP.has(protocol)) return foreign(protocol, subject);
  const jid = parseJid(recipient);
  if (jid?.local === undefined) return { kind: "leftOut", reason: "the other's address is none", subject };
  if (jid.resource !== undefined)
    return { kind: "leftOut", reason: "it is a private conversation inside a room, whose people change", subject };
  return { kind: "link", room, channel: `${user} ${bareOf(jid)}`, channelName: jid.local };
}

/** Accounts of the component's own are made of Matrix users and need nothing; others had their passwords elsewhere. */
function* accountRecords({ user, protocol, name }: KeptAccount): Iterable<ImportRecord> {
  if (protocol === OWN) return;
  const subject = `${user} was ${name} (${protocol})`;
  yield XMPP.has(protocol)
    ? {
        kind: "toDo",
        reason: "accounts of people's own had their passwords in the files of libpurple: they sign in anew",
        subject,
      }
    : foreign(protocol, subject);
}

function foreign(protocol: string, subject: string): ImportRecord {
  return { kind: "leftOut", reason: `it is on ${protocol}, which is not XMPP`, subject };
}
