/** SQLite's code of an error, e.g. `SQLITE_BUSY`; told by its shape, because a native module may be loaded more than once. */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && error.code.startsWith("SQLITE_") ? error.code : undefined;
}
