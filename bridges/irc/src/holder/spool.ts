import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { errorCode } from "./error-code.js";
import { unpackSpool, packSpool, type Spool } from "./spool-format.js";
import { removeIfThere } from "./lock.js";

/**
 * Where a holder that ends leaves what no bridge has acknowledged: the next holder gives it to the bridge as connections that
 * are closed.
 */
export class SpoolFile {
  constructor(private readonly path: string) {}

  /** `undefined` where there is none. One that cannot be read is set aside and said on standard error. */
  read(): Spool | undefined {
    try {
      return unpackSpool(readFileSync(this.path));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      process.stderr.write(`${this.path} cannot be read and is set aside: ${String(error)}\n`);
      renameSync(this.path, `${this.path}.unreadable`);
      return undefined;
    }
  }

  write(spool: Spool): void {
    const temporary = `${this.path}.new`;
    const file = openSync(temporary, "w", 0o600);
    try {
      const bytes = packSpool(spool);
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.path);
  }

  remove(): void {
    removeIfThere(this.path);
  }
}
