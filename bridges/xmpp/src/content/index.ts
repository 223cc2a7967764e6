/**
 * What XMPP's stanzas mean, and how they are made. Pure functions over element trees: what they must know of an account
 * or a room is given to them.
 */
export { ns } from "./namespaces.js";
export { cleanXml, cleanXmlLine } from "./xml-characters.js";
export * from "./xml.js";
export { readStanza, type Stanza } from "./read/stanza.js";
export { bodyOf, type Said } from "./read/said.js";
export { bareOf, isBare, jidOfUri, sameBare, uriOfJid } from "./read/jid.js";
export { readError, type ErrorType, type StanzaError } from "./read/error.js";
export { readIds, readOccupantId, type MessageIds, type ReadContext } from "./read/ids.js";
export { readMessage } from "./read/message.js";
export type { ArchivedMessage, ChatState, MessageStanza, MessageType, MessageWhat } from "./read/message-types.js";
export type { Moderation, Published, RoomInvite } from "./read/message-types.js";
export { readPresence, type Availability, type LeftHow, type Occupant, type OccupantLeft } from "./read/presence.js";
export type { PresenceStanza, PresenceWhat, RoomJoin, Show } from "./read/presence.js";
export { readIq, type IqStanza, type IqWhat } from "./read/iq.js";
export { readMucItem, readMucUser, type Affiliation, type Destroyed, type MucItem } from "./read/muc-user.js";
export type { MucUser, Role } from "./read/muc-user.js";
export { readTime, writeTime, type Delay } from "./read/time.js";
export { readStyling, readUnstyled } from "./text/styling-read.js";
export { looksStyled, writeStyling, type MentionName, type StyledBody } from "./text/styling-write.js";
export { readXhtml } from "./text/xhtml-read.js";
export { writeXhtml } from "./text/xhtml-write.js";
export { codePointLength, cutRanges, type Range } from "./text/code-points.js";
export { partsOf, writeSaid, type SaidOptions } from "./write/said.js";
export type { ReplyTo } from "./write/reply.js";
export * from "./write/envelope.js";
export * from "./write/about-messages.js";
export * from "./write/rooms.js";
