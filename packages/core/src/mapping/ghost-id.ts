import { createHash } from "node:crypto";
import { longestIdentifier } from "./identifiers.js";

export interface GhostLocalpart {
  readonly localpart: string;
  /** Whether `decodeGhostLocalpart` gives the remote id back. Otherwise it is a hash, and the caller must store whose. */
  readonly reversible: boolean;
}

/**
 * The localpart of the Matrix user that stands for a remote one. Two different remote ids never share one, whatever
 * they hold: upper and lower case, any script, nothing at all, lone surrogates.
 *
 * `a-z0-9._/+-` stand for themselves, every other UTF-8 byte is `=xx` (specification, appendix "Mapping from other
 * character sets", with a case-safe escape); a lone surrogate has the three bytes that UTF-8 would give it. The empty
 * id is `=.`. Where the whole user id would exceed 255 bytes, it is `==` and a hash: no escape begins like this.
 *
 * Throws a `RangeError` where prefix and server name leave no room for even that.
 */
export function encodeGhostLocalpart(prefix: string, remoteId: string, serverName: string): GhostLocalpart {
  const room = longestIdentifier - Buffer.byteLength(`@${prefix}:${serverName}`);
  const plain = escapeId(remoteId);
  if (plain.length <= room) return { localpart: prefix + plain, reversible: true };
  if (hashLength > room) {
    throw new RangeError(
      `User ids that begin with @${prefix} and end with :${serverName} exceed ${longestIdentifier} bytes. Choose a shorter user prefix in the registration.`,
    );
  }
  return { localpart: prefix + hash(remoteId), reversible: false };
}

/** Whom a localpart stands for; `{ hashed }` where only a stored mapping tells; `undefined` where it is none of ours. */
export function decodeGhostLocalpart(
  prefix: string,
  localpart: string,
): { readonly remoteId: string } | { readonly hashed: true } | undefined {
  if (!localpart.startsWith(prefix)) return undefined;
  const suffix = localpart.slice(prefix.length);
  if (/^==[0-9a-z]{50}$/.test(suffix)) return { hashed: true };
  const remoteId = unescapeId(suffix);
  // Only the one spelling that `escapeId` has stands for an id: no two users for one person.
  return remoteId !== undefined && escapeId(remoteId) === suffix ? { remoteId } : undefined;
}

const emptyId = "=.";
const hashLength = 52;

function hash(remoteId: string): string {
  const digest = createHash("sha256").update(bytesOf(remoteId)).digest("hex");
  return `==${BigInt(`0x${digest}`).toString(36).padStart(50, "0")}`;
}

function escapeId(remoteId: string): string {
  if (remoteId === "") return emptyId;
  if (/^[a-z0-9._/+-]+$/.test(remoteId)) return remoteId;
  let escaped = "";
  for (const byte of bytesOf(remoteId)) {
    const character = String.fromCharCode(byte);
    escaped += /[a-z0-9._/+-]/.test(character) ? character : `=${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

function unescapeId(suffix: string): string | undefined {
  if (suffix === emptyId) return "";
  if (!/^(?:[a-z0-9._/+-]|=[0-9a-f]{2})+$/.test(suffix)) return undefined;
  const bytes: number[] = [];
  for (let index = 0; index < suffix.length; index++) {
    if (suffix.charAt(index) !== "=") {
      bytes.push(suffix.charCodeAt(index));
    } else {
      bytes.push(Number.parseInt(suffix.slice(index + 1, index + 3), 16));
      index += 2;
    }
  }
  return textOf(bytes);
}

/** UTF-8, in which a lone surrogate is encoded like any other code point ("WTF-8"), so that no two texts share bytes. */
function bytesOf(text: string): Buffer {
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isLone = code >= 0xd800 && code <= 0xdfff;
    parts.push(
      isLone
        ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
        : Buffer.from(character, "utf8"),
    );
  }
  return Buffer.concat(parts);
}

/** The reverse of `bytesOf`. Ill-formed bytes give some text or other, which `escapeId` then does not give back. */
function textOf(bytes: readonly number[]): string | undefined {
  let text = "";
  for (let index = 0; index < bytes.length;) {
    const first = bytes[index] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let code = length === 1 ? first : first & (0xff >> (length + 1));
    for (let at = 1; at < length; at++) code = (code << 6) | ((bytes[index + at] ?? 0) & 0x3f);
    if (code > 0x10ffff) return undefined;
    text += String.fromCodePoint(code);
    index += length;
  }
  return text;
}
