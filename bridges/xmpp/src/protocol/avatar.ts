import { createHash } from "node:crypto";
import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  attributeOf,
  countAttributeOf,
  element,
  filledAttributeOf,
  isElement,
  ownChildrenOf,
  textElement,
  textOf,
  type XmlElement,
} from "../content/xml.js";
import { readBase64 } from "./vcard.js";

/** One form of an avatar (XEP-0084 §4.2.1). */
export interface AvatarInfo {
  /** The SHA-1 of the bytes, in hexadecimal. */
  readonly id: string;
  readonly bytes?: number;
  readonly mimeType?: string;
  readonly width?: number;
  readonly height?: number;
  /** Where else it is; without it the bytes are an item of the node `urn:xmpp:avatar:data`. */
  readonly url?: string;
}

/** The id of an avatar, in vCards (XEP-0153) as with XEP-0084: the SHA-1 of its bytes, in hexadecimal. */
export function avatarId(data: Uint8Array): string {
  return createHash("sha1").update(data).digest("hex");
}

/** The forms of an avatar, those whose bytes are in the node first; empty where it was taken away. */
export function readAvatarMetadata(metadata: XmlElement): AvatarInfo[] {
  const infos = ownChildrenOf(metadata, "info").flatMap((info): AvatarInfo[] => {
    const id = attributeOf(info, "id")?.toLowerCase() ?? "";
    if (!/^[0-9a-f]{40}$/.test(id)) return [];
    const url = attributeOf(info, "url");
    return [
      given({
        id,
        bytes: countAttributeOf(info, "bytes"),
        mimeType: filledAttributeOf(info, "type"),
        width: countAttributeOf(info, "width"),
        height: countAttributeOf(info, "height"),
        url: url !== undefined && /^https?:\/\//i.test(url) ? url : undefined,
      }),
    ];
  });
  return infos.toSorted((one, other) => Number(one.url !== undefined) - Number(other.url !== undefined));
}

/** Writes what an avatar is; without one it says that there is none. */
export function writeAvatarMetadata(avatar?: AvatarInfo): XmlElement {
  const info =
    avatar === undefined
      ? undefined
      : element("info", {
          id: avatar.id,
          bytes: avatar.bytes,
          type: avatar.mimeType,
          width: avatar.width,
          height: avatar.height,
          url: avatar.url,
        });
  return element("metadata", { xmlns: ns.avatarMetadata }, info);
}

/** The bytes of an avatar; `undefined` where these are none, or not those of the id. */
export function readAvatarData(data: XmlElement, id: string): Buffer | undefined {
  const bytes = readBase64(textOf(data));
  return bytes !== undefined && avatarId(bytes) === id.toLowerCase() ? bytes : undefined;
}

/** Writes the bytes of an avatar. */
export function writeAvatarData(data: Uint8Array): XmlElement {
  return element("data", { xmlns: ns.avatarData }, Buffer.from(data).toString("base64"));
}

/** What a presence says of the avatar in the vCard (XEP-0153): the empty id that there is none, `undefined` that it is not known yet. */
export function avatarUpdate(id: string | undefined): XmlElement {
  return element("x", { xmlns: ns.vcardUpdate }, id === undefined ? undefined : textElement("photo", id));
}

/** Whether a payload is what a node of avatars holds. */
export function isAvatarMetadata(payload: XmlElement): boolean {
  return isElement(payload, "metadata", ns.avatarMetadata);
}
