import type { Random } from "../../tools/random.js";
import { findMarks, markOf } from "../ledger.js";
import { someWords } from "../words.js";
import { directionFrom, directions, type Side } from "./book.js";

/** A text that carries which message it is, and which of its versions. */
export function textOf(random: Random, side: Side, place: number, message: number, version: number): string {
  return `${markOf(directionFrom(side), place, message, version)} ${someWords(random)}`;
}

/** `m3-17.2` of a text: which message it is and which of its versions. */
export interface Mark {
  readonly unit: string;
  /** `m3-17` */
  readonly id: string;
  readonly version: number;
  readonly side: Side;
}

/** The mark that a text carries. */
export function markIn(text: string): Mark | undefined {
  const [unit] = directions.flatMap((direction) => findMarks(direction, text));
  if (unit === undefined) return undefined;
  const [id = "", version] = unit.split(".");
  return { unit, id, version: Number(version), side: unit.startsWith("m") ? "matrix" : "xmpp" };
}
