/// <reference lib="es2024.string" />
const maxEncoded = 90;

/**
 * A file name that is safe in a link, in a header and on any disk: no path, no control or formatting characters (which
 * can make `txt.exe` look like `exe.txt`), at most 90 bytes when percent-encoded, the extension kept.
 */
export function safeFileName(name: string): string {
  const clean = name
    .toWellFormed()
    .normalize("NFC")
    .replace(/^.*[/\\]/su, "")
    .replace(/[\p{C}\p{Zl}\p{Zp}"*:<>?|%#&;`$'\ufffd]/gu, "_")
    .replace(/\s+/gu, " ")
    .replace(/^[. ]+|[. ]+$/gu, "");
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(clean)?.[0] ?? "";
  const stem = clean.slice(0, clean.length - extension.length);
  return shorten(stem === "" ? "file" : stem, maxEncoded - extension.length) + extension;
}

function shorten(text: string, maxBytes: number): string {
  let short = "";
  let bytes = 0;
  for (const character of text) {
    bytes += encodeURIComponent(character).length;
    if (bytes > maxBytes) return short;
    short += character;
  }
  return short;
}

/** A `Content-Disposition` header for a file name of any characters (RFC 6266, with the encoding of RFC 8187). */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/gu, "_").replace(/["\\]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*!]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return ascii === name ? `${kind}; filename="${ascii}"` : `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
