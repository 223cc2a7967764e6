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
      const text = this.#fallback.decode(line);
      return this.#fallback.encoding === "windows-1252" ? text.replace(/[\x80-\x9f]/g, windows1252) : text;
    }
  }
}

/** What 0x80 to 0x9f are in windows-1252; Node.js before 24 reads them as control characters. */
const HIGH = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

function windows1252(character: string): string {
  return HIGH.charAt(character.charCodeAt(0) - 0x80);
}
