export { escapeNode, unescapeNode } from "./escape.js";
export { bareJidOf, bareOf, formatJid, parseJid, sameJid, type Jid } from "./jid.js";
export { localOfRoom, localOfUser, roomOfLocal, userOfLocal } from "./matrix-address.js";
export { nickCandidate, nickFrom } from "./nick.js";
