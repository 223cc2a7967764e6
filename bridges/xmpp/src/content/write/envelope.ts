import { ns } from "../namespaces.js";
import type { ChatState } from "../read/message-types.js";
import { writeTime } from "../read/time.js";
import { element, type Child, type XmlElement } from "../xml.js";

/** To whom a message goes, and by which id. */
export interface Envelope {
  readonly from?: string;
  readonly to?: string;
  readonly type: "chat" | "groupchat" | "headline" | "normal";
  /** What corrections refer to, and bounces; told as `origin-id` too (XEP-0359), which rooms leave as it is. */
  readonly id: string;
  /** What else belongs into it, such as the ids that a room gives, or a delay. */
  readonly extra?: readonly XmlElement[];
}

/** A message of these parts, in a fixed order, so that the same parts always give the same stanza. */
export function messageOf({ from, to, type, id, extra = [] }: Envelope, ...parts: readonly Child[]): XmlElement {
  const origin = element("origin-id", { xmlns: ns.stanzaIds, id });
  return element("message", { from, to, type, id }, ...parts, origin, ...extra);
}

/** A message that says nothing by itself, such as a receipt: nobody refers to it. */
export function signalOf({ from, to, type, id, extra = [] }: Envelope, ...parts: readonly Child[]): XmlElement {
  return element("message", { from, to, type, id }, ...parts, ...extra);
}

/** What the archives do with a message (XEP-0334). */
export function hint(name: "store" | "no-store" | "no-permanent-store" | "no-copy"): XmlElement {
  return element(name, { xmlns: ns.hints });
}

/** The id that a room or an archive gives a message (XEP-0359). */
export function stanzaId(by: string, id: string): XmlElement {
  return element("stanza-id", { xmlns: ns.stanzaIds, by, id });
}

/** The same occupant under every nick (XEP-0421). */
export function occupantId(id: string): XmlElement {
  return element("occupant-id", { xmlns: ns.occupantId, id });
}

/** When a stanza was first sent (XEP-0203). */
export function delayed(at: number, by?: string): XmlElement {
  return element("delay", { xmlns: ns.delay, from: by, stamp: writeTime(at) });
}

/** The name that the sender goes by (XEP-0172). */
export function nickname(name: string): XmlElement {
  return element("nick", { xmlns: ns.nick }, name);
}

/** What the sender does (XEP-0085). */
export function chatState(state: ChatState): XmlElement {
  return element(state, { xmlns: ns.chatStates });
}

/** What the body stands in for (XEP-0428): this range of it, in code points, or all of it. */
export function fallbackFor(feature: string, range?: { readonly start: number; readonly end: number }): XmlElement {
  return element(
    "fallback",
    { xmlns: ns.fallback, for: feature },
    element("body", { start: range?.start, end: range?.end }),
  );
}
