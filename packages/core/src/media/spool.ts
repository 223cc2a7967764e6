import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Bytes that are ready to be uploaded: their number is known. */
export interface Prepared {
  /** The first bytes, at least 1 MiB where there are that many. */
  readonly head: Buffer;
  readonly size: number;
  /** Everything, the head included. */
  readonly data: Buffer | Readable;
  /** Why `data` ended early, where that was its source's fault and not that of who read it. */
  sourceFailure(): Error | undefined;
  /** Removes what was kept on disk. */
  dispose(): Promise<void>;
}

const memoryBytes = 1024 * 1024;

/**
 * Makes an upload out of a stream: small ones in memory, so that they can be repeated; large ones of a known size as
 * they come; large ones of an unknown size by way of a file, because homeservers insist on a length.
 */
export async function prepareUpload(
  source: Readable,
  size: number | undefined,
  spoolDirectory: string,
): Promise<Prepared> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const iterator = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  while (bytes < memoryBytes) {
    const next = await iterator.next();
    if (next.done === true) return inMemory(Buffer.concat(chunks));
    chunks.push(next.value);
    bytes += next.value.length;
  }
  const tail = new Tail(Buffer.concat(chunks), iterator, size);
  const data = Readable.from(tail.read(), { objectMode: false });
  data.once("close", () => source.destroy());
  // An error is the reader's to see; one that comes before there is a reader must not end the process.
  data.on("error", () => undefined);
  if (size === undefined) return spool(data, tail.head, spoolDirectory);
  return { head: tail.head, size, data, sourceFailure: () => tail.failure, dispose: nothing };
}

function inMemory(data: Buffer): Prepared {
  return { head: data, size: data.length, data, sourceFailure: () => undefined, dispose: nothing };
}

/** The head that was read already, then what follows; checked against the declared size, which goes out as the length. */
class Tail {
  failure: Error | undefined;

  constructor(
    readonly head: Buffer,
    private readonly rest: AsyncIterator<Uint8Array>,
    private readonly declared: number | undefined,
  ) {}

  async *read(): AsyncGenerator<Uint8Array> {
    yield this.head;
    let bytes = this.head.length;
    for (let next = await this.#next(); next.done !== true; next = await this.#next()) {
      bytes += next.value.length;
      yield next.value;
    }
    if (this.declared !== undefined && bytes !== this.declared) {
      this.failure = new Error(`the file has ${bytes} bytes, where ${this.declared} were announced`);
      throw this.failure;
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.rest.next();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

async function spool(all: Readable, head: Buffer, directory: string): Promise<Prepared> {
  const path = join(directory, `upload-${randomUUID()}`);
  const dispose = (): Promise<void> => rm(path, { force: true });
  try {
    const file = createWriteStream(path, { flags: "wx", mode: 0o600 });
    await pipeline(all, file);
    const data = createReadStream(path);
    data.on("error", () => undefined);
    return { head, size: file.bytesWritten, data, sourceFailure: () => undefined, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function nothing(): Promise<void> {
  // There is no file.
}
