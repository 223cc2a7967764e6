import { ns } from "../namespaces.js";
import type { ChatState } from "../read/message-types.js";
import { cleanXmlLine } from "../xml-characters.js";
import { element, textElement, type Child, type XmlElement } from "../xml.js";
import { chatState, fallbackFor, hint, messageOf, occupantId, signalOf, type Envelope } from "./envelope.js";

const unsupported = "but it's unsupported by your client.";

/**
 * Takes a message back (XEP-0424). In a room `target` is the id that the room gave it, else the one that its sender did.
 * Clients of today and, with `old`, those that know only the first version (`urn:xmpp:fasten:0`) understand it.
 */
export function writeRetraction(
  envelope: Envelope,
  target: string,
  options: { readonly reason?: string; readonly old?: boolean } = {},
): XmlElement {
  const { reason, old = false } = options;
  return messageOf(
    envelope,
    element(
      "retract",
      { xmlns: ns.retraction, id: target },
      reason === undefined ? undefined : textElement("reason", reason),
    ),
    old
      ? element("apply-to", { xmlns: ns.fastening, id: target }, element("retract", { xmlns: ns.oldRetraction }))
      : undefined,
    fallbackFor(ns.retraction),
    textElement("body", `/me retracted a previous message, ${unsupported}`),
    hint("store"),
  );
}

/**
 * Asks a room to take a message away (XEP-0425), in a `set`: in the way of today, or of rooms that know only
 * `urn:xmpp:message-moderate:0`. `target` is the id that the room gave it.
 */
export function moderationRequest(
  target: string,
  options: { readonly reason?: string; readonly old?: boolean } = {},
): XmlElement {
  const reason = options.reason === undefined ? undefined : textElement("reason", options.reason);
  if (options.old === true) {
    const retract = element("retract", { xmlns: ns.oldRetraction });
    return element(
      "apply-to",
      { xmlns: ns.fastening, id: target },
      element("moderate", { xmlns: ns.oldModeration }, retract, reason),
    );
  }
  return element(
    "moderate",
    { xmlns: ns.moderation, id: target },
    element("retract", { xmlns: ns.retraction }),
    reason,
  );
}

/** Tells the occupants of a room of ours that a moderator took a message away; `from` is the room. */
export function writeModeration(
  envelope: Envelope,
  target: string,
  moderator: { readonly by?: string; readonly occupantId?: string; readonly reason?: string },
): XmlElement {
  const id = moderator.occupantId === undefined ? undefined : occupantId(moderator.occupantId);
  const { by } = moderator;
  // An element has one parent, so each needs its own.
  const reason = (): Child => (moderator.reason === undefined ? undefined : textElement("reason", moderator.reason));
  return messageOf(
    envelope,
    element(
      "retract",
      { xmlns: ns.retraction, id: target },
      element("moderated", { xmlns: ns.moderation, by }, id),
      reason(),
    ),
    element(
      "apply-to",
      { xmlns: ns.fastening, id: target },
      element("moderated", { xmlns: ns.oldModeration, by }, element("retract", { xmlns: ns.oldRetraction }), reason()),
    ),
    hint("store"),
  );
}

/**
 * Everything that one person reacted to a message with (XEP-0444): it takes the place of what they gave before, and none
 * takes all back. Keys that are no emoji are left out, for clients drop the whole set because of one.
 */
export function writeReactions(envelope: Envelope, target: string, keys: readonly string[]): XmlElement {
  const reactions = [...new Set(keys.map(cleanXmlLine))].filter(isEmoji).map((key) => textElement("reaction", key));
  return messageOf(envelope, element("reactions", { xmlns: ns.reactions, id: target }, ...reactions), hint("store"));
}

/** Whether a reaction is one that XEP-0444 allows: an emoji, and nothing else. */
export function isEmoji(key: string): boolean {
  const segments = [...new Intl.Segmenter("en").segment(key)];
  const isPicture = /\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3/u;
  return segments.length === 1 && isPicture.test(key);
}

/** What somebody does (XEP-0085), and nothing else; not kept. */
export function writeChatState(envelope: Envelope, state: ChatState): XmlElement {
  return signalOf(envelope, chatState(state), hint("no-store"));
}

/** A message arrived (XEP-0184): of the id that its sender gave it. Not in rooms. */
export function writeReceipt(envelope: Envelope, target: string): XmlElement {
  return signalOf(envelope, element("received", { xmlns: ns.receipts, id: target }), hint("store"));
}

/** A message was read, and all before it (XEP-0333): in a room by the id that the room gave it. */
export function writeMarker(envelope: Envelope, target: string): XmlElement {
  return signalOf(envelope, element("displayed", { xmlns: ns.markers, id: target }), hint("store"));
}

/** What a room is about (XEP-0045 §8.1); the empty text for nothing. There is no body, or it would be a message. */
export function writeSubject(envelope: Envelope, subject: string): XmlElement {
  return messageOf(envelope, textElement("subject", subject));
}
