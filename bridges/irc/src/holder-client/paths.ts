import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { errorCode } from "../holder/error-code.js";

/** Unix socket paths hold at most 107 bytes; the holder also binds `<path>.<pid>.stale`. */
const MAX_SOCKET_PATH = 107 - ".4194304.stale".length;

export interface HolderPaths {
  readonly directory: string;
  readonly socket: string;
  readonly token: string;
  /** What a holder leaves that no bridge has acknowledged. */
  readonly spool: string;
  readonly log: string;
}

/** Where the holder of one bridge has its files. A directory with a long name has its socket in the temporary directory. */
export function holderPaths(dataDirectory: string, bridge: string): HolderPaths {
  const directory = resolve(dataDirectory);
  const beside = join(directory, `irc-${bridge}.sock`);
  const hash = createHash("sha256").update(beside).digest("hex").slice(0, 24);
  const socket = Buffer.byteLength(beside) <= MAX_SOCKET_PATH ? beside : join(tmpdir(), `trestle-${hash}.sock`);
  return {
    directory,
    socket,
    token: join(directory, `irc-${bridge}.token`),
    spool: join(directory, `irc-${bridge}.spool`),
    log: join(directory, `irc-${bridge}.holder.log`),
  };
}

/** Reads the secret that bridge and holder share, or makes it at the first start. */
export function readOrMakeToken(paths: HolderPaths): string {
  mkdirSync(paths.directory, { recursive: true });
  try {
    writeFileSync(paths.token, `${randomBytes(32).toString("hex")}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  chmodSync(paths.token, 0o600);
  const token = readFileSync(paths.token, "utf8").trim();
  if (token.length < 32) throw new Error(`${paths.token} holds no usable secret; remove it and start again`);
  return token;
}
