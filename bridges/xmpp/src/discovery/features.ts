import { ns, type XmlElement } from "../content/index.js";
import { capsElement, capsHash, type DiscoInfo } from "../protocol/index.js";

/** Under which the capabilities of Matrix users are asked for (XEP-0115 §4). */
export const capsNode = "https://github.com/trestle";

/** What a Matrix user's address is and can do. */
export const userInfo: DiscoInfo = {
  identities: [{ category: "client", type: "pc", name: "Matrix" }],
  features: [
    ns.discoInfo,
    ns.discoItems,
    ns.caps,
    ns.chatStates,
    ns.correction,
    ns.markers,
    ns.nick,
    ns.oob,
    ns.ping,
    ns.reactions,
    ns.receipts,
    ns.reply,
    ns.retraction,
    ns.styling,
    ns.vcard,
    ns.version,
    ns.xhtmlIm,
  ].toSorted(),
  forms: [],
};

/** What the bare address of a Matrix user is: an account (XEP-0030 registrar). */
export const accountInfo: DiscoInfo = {
  ...userInfo,
  identities: [
    { category: "account", type: "registered" },
    { category: "pubsub", type: "pep" },
  ],
};

/** What the component is and can do: a gateway, and with `hasRooms` a service of rooms (XEP-0045 §6.1). */
export function componentInfo(hasRooms: boolean): DiscoInfo {
  const rooms = hasRooms ? [{ category: "conference", type: "text", name: "Matrix rooms" }] : [];
  return {
    identities: [
      { category: "gateway", type: "matrix", name: "Matrix" },
      ...rooms,
      { category: "directory", type: "user", name: "Matrix users" },
    ],
    features: [
      ns.discoInfo,
      ns.discoItems,
      ns.commands,
      ns.gateway,
      ...(hasRooms ? [ns.muc] : []),
      ns.ping,
      ns.register,
      ns.search,
      ns.vcard,
      ns.version,
    ],
    forms: [],
  };
}

const hash = capsHash(userInfo) ?? "";

/** What a presence of a Matrix user says of all this; the answer to a question for it is always the same. */
export function userCaps(): XmlElement {
  return capsElement(capsNode, hash);
}

/** The node under which the capabilities are asked for in full. */
export const userCapsNode = `${capsNode}#${hash}`;
