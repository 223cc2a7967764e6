import { readForm } from "../../protocol/forms.js";
import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  elementsOf,
  filledAttributeOf,
  isElement,
  localName,
  namespaceOf,
  ownChildOf,
  ownTextOf,
  textOf,
  type XmlElement,
} from "../xml.js";
import { readEncryption } from "./encrypted.js";
import { readError } from "./error.js";
import { isWrapper, readForwarded } from "./forwarded.js";
import { given } from "../given.js";
import { readIds, readOccupantId, type ReadContext } from "./ids.js";
import { readInvite } from "./invites.js";
import { chatStates, messageTypes, type ChatState, type MessageStanza, type MessageWhat } from "./message-types.js";
import { readMucUser } from "./muc-user.js";
import { readPublished } from "./published.js";
import { readRetraction } from "./retraction.js";
import { readSaid } from "./said.js";
import { readDelay } from "./time.js";

/** What a message means. It never throws. */
export function readMessage(message: XmlElement, context: ReadContext = {}): MessageStanza {
  return read(message, context, false);
}

/** A message that was held by another one holds none itself: nothing forwards what was forwarded already. */
function readHeld(message: XmlElement, context: ReadContext): MessageStanza {
  return read(message, context, true);
}

function read(message: XmlElement, context: ReadContext, isHeld: boolean): MessageStanza {
  const type = messageTypes.find((name) => name === attributeOf(message, "type")) ?? "normal";
  const isError = type === "error";
  return given({
    stanza: "message",
    type,
    from: filledAttributeOf(message, "from"),
    to: filledAttributeOf(message, "to"),
    ids: readIds(message, context),
    occupantId: readOccupantId(message),
    delay: readDelay(message),
    nick: textOf(childOf(message, "nick", ns.nick)).trim() || undefined,
    what: isError
      ? ({ kind: "error", error: readError(message) } as const)
      : isHeld && isWrapper(message)
        ? ({ kind: "ignored", reason: "a forwarded message within a forwarded one" } as const)
        : whatOf(message, type, context),
    chatState: isError ? undefined : chatStateOf(message),
    wantsReceipt: !isError && childOf(message, "request", ns.receipts) !== undefined,
    markable: !isError && childOf(message, "markable", ns.markers) !== undefined,
    isRoomPrivate: type !== "groupchat" && childOf(message, "x", ns.mucUser) !== undefined,
  } as const);
}

/** What stands in most messages: it makes a message no other thing than one that says something. */
const plain = new Set(["body", "stanza-id", "origin-id", "occupant-id", "active", "markable", "request"]);

function isPlain({ children }: XmlElement): boolean {
  return children.every((child) => typeof child === "string" || plain.has(localName(child)));
}

/** The first of these that a message is: a body beside most of them is only there for clients that do not know them. */
function whatOf(message: XmlElement, type: MessageStanza["type"], context: ReadContext): MessageWhat {
  return (
    (isPlain(message) ? undefined : readEmbedded(message, type, context)) ??
    readText(message, type) ??
    readAcknowledgement(message) ??
    readRest(message)
  );
}

/** What an element in the message makes of it. */
function readEmbedded(message: XmlElement, type: MessageStanza["type"], context: ReadContext): MessageWhat | undefined {
  return (
    readForwarded(message, context, readHeld) ??
    readPublished(message) ??
    readInvite(message) ??
    readRetraction(message, type) ??
    readReactions(message) ??
    readEncryption(message) ??
    readForms(message)
  );
}

/** More than any client lets anybody give. */
const maxReactions = 50;

function readReactions(message: XmlElement): MessageWhat | undefined {
  const reactions = childOf(message, "reactions", ns.reactions);
  if (reactions === undefined) return undefined;
  const target = filledAttributeOf(reactions, "id");
  if (target === undefined) return { kind: "ignored", reason: "the reactions do not say to which message" };
  const keys = elementsOf(reactions)
    .filter((child) => isElement(child, "reaction", ns.reactions))
    .map((reaction) => textOf(reaction).trim())
    .filter((key) => key !== "" && key.length <= 100);
  return { kind: "reactions", target, keys: [...new Set(keys)].slice(0, maxReactions) };
}

function readForms(message: XmlElement): MessageWhat | undefined {
  const element = childOf(message, "x", ns.forms);
  const form = element && readForm(element);
  if (form === undefined || ownTextOf(message, "body") !== undefined) return undefined;
  return form.formType === ns.mucRequest ? { kind: "voiceRequest", form } : { kind: "form", form };
}

/** A text or file, new or in place of another; or, where there is neither, the subject alone (XEP-0045 §8.1). */
function readText(message: XmlElement, type: MessageStanza["type"]): MessageWhat | undefined {
  const said = readSaid(message);
  const subject = ownChildOf(message, "subject");
  if (said === undefined) {
    const isSubject = subject !== undefined && ownChildOf(message, "body") === undefined && type !== "headline";
    return isSubject ? { kind: "subject", subject: textOf(subject) } : undefined;
  }
  const replace = childOf(message, "replace", ns.correction);
  const target = replace && filledAttributeOf(replace, "id");
  return target === undefined ? { kind: "text", ...said } : { kind: "correction", target, ...said };
}

const markerNames = ["received", "displayed", "acknowledged"] as const;

function readAcknowledgement(message: XmlElement): MessageWhat | undefined {
  const received = childOf(message, "received", ns.receipts);
  const target = received && filledAttributeOf(received, "id");
  if (target !== undefined) return { kind: "receipt", target };
  for (const marker of markerNames) {
    const found = childOf(message, marker, ns.markers);
    const marked = found && filledAttributeOf(found, "id");
    if (marked !== undefined) return { kind: "marker", marker, target: marked };
  }
  return undefined;
}

function chatStateOf(message: XmlElement): ChatState | undefined {
  return chatStates.find((state) => childOf(message, state, ns.chatStates) !== undefined);
}

/** What nobody does anything about, by the namespace of what stands in the message. */
const silent: ReadonlyMap<string, string> = new Map([
  [ns.jingleMessage, "calls are not bridged"],
  [ns.callInvite, "calls are not bridged"],
  [ns.attention, "calling for attention is not bridged"],
  [ns.fileSharing, "no address of the file is told"],
  [ns.receipts, "a receipt that does not say for what"],
  [ns.markers, "a marker that does not say for what"],
]);

function readRest(message: XmlElement): MessageWhat {
  const room = readMucUser(message);
  if (room !== undefined && room.statuses.length + room.items.length > 0) return { kind: "roomStatus", room };
  const state = chatStateOf(message);
  if (state !== undefined) return { kind: "chatState", state };
  const elements = elementsOf(message);
  for (const element of elements) {
    const reason = silent.get(namespaceOf(element) ?? "");
    if (reason !== undefined) return { kind: "ignored", reason };
  }
  const namespace = namespaceOf(message);
  const names = elements.filter(
    (element) => !["body", "thread", "subject"].includes(localName(element)) || namespaceOf(element) !== namespace,
  );
  if (names.length === 0) return { kind: "ignored", reason: "it says nothing" };
  return {
    kind: "unknown",
    elements: names.map((element) => `${localName(element)} ${namespaceOf(element) ?? ""}`.trim()),
  };
}
