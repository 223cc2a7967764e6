import type { JsonObject } from "./json.js";

/** An answer with a Matrix error body (Client-Server API, "Standard error response"). */
export class MatrixError extends Error {
  constructor(
    readonly status: number,
    readonly errcode: string,
    message: string,
    /** Further keys of the body, for example `retry_after_ms`. */
    readonly extra: JsonObject = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "MatrixError";
  }

  get body(): JsonObject {
    return { errcode: this.errcode, error: this.message, ...this.extra };
  }
}

export const forbidden = (message: string): MatrixError => new MatrixError(403, "M_FORBIDDEN", message);
export const notFound = (message: string): MatrixError => new MatrixError(404, "M_NOT_FOUND", message);
export const badJson = (message: string): MatrixError => new MatrixError(400, "M_BAD_JSON", message);
export const invalidParam = (message: string): MatrixError => new MatrixError(400, "M_INVALID_PARAM", message);
export const missingParam = (message: string): MatrixError => new MatrixError(400, "M_MISSING_PARAM", message);
export const tooLarge = (message: string): MatrixError => new MatrixError(413, "M_TOO_LARGE", message);
