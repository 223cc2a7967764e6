import { z } from "zod";
import { onlyReads } from "./methods.js";
import { refusal } from "./refusals.js";
import { never, notYet, perhaps, type SlackFailure } from "./result.js";

/** The client's errors by their `code`: what `instanceof` says depends on which copy of a package threw. */
const thrownSchema = z.discriminatedUnion("code", [
  z.object({
    code: z.literal("slack_webapi_platform_error"),
    data: z.looseObject({ error: z.string().default("unknown_error"), needed: z.string().optional() }),
  }),
  z.object({ code: z.literal("slack_webapi_rate_limited_error"), retryAfter: z.number().nonnegative() }),
  z.object({ code: z.literal("slack_webapi_http_error"), statusCode: z.number() }),
  z.object({ code: z.literal("slack_webapi_request_error"), original: z.instanceof(Object) }),
]);

/** The code of a failure whose request never left. */
export const unreachableCode = "unreachable";

/** What the client threw, in a word. */
export type Thrown = { readonly limitedForMs: number } | { readonly failure: SlackFailure };

/** Nothing was sent when one of these happened. */
const beforeSending: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** What an error of the Web API's client says of the request. */
export function thrownBy(method: string, error: unknown): Thrown {
  const parsed = thrownSchema.safeParse(error);
  if (!parsed.success) return { failure: unclear(method, `an unexpected error: ${messageOf(error)}`) };
  const thrown = parsed.data;
  switch (thrown.code) {
    case "slack_webapi_platform_error":
      // The client puts a body that is no JSON, such as a gateway's page, in the place of Slack's word.
      return /^\w{1,100}$/.test(thrown.data.error)
        ? { failure: refusal(method, thrown.data.error, thrown.data.needed) }
        : { failure: unclear(method, "its answer is no JSON") };
    case "slack_webapi_rate_limited_error":
      return { limitedForMs: thrown.retryAfter * 1_000 };
    case "slack_webapi_http_error":
      return { failure: ofStatus(method, thrown.statusCode) };
    case "slack_webapi_request_error":
      return { failure: ofRequest(method, thrown.original) };
  }
}

function ofStatus(method: string, status: number): SlackFailure {
  if (status >= 500 || status === 408) return unclear(method, `HTTP status ${status}`);
  return never(`Slack answered ${method} with HTTP status ${status}: is apiUrl right?`);
}

function ofRequest(method: string, original: object): SlackFailure {
  const { what, isBeforeSending } = whatFailed(original);
  return isBeforeSending
    ? notYet(`Slack cannot be reached: ${what}`, undefined, unreachableCode)
    : unclear(method, what);
}

/** What made a request fail, and whether it failed before anything was sent. */
export function whatFailed(error: unknown): { readonly what: string; readonly isBeforeSending: boolean } {
  const cause = typeof error === "object" && error !== null && "cause" in error ? error.cause : undefined;
  const code = codeOf(error) ?? codeOf(cause);
  return { what: code ?? messageOf(error), isBeforeSending: code !== undefined && beforeSending.has(code) };
}

function unclear(method: string, what: string): SlackFailure {
  const reason = `Slack did not answer ${method}: ${what}`;
  return onlyReads(method) ? notYet(reason) : perhaps(reason);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  // Of several addresses each has failed.
  if ("errors" in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === "object" && error !== null && "message" in error)
    ? String(error.message)
    : String(error);
}
