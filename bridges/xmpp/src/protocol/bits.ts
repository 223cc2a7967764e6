import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  attributeOf,
  childrenOf,
  countAttributeOf,
  element,
  filledAttributeOf,
  textOf,
  type XmlElement,
} from "../content/xml.js";
import { readBase64 } from "./vcard.js";

/** A small picture within a stanza (XEP-0231), which others in it refer to as `cid:…`. */
export interface Bits {
  /** Such as `sha1+8f35fef110ffc5df08d579a50083ff9308fb6242@bob.xmpp.org`. */
  readonly cid: string;
  readonly mimeType?: string;
  /** For how long it may be kept, in seconds. */
  readonly maxAge?: number;
  /** Absent in a question. */
  readonly data?: Buffer;
}

/** Reads a `<data/>`, of a question or an answer; `undefined` where it has no id. */
export function readBits(data: XmlElement): Bits | undefined {
  const cid = filledAttributeOf(data, "cid");
  if (cid === undefined) return undefined;
  const mimeType = attributeOf(data, "type")?.toLowerCase() ?? "";
  return given({
    cid,
    mimeType: /^[a-z0-9.+-]{1,64}\/[a-z0-9.+-]{1,64}$/.test(mimeType) ? mimeType : undefined,
    maxAge: countAttributeOf(data, "max-age"),
    data: readBase64(textOf(data)),
  });
}

/** The pictures that a stanza brings along. */
export function bitsIn(stanza: XmlElement): Bits[] {
  return childrenOf(stanza, "data", ns.bitsOfBinary).flatMap((data) => readBits(data) ?? []);
}

/** Writes a `<data/>`. */
export function writeBits({ cid, mimeType, maxAge, data }: Bits): XmlElement {
  return element("data", { xmlns: ns.bitsOfBinary, cid, type: mimeType, "max-age": maxAge }, data?.toString("base64"));
}
