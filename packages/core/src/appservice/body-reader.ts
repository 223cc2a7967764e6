import type { IncomingMessage } from "node:http";

export type ReadBody =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly tooLarge: boolean };

/** Reads a request body of at most `limit` bytes. A client that hangs up reads as not ok. */
export function readBody(request: IncomingMessage, limit: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    if (Number(request.headers["content-length"] ?? 0) > limit) {
      request.resume();
      resolve({ ok: false, tooLarge: true });
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        chunks.length = 0;
        resolve({ ok: false, tooLarge: true });
      } else {
        chunks.push(chunk);
      }
    });
    request.on("end", () => {
      if (size <= limit)
        resolve({ ok: true, text: (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString("utf8") ?? "" });
    });
    request.on("error", () => resolve({ ok: false, tooLarge: false }));
    request.on("close", () => resolve({ ok: false, tooLarge: false }));
  });
}
