import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  element,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  textElement,
  textOf,
  type Child,
  type XmlElement,
} from "../content/xml.js";

/** What a person tells of themselves (XEP-0054). Of what can be told several times, the first. */
export interface VCard {
  readonly fullName?: string;
  readonly nickname?: string;
  readonly description?: string;
  readonly birthday?: string;
  readonly url?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly organisation?: string;
  readonly title?: string;
  readonly jid?: string;
  readonly photo?: Photo;
}

/** A picture: its bytes, or where they are. */
export type Photo =
  | { readonly from: "data"; readonly mimeType?: string; readonly data: Buffer }
  | { readonly from: "url"; readonly url: string };

/** In bytes: larger than any server lets through. */
const maxPhoto = 8 * 1024 * 1024;

/** Reads `<vCard/>`. */
export function readVCard(card: XmlElement): VCard {
  const within = (name: string, inner: string): string | undefined => {
    for (const child of ownChildrenOf(card, name)) {
      const text = ownTextOf(child, inner);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const photo = ownChildOf(card, "PHOTO");
  return given({
    fullName: ownTextOf(card, "FN"),
    nickname: ownTextOf(card, "NICKNAME"),
    description: ownTextOf(card, "DESC"),
    birthday: ownTextOf(card, "BDAY"),
    url: ownTextOf(card, "URL"),
    email: within("EMAIL", "USERID"),
    phone: within("TEL", "NUMBER"),
    organisation: within("ORG", "ORGNAME"),
    title: ownTextOf(card, "TITLE"),
    jid: ownTextOf(card, "JABBERID"),
    photo: photo && readPhoto(photo),
  });
}

function readPhoto(photo: XmlElement): Photo | undefined {
  const url = ownTextOf(photo, "EXTVAL");
  const data = readBase64(textOf(ownChildOf(photo, "BINVAL")));
  if (data === undefined) return url === undefined ? undefined : { from: "url", url };
  const mimeType = /^image\/[a-z0-9.+-]{1,64}$/i.exec(ownTextOf(photo, "TYPE") ?? "")?.[0].toLowerCase();
  return given({ from: "data", mimeType, data } as const);
}

/** Bytes in base64, with whatever white space; `undefined` where they are none, or far too many. */
export function readBase64(text: string): Buffer | undefined {
  const digits = text.replace(/\s+/g, "");
  if (digits === "" || digits.length > maxPhoto * 2 || !/^[A-Za-z0-9+/]+={0,2}$/.test(digits)) return undefined;
  const data = Buffer.from(digits, "base64");
  return data.length > maxPhoto || data.length === 0 ? undefined : data;
}

/** Writes `<vCard/>`. */
export function writeVCard(card: VCard): XmlElement {
  const text = (name: string, value: string | undefined): Child =>
    value === undefined ? undefined : textElement(name, value);
  const within = (name: string, inner: string, value: string | undefined): Child =>
    value === undefined ? undefined : element(name, {}, textElement(inner, value));
  return element(
    "vCard",
    { xmlns: ns.vcard },
    text("FN", card.fullName),
    text("NICKNAME", card.nickname),
    card.photo && writePhoto(card.photo),
    text("BDAY", card.birthday),
    within("TEL", "NUMBER", card.phone),
    within("EMAIL", "USERID", card.email),
    text("JABBERID", card.jid),
    text("TITLE", card.title),
    within("ORG", "ORGNAME", card.organisation),
    text("URL", card.url),
    text("DESC", card.description),
  );
}

function writePhoto(photo: Photo): XmlElement {
  if (photo.from === "url") return element("PHOTO", {}, textElement("EXTVAL", photo.url));
  return element(
    "PHOTO",
    {},
    photo.mimeType === undefined ? undefined : textElement("TYPE", photo.mimeType),
    textElement("BINVAL", photo.data.toString("base64")),
  );
}
