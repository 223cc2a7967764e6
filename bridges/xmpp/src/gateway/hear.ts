import {
  RemoteMessageId,
  RemoteUserId,
  type ChannelId,
  type Content,
  type NetworkEvent,
  type RemoteUser,
} from "@trestle/core";
import { mapMentions, type RichText } from "@trestle/rich-text";
import {
  element,
  namespaceOf,
  localName,
  ns,
  occupantId,
  parseXml,
  readMessage,
  stanzaId,
  type MessageStanza,
  type Said,
  type XmlElement,
} from "../content/index.js";
import type { Kept } from "./archive.js";
import { refusal, type Refusal } from "./errors.js";
import { occupantIdOf } from "./parts.js";
import type { RoomState } from "./room-state.js";

/** Who says something, and under which id the room shows it. */
export interface Speaker {
  /** A bare JID. */
  readonly key: string;
  readonly nick: string;
  readonly id: string;
}

/** What an occupant's message means for Matrix, for the others and for the archive. */
export interface Heard {
  readonly events: readonly NetworkEvent[];
  readonly shown: XmlElement;
  readonly kept?: Kept;
  /** What the archive remembers besides; in one transaction with the message. */
  readonly remember?: () => void;
}

/** Reads what an occupant says. The same of the same message, also after a crash, until the archive has it. */
export function hear(room: RoomState, { key, nick, id }: Speaker, stanza: XmlElement): Heard | Refusal | undefined {
  const message = readMessage(stanza);
  const { what } = message;
  const shown = shownAs(room, { key, nick, id }, stanza);
  const sender: RemoteUser = { id: RemoteUserId(key), name: nick };
  const base: Base = { room, channel: room.channel, id, key, sender, shown, message, nick };
  switch (what.kind) {
    case "text":
      return said(base, what);
    case "correction":
      return corrected(base, what, what.target);
    case "retraction":
      return retracted(base, what.target, what.reason);
    case "reactions":
      return reacted(base, what.target, what.keys);
    case "encrypted":
      return refusal(
        "modify",
        "not-acceptable",
        "People on Matrix are in this room: write without end-to-end encryption.",
      );
    case "chatState":
      return { events: [], shown };
    case "marker":
      return what.marker === "displayed" ? { events: [], shown } : undefined;
    default:
      return undefined;
  }
}

interface Base {
  readonly room: RoomState;
  readonly channel: ChannelId;
  readonly id: string;
  readonly key: string;
  readonly nick: string;
  readonly sender: RemoteUser;
  readonly shown: XmlElement;
  readonly message: MessageStanza;
}

function said({ room, channel, id, sender, ...base }: Base, { contents, replyTo }: Said): Heard {
  const events = contents.map((content, part) => ({
    kind: "message" as const,
    id: RemoteMessageId(part === 0 ? id : `${id}#${part}`),
    channel,
    sender,
    content: mapped(room, content),
    ...(part === 0 && replyTo && { replyTo: RemoteMessageId(replyTo.id) }),
  }));
  return { events, shown: base.shown, kept: keptAs({ room, channel, id, sender, ...base }, "text") };
}

/** XEP-0308: of the sender's own messages alone; what nobody knows is a message like others. */
function corrected(base: Base, what: Said, target: string): Heard {
  const { room, key, id, channel, sender, shown } = base;
  const found = room.parts.archive.findOwn(room.jid, key, target);
  const [content] = what.contents;
  if (!found || found.kind !== "text" || content === undefined) return said(base, what);
  const first = found.about ?? found.id;
  return {
    events: [
      {
        kind: "edit",
        id: RemoteMessageId(id),
        channel,
        sender,
        target: RemoteMessageId(first),
        content: mapped(room, content),
      },
    ],
    shown,
    kept: keptAs(base, "text", first),
  };
}

/** XEP-0424: of the sender's own messages alone. */
function retracted(base: Base, target: string, reason: string | undefined): Heard | Refusal {
  const { room, key, id, channel, sender, shown } = base;
  const found = room.parts.archive.find(room.jid, target);
  if (!found) return refusal("cancel", "item-not-found", "The room does not know this message any more.");
  if (found.author !== key)
    return refusal("auth", "forbidden", "Only who wrote a message, or a moderator, can take it away.");
  return {
    events: [
      {
        kind: "redaction",
        id: RemoteMessageId(id),
        channel,
        sender,
        target: RemoteMessageId(target),
        ...(reason !== undefined && { reason }),
      },
    ],
    shown,
    kept: keptAs(base, "other", target),
    remember: () => room.parts.archive.retract(room.jid, target, (of) => tombstone(of.xml, of.id, base.nick)),
  };
}

