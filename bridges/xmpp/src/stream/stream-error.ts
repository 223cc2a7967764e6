import type { Element } from "./element.js";
import type { Ended } from "./reconnecting-stream.js";

export const NS_STREAMS = "http://etherx.jabber.org/streams";
const NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";

/** Why the server ends the stream (RFC 6120 §4.9); `undefined` for anything else that it says. */
export function streamErrorOf(element: Element): Ended | undefined {
  if (!element.is("error", NS_STREAMS)) return undefined;
  const condition = element
    .getChildElements()
    .find((child) => child.getNS() === NS_STREAM_ERRORS && child.getName() !== "text");
  const text = element.getChildText("text", NS_STREAM_ERRORS);
  const name = condition?.getName() ?? "undefined-condition";
  return { condition: name, reason: text === null || text === "" ? name : `${name}: ${text}` };
}
