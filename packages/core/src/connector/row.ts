/** A row of a database, a document of a file, or an object within one, whose fields may hold anything. */
export type Row = Readonly<Record<string, unknown>>;

/** Whether a value is an object with fields. */
export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field as a text that is not empty. */
export function textIn(row: Row | undefined, field: string): string | undefined {
  const value = row?.[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A field as an object, also where it is the JSON of one. */
export function rowIn(row: Row | undefined, field: string): Row | undefined {
  const value = row?.[field];
  if (isRow(value)) return value;
  if (typeof value !== "string") return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return isRow(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
