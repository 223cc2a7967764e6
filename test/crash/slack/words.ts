import type { Random } from "../../tools/random.js";
import { markOf } from "../ledger.js";
import { directionFrom, type Side } from "./book.js";

const words = [
  "girder",
  "beam",
  "span",
  "truss",
  "arch",
  "pier",
  "deck",
  "cable",
  "tower",
  "joint",
  "strut",
  "bearing",
];

/** A text that carries which message it is, and which of its versions. */
export function textOf(random: Random, side: Side, place: number, message: number, version: number): string {
  const some = Array.from({ length: random.between(1, 9) }, () => random.pick(words)).join(" ");
  return `${markOf(directionFrom(side), place, message, version)} ${some}`;
}

/** The number of a message, from its id. */
export function numberOf(id: string): number {
  return Number(id.slice(id.indexOf("-") + 1));
}
