/** What a browser shows by itself without running anything that is in it. */
const inlineTypes: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/apng",
  "image/bmp",
  "image/jxl",
  "audio/mpeg",
  "audio/ogg",
  "audio/opus",
  "audio/wav",
  "audio/x-wav",
  "audio/wave",
  "audio/flac",
  "audio/x-flac",
  "audio/aac",
  "audio/mp4",
  "audio/webm",
  "video/mp4",
  "video/webm",
  "video/ogg",
  "video/quicktime",
]);

export interface ServedType {
  readonly contentType: string;
  readonly disposition: "inline" | "attachment";
}

/**
 * How a file of a declared type is served: shown where that is harmless, else as bytes to be saved. Types that can
 * carry scripts (HTML, SVG, XML, PDF) never reach a browser under their own name.
 */
export function servedType(declared: string): ServedType {
  const type = (declared.split(";", 1)[0] ?? "").trim().toLowerCase();
  if (type === "text/plain") return { contentType: "text/plain; charset=utf-8", disposition: "inline" };
  if (inlineTypes.has(type)) return { contentType: type, disposition: "inline" };
  return { contentType: "application/octet-stream", disposition: "attachment" };
}
