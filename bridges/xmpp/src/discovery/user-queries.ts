import type { UserId } from "@trestle/core";
import { element, ns, textElement, type IqWhat, type XmlElement } from "../content/index.js";
import type { MatrixPeople } from "../people/matrix-people.js";
import {
  avatarId,
  pubsubAnswer,
  writeAvatarData,
  writeAvatarMetadata,
  writeDiscoInfo,
  writeDiscoItems,
  writeVCard,
  type Photo,
} from "../protocol/index.js";
import { accountInfo, userCapsNode, userInfo } from "./features.js";
import { noSuchItem, unavailable, type Answered } from "./answered.js";

export interface UserAsked {
  readonly user: UserId;
  /** The account, and not one of its clients. */
  readonly isAccount: boolean;
}

/** Answers for a Matrix user: what they can do, who they are, and their picture, in the vCard and as it is published. */
export async function answerForUser(
  { user, isAccount }: UserAsked,
  what: IqWhat,
  matrixPeople: MatrixPeople,
): Promise<Answered> {
  switch (what.kind) {
    case "discoInfo": {
      const { node } = what.info;
      if (node !== undefined && node !== userCapsNode) return noSuchItem;
      const info = isAccount && node === undefined ? accountInfo : userInfo;
      return { result: writeDiscoInfo({ ...info, ...(node !== undefined && { node }) }) };
    }
    case "discoItems": {
      const { node } = what.items;
      return node === undefined ? { result: writeDiscoItems({ items: [] }) } : noSuchItem;
    }
    case "version":
      return { result: versionElement() };
    case "vcard": {
      const person = await matrixPeople.of(user);
      const photo = await matrixPeople.photoOf(person);
      return {
        result: writeVCard({ fullName: person.name, nickname: person.name, url: urlOf(user), ...(photo && { photo }) }),
      };
    }
    case "pubsub":
      if (what.items.action !== "items") return unavailable;
      return answerForNode(what.items.node, await pictureOf(user, matrixPeople), await matrixPeople.of(user));
    default:
      return unavailable;
  }
}

/** What the bridge calls itself (XEP-0092). */
export function versionElement(): XmlElement {
  return element("query", { xmlns: ns.version }, textElement("name", "Trestle"));
}

async function pictureOf(
  user: UserId,
  matrixPeople: MatrixPeople,
): Promise<Extract<Photo, { from: "data" }> | undefined> {
  const photo = await matrixPeople.photoOf(await matrixPeople.of(user));
  return photo?.from === "data" ? photo : undefined;
}

/** XEP-0084 and XEP-0172, for whoever asks. */
function answerForNode(
  node: string,
  picture: Extract<Photo, { from: "data" }> | undefined,
  { name }: { readonly name: string },
): Answered {
  if (node === ns.nick)
    return { result: pubsubAnswer(node, [{ id: "current", payload: element("nick", { xmlns: ns.nick }, name) }]) };
  if (!picture || (node !== ns.avatarData && node !== ns.avatarMetadata)) return noSuchItem;
  const id = avatarId(picture.data);
  const { mimeType } = picture;
  const info = { id, bytes: picture.data.length, ...(mimeType !== undefined && { mimeType }) };
  const payload = node === ns.avatarData ? writeAvatarData(picture.data) : writeAvatarMetadata(info);
  return { result: pubsubAnswer(node, [{ id, payload }]) };
}

function urlOf(user: UserId): string {
  return `https://matrix.to/#/${encodeURIComponent(user)}`;
}
