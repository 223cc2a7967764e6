import { localName, type XmlElement } from "../xml.js";
import type { ReadContext } from "./ids.js";
import { readIq, type IqStanza } from "./iq.js";
import type { MessageStanza } from "./message-types.js";
import { readMessage } from "./message.js";
import { readPresence, type PresenceStanza } from "./presence.js";

/** What a stanza means. */
export type Stanza =
  | MessageStanza
  | PresenceStanza
  | IqStanza
  /** It is none of the three kinds of RFC 6120 §8. */
  | { readonly stanza: "none"; readonly name: string };

/** Reads a stanza. Whatever it holds there is an outcome; it never throws. */
export function readStanza(stanza: XmlElement, context: ReadContext = {}): Stanza {
  switch (localName(stanza)) {
    case "message":
      return readMessage(stanza, context);
    case "presence":
      return readPresence(stanza);
    case "iq":
      return readIq(stanza);
    default:
      return { stanza: "none", name: localName(stanza) };
  }
}
