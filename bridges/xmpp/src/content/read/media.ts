import type { MediaContent } from "@trestle/core";
import { ns } from "../namespaces.js";
import {
  attributeOf,
  childOf,
  childrenOf,
  countOf,
  elementsOf,
  ownChildOf,
  ownTextOf,
  type XmlElement,
} from "../xml.js";
import { cleanXmlLine } from "../xml-characters.js";
import { given } from "../given.js";

/** A file that a message points to. */
export interface Medium {
  /** `https:` or `http:`. */
  readonly url: string;
  readonly content: MediaContent;
  /** How it was told: an address alone may as well be of a page. */
  readonly told: "file" | "address";
  /** What the sender says of it. */
  readonly description?: string;
}

/** More files than a message of any client has. */
const maxMedia = 20;

/**
 * The files of a message, each once, in order: XEP-0447, XEP-0385, and XEP-0066 for addresses that neither names.
 * Addresses other than `https:` and `http:` are left out.
 */
export function readMedia(message: XmlElement): Medium[] {
  const isSticker = childOf(message, "sticker", ns.stickers) !== undefined;
  const shared = childrenOf(message, "file-sharing", ns.fileSharing).map((sharing) =>
    sharedMedium(sharing, childOf(sharing, "file", ns.fileMetadata), isSticker),
  );
  const sims = childrenOf(message, "reference", ns.references).map((reference) => {
    const sharing = childOf(reference, "media-sharing", ns.sims);
    return sharing && sharedMedium(sharing, childOf(sharing, "file", ns.jingleFile), isSticker);
  });
  const linked = childrenOf(message, "x", ns.oob).map(linkedMedium);
  const found = new Map<string, Medium>();
  for (const medium of [...shared, ...sims, ...linked]) {
    if (medium !== undefined && !found.has(medium.url) && found.size < maxMedia) found.set(medium.url, medium);
  }
  return [...found.values()];
}

function sharedMedium(sharing: XmlElement, file: XmlElement | undefined, isSticker: boolean): Medium | undefined {
  const sources = ownChildOf(sharing, "sources");
  const url = (sources === undefined ? [] : elementsOf(sources)).flatMap((source) => sourceUrl(source) ?? [])[0];
  if (url === undefined) return undefined;
  const text = (name: string): string | undefined => (file === undefined ? undefined : ownTextOf(file, name));
  const mimeType = mimeTypeOf(text("media-type"));
  const content: MediaContent = {
    type: "media",
    kind: isSticker ? "sticker" : kindOf(mimeType, url),
    name: fileName(text("name")) ?? nameInUrl(url),
    source: { from: "url", url },
    ...given({
      mimeType,
      size: countOf(text("size")),
      width: countOf(text("width")),
      height: countOf(text("height")),
      durationMs: countOf(text("length")),
    }),
  };
  return given({ url, content, told: "file", description: text("desc") } as const);
}

/** `<url-data target/>` of XEP-0447, `<reference type='data' uri/>` of XEP-0385. */
function sourceUrl(source: XmlElement): string | undefined {
  return fetchableUrl(attributeOf(source, "target") ?? attributeOf(source, "uri") ?? "");
}

function linkedMedium(oob: XmlElement): Medium | undefined {
  const url = fetchableUrl(ownTextOf(oob, "url") ?? "");
  if (url === undefined) return undefined;
  const content: MediaContent = {
    type: "media",
    kind: kindOf(undefined, url),
    name: nameInUrl(url),
    source: { from: "url", url },
  };
  return given({ url, content, told: "address", description: ownTextOf(oob, "desc") } as const);
}

/** The URL as it stands, where it is an absolute one over HTTP, without a user and a password, of reasonable length. */
export function fetchableUrl(text: string): string | undefined {
  const url = text.trim();
  if (url.length > 4_096 || !/^https?:\/\/[^\s]+$/i.test(url) || !URL.canParse(url)) return undefined;
  const { username, password } = new URL(url);
  return username === "" && password === "" ? url : undefined;
}

/** Whether the name of what a URL points to is one of a picture, a film or a sound. */
export function looksLikeMedium(url: string): boolean {
  return kindOf(undefined, url) !== "file";
}

const extensions: Readonly<Record<string, "image" | "video" | "audio">> = {
  avif: "image",
  gif: "image",
  heic: "image",
  jpeg: "image",
  jpg: "image",
  jxl: "image",
  png: "image",
  svg: "image",
  webp: "image",
  "3gp": "video",
  m4v: "video",
  mkv: "video",
  mov: "video",
  mp4: "video",
  webm: "video",
  aac: "audio",
  amr: "audio",
  flac: "audio",
  m4a: "audio",
  mp3: "audio",
  oga: "audio",
  ogg: "audio",
  opus: "audio",
  wav: "audio",
};

function kindOf(mimeType: string | undefined, url: string): MediaContent["kind"] {
  const main = mimeType?.split("/")[0];
  if (main === "image" || main === "video" || main === "audio") return main;
  if (mimeType !== undefined) return "file";
  const extension = /\.([A-Za-z0-9]{2,5})$/.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? "";
  return (Object.hasOwn(extensions, extension) ? extensions[extension] : undefined) ?? "file";
}

function mimeTypeOf(text: string | undefined): string | undefined {
  const mimeType = text?.toLowerCase().split(";")[0]?.trim();
  return mimeType !== undefined && /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/.test(mimeType)
    ? mimeType
    : undefined;
}

/** A name without a path: what stands behind the last separator. */
function fileName(text: string | undefined): string | undefined {
  const name =
    cleanXmlLine(text ?? "")
      .split(/[/\\]/)
      .at(-1)
      ?.trim() ?? "";
  return name === "" || /^\.+$/.test(name) ? undefined : Array.from(name).slice(-200).join("");
}

function nameInUrl(url: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return fileName(decodeURIComponent(last)) ?? "file";
  } catch {
    // Not percent-encoded UTF-8: as it stands.
    return fileName(last) ?? "file";
  }
}