/** XEP-0444: all reactions of the sender to a message; the difference to those before is what happened. */
function reacted(base: Base, target: string, keys: readonly string[]): Heard | Refusal {
  const { room, key: author, id, channel, sender, shown } = base;
  const { archive } = room.parts;
  if (!archive.find(room.jid, target))
    return refusal("cancel", "item-not-found", "The room does not know this message any more.");
  const before = archive.reactions(room.jid, target, author);
  const change = (kind: "reaction" | "reactionRemoved", key: string): NetworkEvent => ({
    kind,
    id: RemoteMessageId(`${id} ${kind === "reaction" ? "+" : "-"}${key}`),
    channel,
    sender,
    target: RemoteMessageId(target),
    key,
  });
  return {
    events: [
      ...keys.filter((key) => !before.includes(key)).map((key) => change("reaction", key)),
      ...before.filter((key) => !keys.includes(key)).map((key) => change("reactionRemoved", key)),
    ],
    shown,
    kept: keptAs(base, "other", target),
    remember: () => archive.setReactions(room.jid, target, author, keys),
  };
}

function keptAs({ id, key, nick, message, shown }: Base, kind: Kept["kind"], about?: string): Kept {
  const { id: ownId } = message.ids;
  return {
    ...{ id, author: key, nick, kind, xml: shown.toString() },
    ...(ownId !== undefined && { ownId }),
    ...(about !== undefined && { about }),
  };
}

/** What the room alone may say, as `name namespace`. */
const roomsOwn: ReadonlySet<string> = new Set([
  `stanza-id ${ns.stanzaIds}`,
  `occupant-id ${ns.occupantId}`,
  `delay ${ns.delay}`,
  `x ${ns.oldDelay}`,
  `x ${ns.mucUser}`,
  `hats ${ns.hats}`,
  `addresses http://jabber.org/protocol/address`,
]);

/** The message as the room shows it (XEP-0045 §7.4): from the occupant, with the sender's id, and with the room's own. */
function shownAs(room: RoomState, { key, nick, id }: Speaker, stanza: XmlElement): XmlElement {
  const children = stanza.children.filter(
    (child) => typeof child === "string" || !roomsOwn.has(`${localName(child)} ${namespaceOf(child) ?? ""}`),
  );
  return element(
    "message",
    { from: `${room.jid}/${nick}`, type: "groupchat", id: stanza.attrs["id"] ?? id },
    ...children.map((child) => (typeof child === "string" ? child : withoutStream(child))),
    stanzaId(room.jid, id),
    occupantId(occupantIdOf(room.parts, room.jid, key)),
  );
}

/** A component's stream has another namespace than a client's: what names it by itself is freed of it. */
function withoutStream(child: XmlElement): XmlElement {
  if (child.attrs["xmlns"] !== ns.component) return child;
  const { xmlns: _, ...attributes } = child.attrs;
  return element(child.name, attributes, ...child.children);
}

/** What stands in the archive in place of a message that was taken back (XEP-0424 §4.3). */
export function tombstone(xml: string, id: string, by?: string): string {
  const from = parseXml(xml)?.attrs["from"];
  const stamp = new Date().toISOString();
  const retracted = element("retracted", { xmlns: ns.retraction, id, by, stamp });
  return element("message", { from, type: "groupchat" }, retracted).toString();
}

/** Who is mentioned by an address in the room, or by one of the component, is a Matrix user or a person. */
function mapped(room: RoomState, content: Content): Content {
  const map = (tree: RichText): RichText =>
    mapMentions(tree, (mention) => {
      const { target } = mention;
      const occupant = target.kind === "remoteUser" ? room.named(target.id) : undefined;
      if (!occupant) return mention;
      return {
        ...mention,
        target:
          occupant.is === "member"
            ? { kind: "matrixUser", userId: occupant.userId }
            : { kind: "remoteUser", id: occupant.key },
      };
    });
  if (content.type === "text") return { ...content, body: map(content.body) };
  if (content.type === "media" && content.caption) return { ...content, caption: map(content.caption) };
  return content;
}
