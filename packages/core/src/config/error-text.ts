/**
 * `ENOENT` and the like; `undefined` where the error has none. Read by shape: errors of Node may belong to another
 * realm than ours (workers, test runners), where `instanceof Error` does not hold.
 */
export function errorCode(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What an error says. */
export function errorText(error: unknown): string {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  return typeof message === "string" ? message : String(error);
}

/** Why a file cannot be read or written, for a person. */
export function fileErrorText(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied";
    case "EISDIR":
      return "it is a directory";
    default:
      return errorText(error);
  }
}
