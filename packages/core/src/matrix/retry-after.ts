/**
 * The wait that a 429 (or 503) asks for, in milliseconds: `retry_after_ms` of the body where it is there, else the
 * `Retry-After` header in seconds or as an HTTP date (RFC 9110 §10.2.3). Never more than `capMs`: homeservers are
 * known to ask for 24 hours. `undefined` where none is asked for or it cannot be read.
 */
export function retryAfterMs(header: unknown, body: unknown, capMs: number): number | undefined {
  const asked = fromBody(body) ?? fromHeader(header);
  return asked === undefined ? undefined : Math.min(Math.max(0, Math.ceil(asked)), capMs);
}

function fromBody(body: unknown): number | undefined {
  if (typeof body !== "object" || body === null || !("retry_after_ms" in body)) return undefined;
  return typeof body.retry_after_ms === "number" && Number.isFinite(body.retry_after_ms)
    ? body.retry_after_ms
    : undefined;
}

function fromHeader(header: unknown): number | undefined {
  const text = Array.isArray(header) ? (header as readonly unknown[])[0] : header;
  if (typeof text !== "string") return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - Date.now();
}
