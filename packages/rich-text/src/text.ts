/**
 * Makes text safe for every network: no control character but tab and newline, no lone surrogate (it becomes U+FFFD),
 * no noncharacter. `\r\n` and `\r` become `\n`.
 */
export function cleanText(text: string): string {
  if (!/[^\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/.test(text)) return text;
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[^\t\n\x20-\x7e\u00a0-\ufffd]/g, "");
}

/** Text for one line and one place, such as a name or an attribute: cleaned, white space collapsed and trimmed. */
export function cleanLabel(text: string): string {
  return cleanText(text)
    .replace(/[\s\u00a0]+/g, " ")
    .trim();
}

/** The length of a text in UTF-8 bytes; a lone surrogate counts 3. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** The text without the characters at its end that `of` holds. (A regular expression would take quadratic time.) */
export function trimEndOf(text: string, of: string): string {
  let end = text.length;
  while (end > 0 && of.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for HTML, in text and in quoted attribute values alike. */
export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => escapes[character] ?? "") : text;
}
