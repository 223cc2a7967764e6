import { flagIn, given, numberIn, numericIn, textIn, type JsonRecord } from "./json.js";

/** A file of a message, as far as its fields are of the type they should be. */
export interface SlackFile {
  readonly id?: string;
  /** `hosted`, `external`, `snippet`, `post`, `canvas`, `hidden_by_limit`, `tombstone`, … */
  readonly mode?: string;
  /** `check_file_info`: the file is of another workspace, and only `files.info` tells the rest. */
  readonly access?: string;
  readonly name?: string;
  readonly title?: string;
  readonly mimeType?: string;
  /** Slack's own type, e.g. `png` or `text`. */
  readonly type?: string;
  /** In bytes. */
  readonly size?: number;
  /** In pixels. */
  readonly width?: number;
  /** In pixels. */
  readonly height?: number;
  readonly durationMs?: number;
  /** What a person sees instead of a picture. */
  readonly alt?: string;
  /** `slack_audio` for a recorded voice message, `slack_video` for a recorded clip. */
  readonly media?: string;
  /** Where the bytes are, for who has a token. */
  readonly url?: string;
  /** The page of the file in Slack. */
  readonly permalink?: string;
  /** Where a file that is not with Slack is. */
  readonly externalUrl?: string;
  readonly isExternal: boolean;
  readonly user?: string;
}

/** Reads a file. */
export function readFile(file: JsonRecord): SlackFile {
  return given({
    id: textIn(file, "id"),
    mode: textIn(file, "mode"),
    access: textIn(file, "file_access"),
    name: textIn(file, "name"),
    title: textIn(file, "title"),
    mimeType: textIn(file, "mimetype"),
    type: textIn(file, "filetype"),
    size: numberIn(file, "size"),
    width: numericIn(file, "original_w"),
    height: numericIn(file, "original_h"),
    durationMs: numberIn(file, "duration_ms"),
    alt: textIn(file, "alt_txt"),
    media: textIn(file, "subtype") ?? textIn(file, "media_display_type"),
    url: textIn(file, "url_private_download") ?? textIn(file, "url_private"),
    permalink: textIn(file, "permalink"),
    externalUrl: textIn(file, "external_url"),
    isExternal: flagIn(file, "is_external"),
    user: textIn(file, "user"),
  });
}
