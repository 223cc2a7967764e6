import type { MatrixError, MatrixFailure } from "./result.js";

/** What to do about a failed request. */
export interface Classification {
  /**
   * `retry`: the same request again, later. `permanent`: it will never succeed. `rejoin`: the ghost is not in the room
   * or not registered: register it, join it, then try again; a second `rejoin` in a row is permanent, because
   * homeservers do not tell this refusal from others reliably.
   */
  readonly action: "retry" | "permanent" | "rejoin";
  /** Whether the homeserver may have acted on the request all the same. */
  readonly applied: "no" | "maybe";
  /** The wait that the homeserver asked for, already capped. */
  readonly afterMs?: number;
  /**
   * The failure says nothing about this request: the homeserver is away, overloaded, limits us, or does not know us.
   * It must not count as an attempt, because any other request would have failed as well.
   */
  readonly transport: boolean;
  /** For the operator, where only they can end it: log it as an error. */
  readonly advice?: string;
}

const unregisteredAdvice =
  "The homeserver does not know our as_token. Compare it with the registration file that the homeserver has loaded, and restart the homeserver after a change of that file.";
const elsewhereAdvice =
  "What answers at homeserver.url is not a Matrix homeserver. Check the address, and the proxy before the homeserver.";

/** Says what a failure means for the request that met it (the rules of the delivery guarantees). */
export function classify(failure: MatrixFailure): Classification {
  switch (failure.kind) {
    case "invalid":
      return { action: "permanent", applied: "no", transport: false };
    case "unanswered":
      return { action: "retry", applied: failure.applied, transport: true };
    case "answered":
      return classifyAnswer(failure);
  }
}

function classifyAnswer(failure: MatrixError): Classification {
  const { status } = failure;
  if (status === 429 || failure.errcode === "M_LIMIT_EXCEEDED")
    return { action: "retry", applied: "no", ...wait(failure), transport: true };
  if (status >= 500) return classifyServerError(failure);
  // A 2xx that could not be read: something happened, and a repeated request will say what.
  if (status < 300) return { action: "retry", applied: "maybe", transport: false };
  if (status < 400) return { action: "retry", applied: "no", transport: true, advice: elsewhereAdvice };
  if (isUnknownToken(failure)) return { action: "retry", applied: "no", transport: true, advice: unregisteredAdvice };
  if (failure.body === undefined) return classifyProxyPage(failure);
  if (status === 408) return { action: "retry", applied: "maybe", ...wait(failure), transport: true };
  if (status === 403 && mayBeAbsence(failure)) return { action: "rejoin", applied: "no", transport: false };
  return { action: "permanent", applied: "no", transport: false };
}

/**
 * 502, 503 and 504 are said of the server. A 500 is often said of the request (Synapse answers content it cannot store
 * so), hence it counts as an attempt: otherwise one such event would hold up its room for ever.
 */
function classifyServerError(failure: MatrixError): Classification {
  const away = failure.status === 502 || failure.status === 503 || failure.status === 504;
  return { action: "retry", applied: "maybe", ...wait(failure), transport: away };
}

/** A page of a proxy. What it says of the size or the form of a request is final; that there is nothing here is not. */
function classifyProxyPage({ status }: MatrixError): Classification {
  if (status === 404 || status === 405 || status === 421) {
    return { action: "retry", applied: "no", transport: true, advice: elsewhereAdvice };
  }
  if (status === 403 || status === 408) return { action: "retry", applied: "no", transport: false };
  return { action: "permanent", applied: "no", transport: false };
}

function isUnknownToken({ status, errcode }: MatrixError): boolean {
  return (
    errcode === "M_UNKNOWN_TOKEN" || errcode === "M_MISSING_TOKEN" || (status === 401 && errcode !== "M_USER_LOCKED")
  );
}

/**
 * Homeservers answer a sender who is not in the room with a plain `M_FORBIDDEN`, in words of their own; some use the
 * same words for a lack of power. So everything is taken for absence that is not clearly something else.
 */
function mayBeAbsence({ errcode, message }: MatrixError): boolean {
  if (errcode !== "M_FORBIDDEN" && errcode !== "M_UNKNOWN" && !errcode.endsWith("NOT_JOINED")) return false;
  return !/power.?level|_level\b|permission to|banned|not allowed to (send|redact)/i.test(message);
}

function wait({ retryAfterMs }: MatrixError): { readonly afterMs?: number } {
  return retryAfterMs === undefined ? {} : { afterMs: retryAfterMs };
}
