import { pipeline, type Readable, Transform } from "node:stream";

/** Why a file is not passed on. */
export function tooLarge(maxBytes: number): string {
  return `it is larger than ${maxBytes} bytes`;
}

/** A stream turned out larger than it may be. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
  constructor(maxBytes: number) {
    super(tooLarge(maxBytes));
  }
}

/** The same bytes, with an error instead of the first one beyond `maxBytes`. Destroying either stream destroys both. */
export function limitBytes(source: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > maxBytes) callback(new TooLargeError(maxBytes));
      else callback(null, chunk);
    },
  });
  // An error is the reader's to see; one that comes before there is a reader must not end the process.
  limit.on("error", () => undefined);
  pipeline(source, limit, () => undefined);
  return limit;
}
