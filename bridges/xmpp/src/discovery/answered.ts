import type { XmlElement } from "../content/index.js";
import type { StanzaError } from "../stream/index.js";

/** What a query is answered with: an element (none: all is well), or why not. */
export type Answered =
  | { readonly result?: XmlElement }
  | { readonly error: string; readonly type: StanzaError["type"]; readonly text?: string };

export const unavailable: Answered = { error: "service-unavailable", type: "cancel" };
export const noSuchItem: Answered = { error: "item-not-found", type: "cancel" };

/** The query is not what it must be. */
export function badRequest(text: string): Answered {
  return { error: "bad-request", type: "modify", text };
}
