import type { XmppElement } from "@xmpp/component";

const ids = "urn:xmpp:sid:0";

/** A message as a room shows it, and what it does to others; these are named as the stanza names them. */
export interface RoomMessage {
  /** The room's id of it (XEP-0359); `undefined` of what it does not keep. */
  readonly id: string | undefined;
  /** The id that its sender gave it. */
  readonly ownId: string;
  readonly nick: string;
  /** Without the quotation of what it answers; `undefined` where the text is none of the sender's, or there is none. */
  readonly body: string | undefined;
  /** The sender's id of what it corrects (XEP-0308). */
  readonly replaces: string | undefined;
  /** The room's id of what it answers (XEP-0461). */
  readonly answers: string | undefined;
  /** The room's id of what it takes back (XEP-0424). */
  readonly retracts: string | undefined;
  /** All that its sender reacts with to the message of this room's id (XEP-0444). */
  readonly reacts: { readonly target: string; readonly keys: readonly string[] } | undefined;
}

/** `archived`: the archive's id, which is the room's. */
export function readRoomMessage(message: XmppElement, archived?: string): RoomMessage {
  const { from = "", id: ownId = "" } = message.attrs;
  const attribute = (name: string, xmlns: string): string | undefined => message.getChild(name, xmlns)?.attrs["id"];
  const retracts = attribute("retract", "urn:xmpp:message-retract:1");
  const body = message.getChildText("body");
  const reactions = message.getChild("reactions", "urn:xmpp:reactions:0");
  return {
    id: archived ?? attribute("stanza-id", ids),
    ownId,
    nick: from.includes("/") ? from.slice(from.indexOf("/") + 1) : "",
    body: body === null || body === "" || retracts !== undefined ? undefined : withoutQuotation(body, message),
    replaces: attribute("replace", "urn:xmpp:message-correct:0"),
    answers: attribute("reply", "urn:xmpp:reply:0"),
    retracts,
    reacts: reactions && {
      target: reactions.attrs["id"] ?? "",
      keys: reactions
        .getChildren("reaction")
        .map(({ children }) => children.flatMap((child) => (typeof child === "string" ? [child] : [])).join("")),
    },
  };
}

/** Whether it is one of those that rooms keep: a subject and a person's typing are not. */
export function doesSomething({ body, retracts, reacts }: RoomMessage): boolean {
  return body !== undefined || retracts !== undefined || reacts !== undefined;
}

/** XEP-0428: which code points are there only for those who know no replies. */
function withoutQuotation(body: string, message: XmppElement): string {
  const fallback = message
    .getChildren("fallback", "urn:xmpp:fallback:0")
    .find(({ attrs }) => attrs["for"] === "urn:xmpp:reply:0");
  const range = fallback?.getChild("body")?.attrs;
  if (!range) return body;
  const characters = Array.from(body);
  characters.splice(Number(range["start"] ?? 0), Number(range["end"] ?? 0) - Number(range["start"] ?? 0));
  return characters.join("");
}
