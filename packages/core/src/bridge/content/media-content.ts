import { cleanText, truncate } from "@trestle/rich-text";
import type { MediaContent } from "../../connector/content.js";
import { isContentUri } from "../../mapping/identifiers.js";
import { isRecord, recordIn, stringIn, wholeIn, type JsonRecord } from "./guards.js";
import { textOf, type TextOptions } from "./message-text.js";

const kinds: ReadonlyMap<string, MediaContent["kind"]> = new Map([
  ["m.image", "image"],
  ["m.video", "video"],
  ["m.audio", "audio"],
  ["m.file", "file"],
]);

/** What kind of file a `msgtype` is for; `undefined` where it is for none. */
export function mediaKindOf(msgtype: string, content: JsonRecord): MediaContent["kind"] | undefined {
  const isVoice =
    msgtype === "m.audio" && (isRecord(content["org.matrix.msc3245.voice"]) || isRecord(content["m.voice"]));
  return isVoice ? "voice" : kinds.get(msgtype);
}

/** Reads a file; `undefined` where it has no address on Matrix, for instance because it is encrypted. */
export function mediaOf(
  kind: MediaContent["kind"],
  content: JsonRecord,
  options: TextOptions,
): MediaContent | undefined {
  const uri = content.url;
  if (!isContentUri(uri)) return undefined;
  const info = recordIn(content, "info");
  const body = stringIn(content, "body");
  const filename = stringIn(content, "filename");
  // Specification v1.10: with a file name of its own the body is a caption.
  const isCaptioned = kind !== "sticker" && filename !== undefined && body !== undefined && body !== filename;
  const caption = isCaptioned ? textOf(content, options) : undefined;
  const mimeType = mimeTypeOf(info);
  return {
    type: "media",
    kind,
    name: fileNameOf(filename ?? body ?? "", kind),
    source: { from: "matrix", uri },
    ...(mimeType === undefined ? {} : { mimeType }),
    ...numbersOf(info),
    ...(caption === undefined || caption.blocks.length === 0 ? {} : { caption }),
  };
}

function mimeTypeOf(info: JsonRecord): string | undefined {
  const type = stringIn(info, "mimetype")?.trim().toLowerCase();
  return type !== undefined && /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/.test(type) ? type : undefined;
}

function numbersOf(info: JsonRecord): Pick<MediaContent, "size" | "width" | "height" | "durationMs"> {
  const size = wholeIn(info, "size");
  const width = wholeIn(info, "w");
  const height = wholeIn(info, "h");
  const durationMs = wholeIn(info, "duration");
  return {
    ...(size === undefined ? {} : { size }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

/** A file name without a path, of one line and at most 200 bytes; the kind of file where nothing is left of it. */
export function fileNameOf(name: string, kind: MediaContent["kind"]): string {
  const last = cleanText(name)
    .replace(/[\t\n]+/g, " ")
    .split(/[/\\]/)
    .at(-1);
  const trimmed = (last ?? "").trim();
  return /^\.*$/.test(trimmed) ? kind : truncate(trimmed, 200);
}
