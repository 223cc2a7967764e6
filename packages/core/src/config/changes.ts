import { isDeepStrictEqual } from "node:util";
import type { ProblemPath } from "./problem.js";

/** The keys whose values differ, as deep as both sides have them. Values are never part of it: they may be secrets. */
export function changedKeys(before: unknown, after: unknown, at: ProblemPath = []): readonly ProblemPath[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const items: readonly unknown[] = before.length > after.length ? before : after;
    return items.flatMap((_, index) => changedKeys(before[index], after[index], [...at, index]));
  }
  if (!isPlain(before) || !isPlain(after)) return [at];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => changedKeys(before[key], after[key], [...at, key]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
