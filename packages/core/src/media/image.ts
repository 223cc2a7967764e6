export interface ImageSize {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
}

const signatures: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ["image/png", 0, "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF87a"],
  ["image/gif", 0, "GIF89a"],
  ["image/webp", 8, "WEBP"],
  ["image/avif", 4, "ftypavif"],
  ["application/pdf", 0, "%PDF-"],
  ["audio/ogg", 0, "OggS"],
  ["audio/flac", 0, "fLaC"],
  ["audio/mpeg", 0, "ID3"],
  ["audio/wav", 8, "WAVE"],
  ["video/webm", 0, "\x1a\x45\xdf\xa3"],
  ["video/mp4", 4, "ftyp"],
];

/** Types of which the first bytes decide: a file that only claims to be one of them is none. */
const decidable: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/**
 * The MIME type of a file by its first bytes and by what was declared. The bytes decide on common images; elsewhere a
 * declared type is believed if it is a type at all, and guessed where none was declared.
 */
export function mediaType(head: Buffer, ...declared: readonly (string | undefined)[]): string {
  const seen = sniff(head);
  if (seen !== undefined && decidable.has(seen)) return seen;
  const claimed = declared.map(essence).find((type) => type !== undefined && type !== "application/octet-stream");
  if (claimed === undefined) return seen ?? "application/octet-stream";
  return decidable.has(claimed) ? (seen ?? "application/octet-stream") : claimed;
}

function sniff(head: Buffer): string | undefined {
  const text = head.toString("latin1", 0, 32);
  return signatures.find(([, offset, bytes]) => text.startsWith(bytes, offset))?.[0];
}

/** The type without its parameters; `undefined` where it is no type (RFC 6838 §4.2). */
function essence(declared: string | undefined): string | undefined {
  const type = (declared?.split(";", 1)[0] ?? "").trim().toLowerCase();
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(type) ? type : undefined;
}

/** The size of an image by its header; `undefined` where `head` holds too little of it, or nonsense. */
export function imageSize(head: Buffer, type: string): ImageSize | undefined {
  const size = readSize(head, type);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function readSize(head: Buffer, type: string): ImageSize | undefined {
  switch (type) {
    case "image/png":
      if (head.length < 24 || head.toString("latin1", 12, 16) !== "IHDR") return undefined;
      return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
    case "image/gif":
      return head.length < 10 ? undefined : { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
    case "image/webp":
      return webpSize(head);
    case "image/jpeg":
      return jpegSize(head);
    default:
      return undefined;
  }
}

/** The three forms of WebP: extended, lossless (RFC 9649 §3.4), lossy (RFC 6386 §9.1). */
function webpSize(head: Buffer): ImageSize | undefined {
  if (head.length < 30) return undefined;
  switch (head.toString("latin1", 12, 16)) {
    case "VP8X":
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    case "VP8L": {
      const bits = head.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8 ":
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    default:
      return undefined;
  }
}

/** Walks the segments of a JPEG to its start of frame (ITU T.81 §B.2.2); turned as its Exif orientation says. */
function jpegSize(head: Buffer): ImageSize | undefined {
  let turned = false;
  let position = 2;
  while (position + 9 < head.length) {
    if (head[position] !== 0xff) return undefined;
    const marker = head[position + 1] ?? 0;
    if (marker === 0xff) {
      position += 1;
      continue;
    }
    const length = head.readUInt16BE(position + 2);
    if (marker === 0xe1) turned ||= isTurned(head.subarray(position + 4, position + 2 + length));
    if (isStartOfFrame(marker)) {
      const [height, width] = [head.readUInt16BE(position + 5), head.readUInt16BE(position + 7)];
      return turned ? { width: height, height: width } : { width, height };
    }
    position += 2 + length;
  }
  return undefined;
}

function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Whether the Exif orientation (tag 0x0112) turns the picture by a quarter: its values 5 to 8. */
function isTurned(segment: Buffer): boolean {
  if (segment.length < 16 || segment.toString("latin1", 0, 6) !== "Exif\0\0") return false;
  const tiff = segment.subarray(6);
  const little = tiff.toString("latin1", 0, 2) === "II";
  const u16 = (at: number): number =>
    at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = Math.min(u16(directory), 100);
  for (let entry = 0; entry < entries; entry += 1) {
    const at = directory + 2 + entry * 12;
    if (u16(at) === 0x0112) return u16(at + 8) >= 5 && u16(at + 8) <= 8;
  }
  return false;
}
