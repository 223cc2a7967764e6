import { errorElement, xml, type Element } from "./stream/index.js";

const PING = "urn:xmpp:ping";

/**
 * The answer to what the bridge has nothing to do with, so that whoever sent it knows: a query must be answered
 * (RFC 6120 §8.2.3), a message that reaches nobody comes back. `undefined` where none is due.
 */
export function answerTo(stanza: Element): Element | undefined {
  const { from, to, id, type } = stanza.attrs;
  if (from === undefined || to === undefined) return undefined;
  const back = { from: to, to: from, id };
  switch (stanza.name) {
    case "iq":
      if (type !== "get" && type !== "set") return undefined;
      return stanza.getChild("ping", PING)
        ? xml("iq", { ...back, type: "result" })
        : xml("iq", { ...back, type: "error" }, errorElement("cancel", "service-unavailable"));
    case "message":
      // Errors are never answered, and what says nothing (a typing notice, a receipt) need not be.
      if (type === "error" || type === "groupchat" || (stanza.getChildText("body") ?? "") === "") return undefined;
      return xml(
        "message",
        { ...back, type: "error" },
        errorElement(
          "cancel",
          "service-unavailable",
          "On Matrix nobody has this address: @alice:example.org is alice_example.org here.",
        ),
      );
    case "presence":
      return type === "subscribe" ? xml("presence", { ...back, type: "unsubscribed" }) : undefined;
    default:
      return undefined;
  }
}
