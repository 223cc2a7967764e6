import type { RichText } from "@trestle/rich-text";
import type { ContentUri } from "./ids.js";

/** What a message says, on either side. Plain JSON: it is journaled as it is. */
export type Content = TextContent | MediaContent | LocationContent;

/** A text message. */
export interface TextContent {
  readonly type: "text";
  /** `notice` is automated text that bots must not answer; `emote` is an action ("/me waves"). */
  readonly style: "text" | "notice" | "emote";
  readonly body: RichText;
}

/** A file with what is known of it. */
export interface MediaContent {
  readonly type: "media";
  readonly kind: "image" | "video" | "audio" | "voice" | "file" | "sticker";
  /** A file name without a path. */
  readonly name: string;
  readonly source: MediaSource;
  readonly mimeType?: string;
  /** In bytes. */
  readonly size?: number;
  /** In pixels. */
  readonly width?: number;
  /** In pixels. */
  readonly height?: number;
  readonly durationMs?: number;
  readonly caption?: RichText;
}

/**
 * Where the bytes are. From Matrix: `matrix`, with a signed public `url` where the media proxy is on. From a network:
 * `url`, which the core fetches with a guard against private addresses, or `remote`, which the core opens through the
 * connector's `openMedia`.
 */
export type MediaSource =
  | { readonly from: "matrix"; readonly uri: ContentUri; readonly url?: string }
  | { readonly from: "url"; readonly url: string }
  | { readonly from: "remote"; readonly reference: string };

/** A place on the earth. */
export interface LocationContent {
  readonly type: "location";
  /** In degrees, -90 to 90. */
  readonly latitude: number;
  /** In degrees, -180 to 180. */
  readonly longitude: number;
  readonly description?: string;
}
