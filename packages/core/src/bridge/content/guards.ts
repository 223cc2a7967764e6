/** Guards for what is inside of an event: anything at all. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under a key; an empty one where there is none. */
export function recordIn(record: JsonRecord, key: string): JsonRecord {
  const value = record[key];
  return isRecord(value) ? value : {};
}

/** The string under a key; `undefined` where there is none. */
export function stringIn(record: JsonRecord, key: string): string | undefined {
  const value = record[key];
  return typeof value === "string" ? value : undefined;
}

/** The non-negative whole number under a key, from a number that may have a fraction; `undefined` where there is none. */
export function wholeIn(record: JsonRecord, key: string): number | undefined {
  return whole(record[key]);
}

/** A non-negative whole number that JSON carries exactly; `undefined` for anything else. */
export function whole(value: unknown): number | undefined {
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  const rounded = Math.round(value);
  return rounded >= 0 && Number.isSafeInteger(rounded) ? Math.abs(rounded) : undefined;
}

/** The list under a key; an empty one where there is none. */
export function listIn(record: JsonRecord, key: string): readonly unknown[] {
  const value = record[key];
  return Array.isArray(value) ? value : [];
}

/** The first of some keys under which there is anything: stable names before unstable ones. */
export function firstIn(record: JsonRecord, ...keys: readonly string[]): unknown {
  return keys.map((key) => record[key]).find((value) => value !== undefined);
}
