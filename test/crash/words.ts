import type { Random } from "../tools/random.js";

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

/** What people say. */
export function someWords(random: Random): string {
  return Array.from({ length: random.between(1, 9) }, () => random.pick(words)).join(" ");
}
