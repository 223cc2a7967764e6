/** A value that JSON can carry. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  [key: string]: Json;
}

/** True for a plain JSON object (not null, not an array). Sound for whatever came out of `JSON.parse`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for an array of strings. */
export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

/** The string under `key`, or `undefined` where it is absent or of another type. */
export function stringField(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === "string" ? value : undefined;
}

/** The object under `key`, or `undefined` where it is absent or of another type. */
export function objectField(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  return isObject(value) ? value : undefined;
}

/** The safe integer under `key`, or `undefined` where it is absent or of another type. */
export function integerField(object: JsonObject, key: string): number | undefined {
  const value = object[key];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** Structural equality of two JSON values; the order of keys does not matter. */
export function jsonEquals(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((value, index) => jsonEquals(value, right[index]))
    );
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => jsonEquals(left[key], right[key]));
}

/**
 * The first number in `value` that canonical JSON cannot carry (a fraction, or an integer beyond ±(2^53 - 1)),
 * see the appendix "Canonical JSON" of the Matrix specification; `undefined` where there is none.
 */
export function nonCanonicalNumber(value: Json): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? undefined : value;
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Array.isArray(value) ? value : Object.values(value);
  for (const entry of entries) {
    const found = nonCanonicalNumber(entry);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** True where a string anywhere in `value` (a key, too) holds half of a surrogate pair, which UTF-8 cannot carry. */
export function hasLoneSurrogate(value: Json): boolean {
  if (typeof value === "string") return /\p{Surrogate}/u.test(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLoneSurrogate);
  return Object.entries(value).some(([key, entry]) => hasLoneSurrogate(key) || hasLoneSurrogate(entry));
}

function isJson(value: unknown): value is Json {
  return value === null || ["string", "number", "boolean", "object"].includes(typeof value);
}

/** The value that `text` stands for, or `undefined` where it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    // A SyntaxError is the answer "not JSON".
    return undefined;
  }
}
