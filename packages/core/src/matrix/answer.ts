import { STATUS_CODES } from "node:http";
import type { MatrixError, MatrixResult } from "./result.js";
import { retryAfterMs } from "./retry-after.js";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Why the body is not there. */
  readonly unread?: string;
}

/** Reads an answer: JSON of a 2xx status is the result, everything else is an error, also the pages of proxies. */
export function readAnswer(answer: RawAnswer, maxRetryAfterMs: number): MatrixResult<unknown> {
  const json = parseJson(answer.body);
  if (answer.status >= 200 && answer.status < 300 && json.ok) return { ok: true, body: json.value };
  return { ok: false, failure: errorOf(answer, json, maxRetryAfterMs) };
}

function errorOf(answer: RawAnswer, json: ParsedJson, maxRetryAfterMs: number): MatrixError {
  const body = json.ok ? json.value : undefined;
  const afterMs = retryAfterMs(answer.headers["retry-after"], body, maxRetryAfterMs);
  return {
    kind: "answered",
    status: answer.status,
    errcode: stringMember(body, "errcode") ?? "M_UNKNOWN",
    message: stringMember(body, "error") ?? describe(answer, json),
    ...(afterMs === undefined ? {} : { retryAfterMs: afterMs }),
    ...(json.ok ? { body: json.value } : {}),
  };
}

function describe(answer: RawAnswer, json: ParsedJson): string {
  if (answer.unread !== undefined) return answer.unread;
  const status = `${answer.status} ${STATUS_CODES[answer.status] ?? ""}`.trim();
  if (answer.body.length === 0) return `${status} with an empty body`;
  if (json.ok) return `${status} with JSON that says no more`;
  const type = answer.headers["content-type"];
  const kind = typeof type === "string" ? type : "no content type";
  return `${status} with a body that is not JSON (${kind}), as a proxy before the homeserver sends it`;
}

type ParsedJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

function parseJson(body: Buffer): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(body.toString("utf8")) as unknown };
  } catch {
    return { ok: false };
  }
}

function stringMember(body: unknown, name: "errcode" | "error"): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const value = (body as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : undefined;
}
