/** Every namespace that the bridge reads or writes, under the name of what it is for, with the document that defines it. */
export const ns = {
  // RFC 6120, RFC 6121, XEP-0114
  client: "jabber:client",
  server: "jabber:server",
  component: "jabber:component:accept",
  stanzaErrors: "urn:ietf:params:xml:ns:xmpp-stanzas",
  roster: "jabber:iq:roster",
  /** XEP-0004 */
  forms: "jabber:x:data",
  /** XEP-0012 */
  lastActivity: "jabber:iq:last",
  /** XEP-0030 */
  discoInfo: "http://jabber.org/protocol/disco#info",
  discoItems: "http://jabber.org/protocol/disco#items",
  /** XEP-0045 */
  muc: "http://jabber.org/protocol/muc",
  mucUser: "http://jabber.org/protocol/muc#user",
  mucAdmin: "http://jabber.org/protocol/muc#admin",
  mucOwner: "http://jabber.org/protocol/muc#owner",
  mucRequest: "http://jabber.org/protocol/muc#request",
  mucRoomInfo: "http://jabber.org/protocol/muc#roominfo",
  /** XEP-0050 */
  commands: "http://jabber.org/protocol/commands",
  /** XEP-0054, XEP-0153 */
  vcard: "vcard-temp",
  vcardUpdate: "vcard-temp:x:update",
  /** XEP-0055 */
  search: "jabber:iq:search",
  /** XEP-0059 */
  rsm: "http://jabber.org/protocol/rsm",
  /** XEP-0060 */
  pubsub: "http://jabber.org/protocol/pubsub",
  pubsubEvent: "http://jabber.org/protocol/pubsub#event",
  /** XEP-0066 */
  oob: "jabber:x:oob",
  oobIq: "jabber:iq:oob",
  /** XEP-0071 */
  xhtmlIm: "http://jabber.org/protocol/xhtml-im",
  xhtml: "http://www.w3.org/1999/xhtml",
  /** XEP-0077 */
  register: "jabber:iq:register",
  /** XEP-0084 */
  avatarData: "urn:xmpp:avatar:data",
  avatarMetadata: "urn:xmpp:avatar:metadata",
  /** XEP-0085 */
  chatStates: "http://jabber.org/protocol/chatstates",
  /** XEP-0092 */
  version: "jabber:iq:version",
  /** XEP-0100 */
  gateway: "jabber:iq:gateway",
  /** XEP-0115 */
  caps: "http://jabber.org/protocol/caps",
  /** XEP-0172 */
  nick: "http://jabber.org/protocol/nick",
  /** XEP-0184 */
  receipts: "urn:xmpp:receipts",
  /** XEP-0191 */
  blocking: "urn:xmpp:blocking",
  /** XEP-0199 */
  ping: "urn:xmpp:ping",
  /** XEP-0202 */
  time: "urn:xmpp:time",
  /** XEP-0203 */
  delay: "urn:xmpp:delay",
  /** XEP-0091, which XEP-0203 replaced */
  oldDelay: "jabber:x:delay",
  /** XEP-0224 */
  attention: "urn:xmpp:attention:0",
  /** XEP-0231 */
  bitsOfBinary: "urn:xmpp:bob",
  /** XEP-0249 */
  directInvite: "jabber:x:conference",
  /** XEP-0280 */
  carbons: "urn:xmpp:carbons:2",
  /** XEP-0297 */
  forward: "urn:xmpp:forward:0",
  /** XEP-0308 */
  correction: "urn:xmpp:message-correct:0",
  /** XEP-0313 */
  mam: "urn:xmpp:mam:2",
  mamExtended: "urn:xmpp:mam:2#extended",
  /** XEP-0317 */
  hats: "urn:xmpp:hats:0",
  /** XEP-0319 */
  idle: "urn:xmpp:idle:1",
  /** XEP-0333 */
  markers: "urn:xmpp:chat-markers:0",
  /** XEP-0334 */
  hints: "urn:xmpp:hints",
  /** XEP-0353 */
  jingleMessage: "urn:xmpp:jingle-message:0",
  /** XEP-0359 */
  stanzaIds: "urn:xmpp:sid:0",
  /** XEP-0363 */
  httpUpload: "urn:xmpp:http:upload:0",
  /** XEP-0372 */
  references: "urn:xmpp:reference:0",
  /** XEP-0380 */
  encryption: "urn:xmpp:eme:0",
  /** XEP-0384 and its forerunner */
  omemo: "urn:xmpp:omemo:2",
  oldOmemo: "eu.siacs.conversations.axolotl",
  /** XEP-0373, XEP-0027 */
  openPgp: "urn:xmpp:openpgp:0",
  oldOpenPgp: "jabber:x:encrypted",
  /** XEP-0385 */
  sims: "urn:xmpp:sims:1",
  /** XEP-0393 */
  styling: "urn:xmpp:styling:0",
  /** XEP-0394 */
  markup: "urn:xmpp:markup:0",
  /** XEP-0421 */
  occupantId: "urn:xmpp:occupant-id:0",
  /** XEP-0422, which retractions and moderation were built on once */
  fastening: "urn:xmpp:fasten:0",
  /** XEP-0424, now and before */
  retraction: "urn:xmpp:message-retract:1",
  oldRetraction: "urn:xmpp:message-retract:0",
  /** XEP-0425, now and before */
  moderation: "urn:xmpp:message-moderate:1",
  oldModeration: "urn:xmpp:message-moderate:0",
  /** XEP-0428, now and before */
  fallback: "urn:xmpp:fallback:0",
  oldFallback: "urn:xmpp:feature-fallback:0",
  /** XEP-0234, in which XEP-0385 describes a file */
  jingleFile: "urn:xmpp:jingle:apps:file-transfer:5",
  /** XEP-0444 */
  reactions: "urn:xmpp:reactions:0",
  /** XEP-0446 */
  fileMetadata: "urn:xmpp:file:metadata:0",
  /** XEP-0447 */
  fileSharing: "urn:xmpp:sfs:0",
  /** XEP-0103, for the URLs of XEP-0447 */
  urlData: "http://jabber.org/protocol/url-data",
  /** XEP-0382 */
  spoiler: "urn:xmpp:spoiler:0",
  /** XEP-0449 */
  stickers: "urn:xmpp:stickers:0",
  /** XEP-0461 */
  reply: "urn:xmpp:reply:0",
  /** XEP-0482 */
  callInvite: "urn:xmpp:call-invites:0",
  /** XEP-0300 */
  hashes: "urn:xmpp:hashes:2",
} as const;
