import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import { element, ownTextOf, textElement, type XmlElement } from "../content/xml.js";

/** How a gateway makes a JID of an address of its network (`jabber:iq:gateway`, XEP-0100 §4.11): a question, or an answer. */
export interface GatewayPrompt {
  /** What to ask the user for. */
  readonly description?: string;
  /** What the field is called; in a question: what the user typed. */
  readonly prompt?: string;
  /** The JID of the address. */
  readonly jid?: string;
}

/** Reads a `<query/>`. */
export function readGatewayPrompt(query: XmlElement): GatewayPrompt {
  return given({
    description: ownTextOf(query, "desc"),
    prompt: ownTextOf(query, "prompt"),
    jid: ownTextOf(query, "jid"),
  });
}

/** Writes a `<query/>`. */
export function writeGatewayPrompt({ description, prompt, jid }: GatewayPrompt): XmlElement {
  return element(
    "query",
    { xmlns: ns.gateway },
    description === undefined ? undefined : textElement("desc", description),
    prompt === undefined ? undefined : textElement("prompt", prompt),
    jid === undefined ? undefined : textElement("jid", jid),
  );
}
