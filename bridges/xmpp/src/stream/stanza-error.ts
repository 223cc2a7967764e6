import { refused, retry, type Failure } from "@trestle/core";
import { xml, type Element } from "./element.js";

const NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const TYPES = ["auth", "cancel", "continue", "modify", "wait"] as const;

/** What an error stanza says (RFC 6120 §8.3). */
export interface StanzaError {
  readonly type: (typeof TYPES)[number];
  /** A defined condition such as `item-not-found`; `undefined-condition` where there is none. */
  readonly condition: string;
  readonly text?: string;
  /** The namespaces and names of application-specific conditions, as `{namespace}name`. */
  readonly application: readonly string[];
}

// These say that a server could not be reached or was busy, whatever type they come with: ejabberd calls a server that
// is away for a moment `cancel`.
const PASSING = new Set([
  "internal-server-error",
  "remote-server-not-found",
  "remote-server-timeout",
  "resource-constraint",
]);

/** Reads the `<error/>` of a stanza of type `error`. */
export function stanzaErrorOf(stanza: Element): StanzaError {
  const error = stanza.getChild("error");
  const children = error?.getChildElements() ?? [];
  const defined = children.find((child) => child.getNS() === NS_STANZAS && child.getName() !== "text");
  const text = error?.getChildText("text", NS_STANZAS);
  return {
    type: TYPES.find((type) => type === error?.attrs["type"]) ?? "cancel",
    condition: defined?.getName() ?? "undefined-condition",
    ...(typeof text === "string" && text !== "" && { text: text.slice(0, 500) }),
    application: children
      .filter((child) => child.getNS() !== NS_STANZAS)
      .map((child) => `{${child.getNS() ?? ""}}${child.getName()}`),
  };
}

/** Builds an `<error/>` for an answer. */
export function errorElement(type: StanzaError["type"], condition: string, text?: string): Element {
  return xml(
    "error",
    { type },
    xml(condition, { xmlns: NS_STANZAS }),
    text === undefined ? undefined : xml("text", { xmlns: NS_STANZAS }, text),
  );
}

/** Whether what was refused may be taken another time. */
export function isPassing(error: StanzaError): boolean {
  return error.type === "wait" || PASSING.has(error.condition);
}

/** What an error means for an effect: it surely did not happen. `what` is what was tried, for a person. */
export function failureOf(error: StanzaError, what: string): Failure {
  const said = error.text === undefined ? error.condition : `${error.condition}: ${error.text}`;
  return isPassing(error) ? retry(`${what} was put off (${said})`) : refused(`${what} was refused (${said})`);
}
