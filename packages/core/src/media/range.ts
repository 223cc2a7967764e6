import { Readable } from "node:stream";

/** One range as asked for: from a byte on, or the last bytes. */
export type AskedRange = { readonly first: number; readonly last?: number } | { readonly suffix: number };

/** A part of a file, both ends included. */
export interface ByteSpan {
  readonly first: number;
  readonly last: number;
}

/** Reads a `Range` header (RFC 9110 §14.2). `undefined` for what may be ignored: none, several ranges, another unit, nonsense. */
export function parseRange(header: string | undefined): AskedRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replace(/\s/g, "") ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "") return last === "" ? undefined : { suffix: Number(last) };
  if (last === "") return { first: Number(first) };
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) };
}

/** What of a file of `size` bytes is meant; `null` where there is nothing in it (416). */
export function spanOf(asked: AskedRange, size: number): ByteSpan | null {
  const first = "suffix" in asked ? Math.max(0, size - asked.suffix) : asked.first;
  const last = "suffix" in asked ? size - 1 : Math.min(asked.last ?? size - 1, size - 1);
  return first > last || first >= size ? null : { first, last };
}

/** The span of a `Content-Range` header that answers a range. */
export function parseContentRange(header: string | undefined): (ByteSpan & { readonly size: string }) | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? "");
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  const span = { first: Number(match[1]), last: Number(match[2]), size: match[3] };
  return span.first <= span.last ? span : undefined;
}

/** Only the bytes of the span; the source is destroyed as soon as they are through. */
export function sliceStream(source: Readable, span: ByteSpan): Readable {
  const slice = Readable.from(sliced(source, span), { objectMode: false });
  // An error is the reader's to see; one that comes before there is a reader must not end the process.
  slice.on("error", () => undefined);
  slice.once("close", () => source.destroy());
  return slice;
}

async function* sliced(source: Readable, { first, last }: ByteSpan): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    const start = Math.max(0, first - position);
    const end = Math.min(chunk.length, last + 1 - position);
    position += chunk.length;
    if (end > start) yield chunk.subarray(start, end);
    if (position > last) return;
  }
}
