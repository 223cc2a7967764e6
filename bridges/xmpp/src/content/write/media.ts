import type { MediaContent } from "@trestle/core";
import { ns } from "../namespaces.js";
import { cleanXmlLine } from "../xml-characters.js";
import { element, textElement, type Child, type XmlElement } from "../xml.js";

/** What says that a message is a file: XEP-0447 with XEP-0446, and XEP-0066 for clients that know no better. */
export function fileParts(media: MediaContent, url: string): readonly Child[] {
  return [
    element("x", { xmlns: ns.oob }, textElement("url", url)),
    element(
      "file-sharing",
      { xmlns: ns.fileSharing, disposition: dispositionOf(media) },
      fileElement(media),
      sourcesElement(url),
    ),
    media.kind === "sticker" ? element("sticker", { xmlns: ns.stickers }) : undefined,
  ];
}

function dispositionOf({ kind }: MediaContent): "inline" | "attachment" {
  return kind === "file" ? "attachment" : "inline";
}

function fileElement({ mimeType, name, size, width, height, durationMs }: MediaContent): XmlElement {
  const count = (tag: string, value: number | undefined): Child =>
    value === undefined || !Number.isFinite(value)
      ? undefined
      : textElement(tag, String(Math.max(0, Math.round(value))));
  return element(
    "file",
    { xmlns: ns.fileMetadata },
    mimeType === undefined ? undefined : textElement("media-type", mimeType),
    textElement("name", cleanXmlLine(name)),
    count("size", size),
    count("width", width),
    count("height", height),
    count("length", durationMs),
  );
}

function sourcesElement(url: string): XmlElement {
  return element("sources", {}, element("url-data", { xmlns: ns.urlData, target: url }));
}
