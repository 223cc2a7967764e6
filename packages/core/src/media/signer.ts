import { createHmac, timingSafeEqual } from "node:crypto";
import { ContentUri, EventId, RoomId } from "../connector/ids.js";

/** What a media link permits: to read one file, for the sake of one event, until a time. */
export interface MediaGrant {
  readonly uri: ContentUri;
  readonly room: RoomId;
  readonly event: EventId;
  /** In milliseconds since 1970, whole seconds. */
  readonly expiresAt: number;
}

/** The first byte of a token: how the event id in it is written. */
const form = { hash: 1, text: 2 } as const;
const macBytes = 16;
const headerBytes = 5;

/**
 * Makes and checks the tokens of media links. A token is the grant in a compact binary form and HMAC-SHA-256-128
 * (RFC 4868 §2.3) over it and the file name, base64url; links must fit into a line of IRC.
 */
export class MediaSigner {
  constructor(private readonly secret: Uint8Array) {
    if (secret.length < 32) throw new RangeError("the secret of media links must have at least 32 bytes");
  }

  sign(grant: MediaGrant, fileName: string): string {
    const payload = encode(grant);
    return Buffer.concat([payload, this.#mac(payload, fileName)]).toString("base64url");
  }

  /** The grant of a token that this secret made for this file name, expired or not; `undefined` for any other text. */
  verify(token: string, fileName: string): MediaGrant | undefined {
    const bytes = Buffer.from(token, "base64url");
    // The decoder overlooks what is not base64url; a token has one spelling only.
    if (bytes.length <= headerBytes + macBytes || bytes.toString("base64url") !== token) return undefined;
    const payload = bytes.subarray(0, -macBytes);
    if (!timingSafeEqual(bytes.subarray(-macBytes), this.#mac(payload, fileName))) return undefined;
    return decode(payload);
  }

  #mac(payload: Uint8Array, fileName: string): Buffer {
    const name = Buffer.from(fileName, "utf8");
    const hmac = createHmac("sha256", this.secret).update("trestle media link\0");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(payload.length);
    return hmac.update(length).update(payload).update(name).digest().subarray(0, macBytes);
  }
}

/** The form, the expiry in seconds, then the three ids, the first two behind their lengths. */
function encode({ uri, room, event, expiresAt }: MediaGrant): Buffer {
  // The hash that event ids are since room version 4 takes 32 bytes instead of 44.
  const hash = Buffer.from(event.slice(1), "base64url");
  const isHash = hash.length === 32 && hashEventId(hash) === event;
  const head = Buffer.alloc(headerBytes);
  head.writeUInt8(isHash ? form.hash : form.text, 0);
  head.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, Math.floor(expiresAt / 1_000))), 1);
  return Buffer.concat([
    head,
    field(Buffer.from(uri.replace(/^mxc:\/\//, ""), "utf8")),
    field(Buffer.from(room, "utf8")),
    isHash ? hash : Buffer.from(event, "utf8"),
  ]);
}

function field(bytes: Buffer): Buffer {
  if (bytes.length > 0xffff) throw new RangeError("an identifier in a media link is longer than any identifier may be");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function decode(payload: Buffer): MediaGrant | undefined {
  const kind = payload.readUInt8(0);
  if (kind !== form.hash && kind !== form.text) return undefined;
  const expiresAt = payload.readUInt32BE(1) * 1_000;
  const uri = fieldAt(payload, headerBytes);
  const room = uri === undefined ? undefined : fieldAt(payload, uri.end);
  if (uri === undefined || room === undefined) return undefined;
  const rest = payload.subarray(room.end);
  const event = kind === form.hash ? hashEventId(rest) : rest.toString("utf8");
  return { uri: ContentUri(`mxc://${uri.text}`), room: RoomId(room.text), event: EventId(event), expiresAt };
}

function fieldAt(payload: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  if (payload.length < start + 2) return undefined;
  const end = start + 2 + payload.readUInt16BE(start);
  return end > payload.length ? undefined : { text: payload.toString("utf8", start + 2, end), end };
}

function hashEventId(hash: Buffer): string {
  return `$${hash.toString("base64url")}`;
}
