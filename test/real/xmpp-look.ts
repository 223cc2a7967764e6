import type { Person } from "../support/person.js";
import { asRecord, type SeenEvent } from "../support/seen-event.js";
import type { SeenStanza } from "../support/xmpp-person.js";

/** A picture of one point. */
export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

export const NS = {
  correction: "urn:xmpp:message-correct:0",
  reactions: "urn:xmpp:reactions:0",
  reply: "urn:xmpp:reply:0",
  fallback: "urn:xmpp:fallback:0",
  retraction: "urn:xmpp:message-retract:1",
  moderation: "urn:xmpp:message-moderate:1",
  receipts: "urn:xmpp:receipts",
  markers: "urn:xmpp:chat-markers:0",
  oob: "jabber:x:oob",
} as const;

/** The archive's id of a message. */
export function stanzaId({ xml }: SeenStanza): string {
  const element = /<[^<>]*stanza-id[^<>]*>/.exec(xml)?.[0] ?? "";
  return /\bid="([^"]+)"/.exec(element)?.[1] ?? "";
}

/** The event whose text this one replaces. */
export function replaces(event: SeenEvent): unknown {
  const relation = asRecord(event.content["m.relates_to"]);
  return relation["rel_type"] === "m.replace" ? relation["event_id"] : undefined;
}

/** The event that this one answers. */
export function answers(event: SeenEvent): unknown {
  return asRecord(asRecord(event.content["m.relates_to"])["m.in_reply_to"])["event_id"];
}

/** The keys of a set of reactions, one behind the other. */
export function reactionsIn(xml: string): string {
  if (!xml.includes(NS.reactions)) return "";
  return [...xml.matchAll(/reaction>([^<]+)</g)].map(([, key]) => key).join("");
}

export function reactionsElement(target: string, ...keys: readonly string[]): string {
  const inner = keys.map((key) => `<reaction>${key}</reaction>`).join("");
  return `<reactions xmlns="${NS.reactions}" id="${target}">${inner}</reactions>`;
}

/** An answer with a quotation of eight characters before it. */
export function replyElements(target: string, to: string, text: string): string {
  return (
    `<body>&gt; quoted\n${text}</body><reply xmlns="${NS.reply}" id="${target}" to="${to}"/>` +
    `<fallback xmlns="${NS.fallback}" for="${NS.reply}"><body start="0" end="9"/></fallback>`
  );
}

export async function redacted(person: Person, room: string, eventId: string): Promise<void> {
  await person.waitFor(
    `the redaction of ${eventId}`,
    (event) => event.roomId === room && event.type === "m.room.redaction" && event.redacts === eventId,
  );
}
