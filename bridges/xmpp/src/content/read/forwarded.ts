import { ns } from "../namespaces.js";
import { attributeOf, childOf, elementsOf, filledAttributeOf, localName, type XmlElement } from "../xml.js";
import { isBare, sameBare } from "./jid.js";
import { given } from "../given.js";
import type { ReadContext } from "./ids.js";
import type { MessageStanza, MessageWhat } from "./message-types.js";
import { readDelay } from "./time.js";

type ReadMessage = (message: XmlElement, context: ReadContext) => MessageStanza;

/** A message that another one holds: a carbon (XEP-0280) or a result of an archive (XEP-0313). */
export function readForwarded(message: XmlElement, context: ReadContext, read: ReadMessage): MessageWhat | undefined {
  return readCarbon(message, context, read) ?? readResult(message, context, read);
}

/** Whether a message holds another one. */
export function isWrapper(message: XmlElement): boolean {
  return carbonIn(message) !== undefined || childOf(message, "result", ns.mam) !== undefined;
}

function carbonIn(message: XmlElement): XmlElement | undefined {
  return childOf(message, "sent", ns.carbons) ?? childOf(message, "received", ns.carbons);
}

/** Believed from the own account alone, or anybody could put words into anybody's mouth (XEP-0280 §11). */
function readCarbon(message: XmlElement, context: ReadContext, read: ReadMessage): MessageWhat | undefined {
  const carbon = carbonIn(message);
  if (carbon === undefined) return undefined;
  const from = attributeOf(message, "from");
  if (context.account === undefined || from === undefined || !isBare(from) || !sameBare(from, context.account))
    return { kind: "forged", reason: "a carbon copy that the own account did not send" };
  const inner = forwardedIn(carbon);
  if (inner === undefined) return { kind: "ignored", reason: "a carbon copy of nothing" };
  const held = read(inner.message, context);
  return {
    kind: "carbon",
    direction: localName(carbon) === "sent" ? "sent" : "received",
    message: inner.delay === undefined ? held : { ...held, delay: inner.delay },
  };
}

/** An archive of a room holds what was said in that room; only that of the own account holds everybody's. */
function readResult(message: XmlElement, context: ReadContext, read: ReadMessage): MessageWhat | undefined {
  const result = childOf(message, "result", ns.mam);
  if (result === undefined) return undefined;
  const id = filledAttributeOf(result, "id");
  const inner = forwardedIn(result);
  if (id === undefined || inner === undefined)
    return { kind: "ignored", reason: "a result without a message or its id" };
  const from = attributeOf(message, "from");
  const isOwn = from === undefined || (context.account !== undefined && sameBare(from, context.account));
  if (!isOwn && !sameBare(from, attributeOf(inner.message, "from")))
    return { kind: "forged", reason: "an archived message of somewhere else" };
  const held = read(inner.message, context);
  return given({
    kind: "archived",
    queryId: filledAttributeOf(result, "queryid"),
    id,
    message: {
      ...held,
      ids: { ...held.ids, stanzaId: id },
      ...(inner.delay === undefined ? {} : { delay: inner.delay }),
    },
  } as const);
}

function forwardedIn(
  wrapper: XmlElement,
): { readonly message: XmlElement; readonly delay: MessageStanza["delay"] } | undefined {
  const forwarded = childOf(wrapper, "forwarded", ns.forward);
  // Some leave the namespace of the stanza out, which makes it that of `<forwarded/>`.
  const message = forwarded && elementsOf(forwarded).find((child) => localName(child) === "message");
  return forwarded === undefined || message === undefined ? undefined : { message, delay: readDelay(forwarded) };
}
