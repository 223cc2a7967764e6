import { TextDecoder } from "node:util";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes lines as UTF-8, and those that are not UTF-8 in the fallback encoding. */
export class LineDecoder {
  readonly #fallback: TextDecoder;

  /** `fallback` is a label of the WHATWG Encoding Standard, e.g. `windows-1252`; throws a `RangeError` on another. */
  constructor(fallback: string) {
    this.#fallback = new TextDecoder(fallback);
  }

  decode(line: Buffer): string {
    try {
      return utf8.decode(line);
    } catch {
      return this.#fallback.decode(line);
    }
  }
}
