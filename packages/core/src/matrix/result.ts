/** What a request to the homeserver came to. A failure is a value: nothing is thrown, and nothing reads as "absent" that is not. */
export type MatrixResult<Body> =
  { readonly ok: true; readonly body: Body } | { readonly ok: false; readonly failure: MatrixFailure };

export type MatrixFailure = MatrixError | TransportError | InvalidRequest;

/** The homeserver (or a proxy before it) answered with an error, or with something that is not an answer. */
export interface MatrixError {
  readonly kind: "answered";
  readonly status: number;
  /** `M_UNKNOWN` where the answer had none. */
  readonly errcode: string;
  readonly message: string;
  /** From `Retry-After` or `retry_after_ms`, capped. */
  readonly retryAfterMs?: number;
  /** The whole answer, where it was JSON. */
  readonly body?: unknown;
}

/** Nobody answered. */
export interface TransportError {
  readonly kind: "unanswered";
  /** Whether the homeserver may have acted on the request. */
  readonly applied: "no" | "maybe";
  readonly message: string;
}

/** The request was not sent, because no homeserver could accept it: a fraction in the content, a NUL in an id. */
export interface InvalidRequest {
  readonly kind: "invalid";
  readonly message: string;
}
