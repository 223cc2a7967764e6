import type { Random } from "../../tools/random.js";
import { markOf } from "../ledger.js";
import { someWords } from "../words.js";
import { directionFrom, type Side } from "./book.js";

/** A text that carries which message it is, and which of its versions. */
export function textOf(random: Random, side: Side, place: number, message: number, version: number): string {
  return `${markOf(directionFrom(side), place, message, version)} ${someWords(random)}`;
}

/** The number of a message, from its id. */
export function numberOf(id: string): number {
  return Number(id.slice(id.indexOf("-") + 1));
}
