import type { MediaContent } from "@trestle/core";
import type { SlackFile } from "../file.js";
import { given } from "../json.js";
import { decodeEntities } from "../message.js";

/** What can be done with a file of a message. */
export type FilePart = HostedFile | LinkedFile | UnfinishedFile | MissingFile;

/** Its bytes are with Slack: to be fetched with a token. */
export interface HostedFile {
  readonly kind: "hosted";
  readonly id?: string;
  readonly url: string;
  readonly media: MediaContent["kind"];
  readonly name: string;
  readonly mimeType?: string;
  /** In bytes. */
  readonly size?: number;
  /** In pixels. */
  readonly width?: number;
  /** In pixels. */
  readonly height?: number;
  readonly durationMs?: number;
  /** What stands for it where it is not seen. */
  readonly alt?: string;
  readonly permalink?: string;
}

/** It is elsewhere, or is a page of Slack: only a link can be shown. */
export interface LinkedFile {
  readonly kind: "link";
  readonly id?: string;
  readonly url: string;
  readonly name: string;
}

/** The event does not tell enough: ask `files.info`, and read its `file` again. */
export interface UnfinishedFile {
  readonly kind: "askFileInfo";
  readonly id: string;
  readonly reason: "check_file_info" | "no_mime_type" | "no_url";
}

/** It can not be had (any more). */
export interface MissingFile {
  readonly kind: "missing";
  readonly id?: string;
  readonly reason: "deleted" | "hidden_by_limit" | "no_access" | "not_told";
  /** For people, e.g. `file.png (deleted)`. */
  readonly text: string;
}

const missing = {
  tombstone: ["deleted", "deleted"],
  hidden_by_limit: ["hidden_by_limit", "hidden by the limit of the workspace's plan"],
} as const;

/**
 * What to do with a file. With `final` (what `files.info` has answered), nothing is to be asked any more: what is still
 * missing is guessed, or the file is missing.
 */
export function filePart(file: SlackFile, options: { readonly final?: boolean } = {}): FilePart {
  const name = fileName(file);
  const { id } = file;
  if (file.mode === "tombstone" || file.mode === "hidden_by_limit") {
    const [reason, words] = missing[file.mode];
    return given({ kind: "missing", id, reason, text: `${name} (${words})` } as const);
  }
  const toAsk = options.final === true || id === undefined ? undefined : unfinished(file);
  if (toAsk !== undefined && id !== undefined) return { kind: "askFileInfo", id, reason: toAsk };
  if (file.access === "access_denied" || file.access === "file_not_found") {
    return given({ kind: "missing", id, reason: "no_access", text: `${name} (no access)` } as const);
  }
  const page = file.mode === "post" || file.mode === "space" || file.mode === "canvas" || file.mode === "list";
  if (file.isExternal || file.mode === "external" || page) {
    const url = page ? (file.permalink ?? file.url) : (file.externalUrl ?? file.url ?? file.permalink);
    if (url !== undefined) return given({ kind: "link", id, url, name } as const);
  }
  if (file.url !== undefined) return hosted(file, file.url, name);
  if (file.permalink !== undefined) return given({ kind: "link", id, url: file.permalink, name } as const);
  return given({ kind: "missing", id, reason: "not_told", text: name } as const);
}

function unfinished(file: SlackFile): UnfinishedFile["reason"] | undefined {
  if (file.access === "check_file_info") return "check_file_info";
  const isExternal = file.isExternal || file.mode === "external";
  if (file.url === undefined && file.permalink === undefined) return "no_url";
  if (!isExternal && file.mode === "hosted" && file.mimeType === undefined) return "no_mime_type";
  return undefined;
}

function hosted(file: SlackFile, url: string, name: string): HostedFile {
  const { id, size, width, height, durationMs, permalink } = file;
  const mimeType = file.mode === "snippet" ? "text/plain" : file.mimeType;
  const media = mediaOf(file, mimeType);
  const alt = file.alt === undefined ? undefined : decodeEntities(file.alt);
  return given({
    kind: "hosted",
    id,
    url,
    media,
    name,
    mimeType,
    size,
    width,
    height,
    durationMs,
    alt,
    permalink,
  } as const);
}

function mediaOf(file: SlackFile, mimeType: string | undefined): MediaContent["kind"] {
  if (file.media === "slack_audio") return "voice";
  const [type] = (mimeType ?? "").split("/", 1);
  if (type === "image" && mimeType !== "image/svg+xml") return "image";
  return type === "video" || type === "audio" ? type : "file";
}

/** A file name without a path: the name, else the title with the type as its ending. */
function fileName(file: SlackFile): string {
  const given = file.name ?? file.title ?? "";
  const base = decodeEntities(given)
    .replace(/[\p{Cc}\p{Surrogate}\p{Bidi_Control}]/gu, "")
    .split(/[/\\]/)
    .at(-1)
    ?.trim();
  if (base !== undefined && base !== "" && base !== "." && base !== "..") return base.slice(0, 200);
  return file.type !== undefined && /^[a-z0-9]{1,10}$/.test(file.type) ? `file.${file.type}` : "file";
}
