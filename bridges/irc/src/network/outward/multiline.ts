import type { WirePart } from "./wire-part.js";

/** What a server takes as one message of several lines. IRCv3 multiline, the value of `draft/multiline`. */
export interface MultilineLimits {
  /** Of all lines together, in bytes. */
  readonly bytes: number;
  readonly lines: number;
}

const CAPABILITY = "draft/multiline=";
/** The specification leaves `max-lines` out where there is no limit. */
const NO_LIMIT = 1_000;

/** Reads the limits from the capability as the server offered it; `undefined` where it is not enabled. */
export function multilineLimitsOf(capabilities: ReadonlySet<string>): MultilineLimits | undefined {
  if (!["draft/multiline", "batch"].every((name) => capabilities.has(name))) return undefined;
  const offered = [...capabilities].find((each) => each.startsWith(CAPABILITY));
  const value = new Map(
    offered
      ?.slice(CAPABILITY.length)
      .split(",")
      .map((each) => pairOf(each)),
  );
  const bytes = Number(value.get("max-bytes"));
  const lines = Number(value.get("max-lines") ?? NO_LIMIT);
  return Number.isInteger(bytes) && bytes > 0 && Number.isInteger(lines) && lines > 1 ? { bytes, lines } : undefined;
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** A line of a message, as it fits on the wire. */
export interface Piece {
  readonly text: string;
  /** Cut off from the one before it for the wire alone. */
  readonly goesOn: boolean;
}

/** Makes parts of lines: as many in one as the server takes together, each in one of its own where it takes none. */
export function together(
  pieces: readonly Piece[],
  style: WirePart["style"],
  limits: MultilineLimits | undefined,
): WirePart[] {
  // An action is one line: CTCP frames each by itself.
  if (!limits || style === "emote") return pieces.map(({ text }) => ({ style, text }));
  const parts: Piece[][] = [];
  let bytes = 0;
  for (const piece of pieces) {
    const last = parts.at(-1);
    const size = Buffer.byteLength(piece.text) + 1;
    if (last && last.length < limits.lines && bytes + size <= limits.bytes) {
      last.push(piece);
      bytes += size;
    } else {
      parts.push([piece]);
      bytes = size;
    }
  }
  return parts.map((part) => {
    const goesOn = part.flatMap((piece, index) => (piece.goesOn && index > 0 ? [index] : []));
    return { style, text: part.map(({ text }) => text).join("\n"), ...(goesOn.length > 0 && { goesOn }) };
  });
}
