/**
 * Text as XML 1.0 can hold it (its production `Char`): what no document may hold is left out, a lone surrogate becomes
 * U+FFFD, and `\r\n` and `\r` become `\n`, as every parser makes of them. A server ends the stream of a component that
 * sends anything else.
 */
export function cleanXml(text: string): string {
  if (!/[^\t\n\x20-\ud7ff\ue000-\ufffd]/.test(text)) return text;
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
}

/** Text for one line, such as a nick or a file name: clean, white space collapsed and trimmed. */
export function cleanXmlLine(text: string): string {
  return cleanXml(text).replace(/\s+/g, " ").trim();
}
