import { ChannelId, type ChannelInfo } from "@trestle/core";
import { bareOf, parseJid } from "./address/index.js";
import { readDiscoInfo, readRoomInfo } from "./protocol/index.js";
import { NS } from "./rooms/muc.js";
import { xml, type XmppStream } from "./stream/index.js";

/**
 * Finds a room by its address or an `xmpp:` URI. `null` where its server has no such room; throws an `Error` for people
 * where it cannot be asked or is no room.
 */
export async function findRoom(stream: XmppStream, text: string): Promise<ChannelInfo | null> {
  const typed =
    text
      .trim()
      .replace(/^xmpp:/i, "")
      .split("?", 1)[0] ?? "";
  const jid = parseJid(typed);
  if (jid?.local === undefined)
    throw new Error(`“${text}” is no address of an XMPP room. Type one like room@conference.example.org.`);
  const room = bareOf(jid);
  const answer = await stream.request(
    xml("iq", { type: "get", from: stream.address, to: room }, xml("query", { xmlns: NS.discoInfo })),
  );
  if (answer.kind === "failure") throw new Error(`${room} could not be asked: ${answer.failure.reason}.`);
  if (answer.kind === "error") {
    if (["item-not-found", "gone"].includes(answer.error.condition)) return null;
    throw new Error(`${room} did not say what it is (${answer.error.text ?? answer.error.condition}).`);
  }
  const query = answer.stanza.getChild("query", NS.discoInfo);
  const info = query && readRoomInfo(readDiscoInfo(query));
  if (!info) throw new Error(`${room} is no room.`);
  const name = info.name ?? "";
  return { id: ChannelId(room), name: name === "" ? jid.local : name, settings: { secret: info.isHidden } };
}
