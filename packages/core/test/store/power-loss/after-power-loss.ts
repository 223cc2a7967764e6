import { dirname } from "node:path";
import type { FileCall } from "./strace.js";

/** A disk writes sectors, in any order. */
const sector = 512;

/**
 * What a file has after the power failed just before the call number `at`: all that was synced, and of everything else
 * whatever the disk had come to. `undefined` where nobody knows that there is such a file.
 */
export function fileAfterPowerLoss(
  calls: readonly FileCall[],
  at: number,
  path: string,
  before: Buffer | undefined,
  chance: () => boolean,
): Buffer | undefined {
  const safeUpTo = syncedUpTo(calls, at, path);
  const entryUpTo = syncedUpTo(calls, at, dirname(path));
  let content = before && new Content(before);
  for (const [index, call] of calls.slice(0, at).entries()) {
    if (!("path" in call) || call.path !== path || call.call === "synced") continue;
    const isSafe = index < safeUpTo;
    if (call.call === "create") {
      if (!content && (index < entryUpTo || chance())) content = new Content(Buffer.alloc(0));
    } else if (content && call.call === "truncate") {
      if (isSafe || chance()) content.resize(call.length);
    } else if (content && call.call === "write") {
      for (let from = 0; from < call.data.length; from += sector)
        if (isSafe || chance()) content.put(call.at + from, call.data.subarray(from, from + sector));
    }
  }
  return content?.bytes();
}

/** Before which call everything that was done to a file, or in a directory, is on the disk. */
function syncedUpTo(calls: readonly FileCall[], at: number, path: string): number {
  return calls
    .slice(0, at)
    .reduce((most, call) => (call.call === "synced" && call.path === path ? Math.max(most, call.began) : most), 0);
}

/** The bytes of a file that grows. */
class Content {
  #bytes: Buffer;
  #length: number;

  constructor(bytes: Buffer) {
    this.#bytes = Buffer.from(bytes);
    this.#length = bytes.length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  put(at: number, data: Buffer): void {
    if (at + data.length > this.#length) this.resize(at + data.length);
    data.copy(this.#bytes, at);
  }

  resize(length: number): void {
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * length);
      this.bytes().copy(larger);
      this.#bytes = larger;
    } else this.#bytes.fill(0, Math.min(length, this.#length));
    this.#length = length;
  }
}
