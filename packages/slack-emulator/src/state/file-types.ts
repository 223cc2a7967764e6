const byExtension: Readonly<Record<string, readonly [mimetype: string, filetype: string]>> = {
  png: ["image/png", "png"],
  jpg: ["image/jpeg", "jpg"],
  jpeg: ["image/jpeg", "jpg"],
  gif: ["image/gif", "gif"],
  webp: ["image/webp", "webp"],
  svg: ["image/svg+xml", "svg"],
  mp4: ["video/mp4", "mp4"],
  webm: ["video/webm", "webm"],
  mov: ["video/quicktime", "mov"],
  mp3: ["audio/mpeg", "mp3"],
  m4a: ["audio/mp4", "m4a"],
  ogg: ["audio/ogg", "ogg"],
  wav: ["audio/wav", "wav"],
  pdf: ["application/pdf", "pdf"],
  zip: ["application/zip", "zip"],
  txt: ["text/plain", "text"],
  md: ["text/plain", "markdown"],
  json: ["application/json", "json"],
  csv: ["text/csv", "csv"],
};

/** What Slack takes a file for, by its name. */
export function typeOf(name: string): { readonly mimetype: string; readonly filetype: string } {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  const [mimetype, filetype] = byExtension[extension] ?? ["application/octet-stream", "binary"];
  return { mimetype, filetype };
}

/** The size of a PNG or GIF image, from its first bytes; undefined for everything else. */
export function imageSize(content: Buffer): { readonly width: number; readonly height: number } | undefined {
  if (content.length >= 24 && content.subarray(1, 4).toString("latin1") === "PNG")
    return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
  if (content.length >= 10 && content.subarray(0, 3).toString("latin1") === "GIF")
    return { width: content.readUInt16LE(6), height: content.readUInt16LE(8) };
  return undefined;
}
