/** The longest line that is accepted: 8191 bytes of tags and 512 of message, with room for servers with a larger LINELEN. */
export const MAX_LINE_BYTES = 16 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/** Cuts a stream of bytes into lines, without their ends; empty lines are dropped. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restSize = 0;

  /** Returns the lines that are complete now, or `undefined` where a line is too long. */
  push(chunk: Buffer): Buffer[] | undefined {
    const lines: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end === -1) break;
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > MAX_LINE_BYTES) return undefined;
      if (line.length > 0) lines.push(line);
    }
    if (start < chunk.length) {
      this.#rest.push(Buffer.from(chunk.subarray(start)));
      this.#restSize += chunk.length - start;
      if (this.#restSize > MAX_LINE_BYTES) return undefined;
    }
    return lines;
  }

  /** A copy of its own, so that a kept line does not keep the whole chunk alive. */
  #complete(tail: Buffer): Buffer {
    const whole = this.#rest.length > 0 ? Buffer.concat([...this.#rest, tail]) : tail;
    this.#rest = [];
    this.#restSize = 0;
    const length = whole.at(-1) === CR ? whole.length - 1 : whole.length;
    return Buffer.from(whole.subarray(0, length));
  }
}
