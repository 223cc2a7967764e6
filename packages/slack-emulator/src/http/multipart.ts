/**
 * The content of the first file in a multipart body (RFC 7578), under whatever field name: what upload URLs get from
 * clients that send forms. Undefined when there is none.
 */
export function firstFile(body: Buffer, contentType: string): Buffer | undefined {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  if (boundary === null) return undefined;
  const delimiter = Buffer.from(`\r\n--${boundary[1] ?? boundary[2] ?? ""}`);
  // The first delimiter has no line before it.
  const text = Buffer.concat([Buffer.from("\r\n"), body]);
  for (let start = text.indexOf(delimiter); start >= 0;) {
    const end = text.indexOf(delimiter, start + delimiter.length);
    if (end < 0) return undefined;
    const part = text.subarray(start + delimiter.length + 2, end);
    const head = part.indexOf("\r\n\r\n");
    if (head >= 0 && /;\s*filename\*?=/i.test(part.subarray(0, head).toString("latin1")))
      return part.subarray(head + 4);
    start = end;
  }
  return undefined;
}
