/** An object of somebody else's JSON. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own field of an object as a non-empty text; `undefined` where it is anything else. */
export function textIn(record: JsonRecord, field: string): string | undefined {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A field as a finite number; `undefined` where it is anything else. */
export function numberIn(record: JsonRecord, field: string): number | undefined {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A field that Slack writes now as a number and now as its digits. */
export function numericIn(record: JsonRecord, field: string): number | undefined {
  const text = textIn(record, field);
  if (text === undefined) return numberIn(record, field);
  return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

/** Whether a field is exactly `true`. */
export function flagIn(record: JsonRecord, field: string): boolean {
  return Object.hasOwn(record, field) && record[field] === true;
}

/** A field as an object; `undefined` where it is anything else. */
export function recordIn(record: JsonRecord, field: string): JsonRecord | undefined {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  return isRecord(value) ? value : undefined;
}

/** A field as a list; empty where it is anything else. */
export function listIn(record: JsonRecord, field: string): readonly unknown[] {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  return Array.isArray(value) ? value : [];
}

/** The objects of a list. */
export function recordsIn(record: JsonRecord, field: string): readonly JsonRecord[] {
  return listIn(record, field).filter(isRecord);
}

/** The non-empty texts of a list. */
export function textsIn(record: JsonRecord, field: string): readonly string[] {
  return listIn(record, field).filter((value): value is string => typeof value === "string" && value !== "");
}

type Given<Fields> = { [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name] } & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** The object without its `undefined` fields: an optional field is absent, never `undefined`. */
export function given<const Fields extends object>(fields: Fields): Given<Fields>;
export function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
