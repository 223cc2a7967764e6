/** Writes the fields of one frame. Numbers are big-endian; strings and bytes carry their length before them. */
export class Packer {
  readonly #pieces: Buffer[] = [];

  u8(value: number): this {
    this.#pieces.push(Buffer.of(value));
    return this;
  }

  u32(value: number): this {
    const piece = Buffer.allocUnsafe(4);
    piece.writeUInt32BE(value);
    this.#pieces.push(piece);
    return this;
  }

  /** A whole number up to 2^53. */
  u53(value: number): this {
    const piece = Buffer.allocUnsafe(8);
    piece.writeDoubleBE(value);
    this.#pieces.push(piece);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  bytes(value: Buffer): this {
    this.u32(value.length);
    this.#pieces.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, "utf8"));
  }

  optionalText(value: string | undefined): this {
    this.bool(value !== undefined);
    return value === undefined ? this : this.text(value);
  }

  list<T>(values: readonly T[], write: (packer: Packer, value: T) => void): this {
    this.u32(values.length);
    for (const value of values) write(this, value);
    return this;
  }

  /** The fields alone. */
  bare(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** The frame with its length before it. */
  frame(): Buffer {
    const length = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32BE(length);
    return Buffer.concat([head, ...this.#pieces], length + 4);
  }
}

/** Reads the fields of one frame; every method throws where the frame ends too early. */
export class Unpacker {
  #at = 0;
  constructor(private readonly frame: Buffer) {}

  u8(): number {
    return this.#take(1).readUInt8();
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  u53(): number {
    const value = this.#take(8).readDoubleBE();
    if (!Number.isSafeInteger(value) || value < 0) throw new FrameError("a number in a frame is not a whole number");
    return value;
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  bytes(): Buffer {
    return this.#take(this.u32());
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  optionalText(): string | undefined {
    return this.bool() ? this.text() : undefined;
  }

  list<T>(read: (unpacker: Unpacker) => T): T[] {
    const length = this.u32();
    if (length > this.frame.length) throw new FrameError("a list in a frame is longer than the frame");
    return Array.from({ length }, () => read(this));
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.frame.length) throw new FrameError("a frame ends too early");
    const piece = this.frame.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }
}

export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Cuts a stream of bytes into frames of at most `limit` bytes. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  constructor(private readonly limit: number) {}

  /** Takes what arrived and returns the frames that are complete now. Throws a `FrameError` on one that is too long. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[] = [];
    for (;;) {
      const length = this.#peekLength();
      if (length === undefined || this.#size < length + 4) return frames;
      const all =
        this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#size);
      frames.push(all.subarray(4, length + 4));
      const rest = all.subarray(length + 4);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
    }
  }

  #peekLength(): number | undefined {
    if (this.#size < 4) return undefined;
    let first = this.#chunks[0];
    if (!first || first.length < 4) {
      first = Buffer.concat(this.#chunks, this.#size);
      this.#chunks = [first];
    }
    const length = first.readUInt32BE();
    if (length > this.limit) throw new FrameError(`a frame of ${length} bytes exceeds the limit of ${this.limit}`);
    return length;
  }
}
