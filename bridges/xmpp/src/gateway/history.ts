import { delayed, element, parseXml, type RoomJoin, type XmlElement } from "../content/index.js";
import type { Archived, Part } from "./archive.js";
import type { RoomState } from "./room-state.js";

/** What was said before somebody came in (XEP-0045 §7.2.13), as they want it; the newest last. */
export function historyFor(room: RoomState, wanted: RoomJoin["history"]): XmlElement[] {
  const { archive, tuning } = room.parts;
  const { maxStanzas, maxCharacters, seconds, since } = wanted;
  const isBounded = seconds !== undefined || since !== undefined || maxCharacters !== undefined;
  const limit = Math.min(maxStanzas ?? (isBounded ? tuning.maxHistory : tuning.history), tuning.maxHistory);
  if (limit === 0 || maxCharacters === 0) return [];
  const from = Math.max(since ?? 0, seconds === undefined ? 0 : Date.now() - seconds * 1_000);
  const part: Part = { kind: "text", fromEnd: true, limit, ...(from > 0 && { from }) };
  const stanzas = archive.read(room.jid, part).flatMap((archived) => pastMessage(room.jid, archived) ?? []);
  if (maxCharacters === undefined) return stanzas;
  let rest = maxCharacters;
  const fits = stanzas.reverse().filter((stanza) => (rest -= stanza.toString().length) >= 0);
  return fits.reverse();
}

function pastMessage(room: string, { xml, at }: Archived): XmlElement | undefined {
  const message = parseXml(xml);
  return message && element(message.name, message.attrs, ...message.children, delayed(at, room));
}
