/** Protocols of XMPP that are about other things than messages: pure builders and parsers. */
export * from "./avatar.js";
export * from "./bits.js";
export * from "./caps.js";
export * from "./commands.js";
export * from "./disco.js";
export * from "./forms.js";
export * from "./gateway-prompt.js";
export * from "./mam.js";
export * from "./muc-admin.js";
export * from "./pubsub.js";
export * from "./register.js";
export * from "./room-info.js";
export * from "./rsm.js";
export * from "./search.js";
export * from "./upload.js";
export * from "./vcard.js";
