import { z } from "zod";

export type HomeserverAnswer = Answered | Unanswered;

export interface Answered {
  readonly kind: "answered";
  readonly status: number;
  /** `undefined` where the answer was not JSON. */
  readonly body: unknown;
  /** Empty where the answer has none. */
  readonly errcode: string;
  readonly error: string;
  /** The homeserver's clock, in milliseconds since 1970, as of the middle of the request; a second exact at best. */
  readonly skewMs: number | undefined;
}

export interface Unanswered {
  readonly kind: "unanswered";
  /** Node's error code, `TIMEOUT`, or empty. */
  readonly code: string;
  readonly message: string;
}

const matrixError = z.object({ errcode: z.string().catch(""), error: z.string().catch("") });

/** How long the homeserver may take, in milliseconds; its own try to reach Trestle by a ping takes up to a minute. */
const timeout = 65_000;

export interface HomeserverRequest {
  readonly token?: string;
  /** Makes it a POST. */
  readonly post?: object;
  readonly signal?: AbortSignal;
}

/** One request to the homeserver; never throws for what the network or the homeserver does. */
export async function askHomeserver(
  base: string,
  path: string,
  options: HomeserverRequest = {},
): Promise<HomeserverAnswer> {
  const started = Date.now();
  try {
    const response = await fetch(base.replace(/\/+$/, "") + path, {
      method: options.post === undefined ? "GET" : "POST",
      headers: {
        ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
        ...(options.post !== undefined && { "content-type": "application/json" }),
      },
      ...(options.post !== undefined && { body: JSON.stringify(options.post) }),
      signal: AbortSignal.any([
        AbortSignal.timeout(timeout),
        ...(options.signal === undefined ? [] : [options.signal]),
      ]),
    });
    const skewMs = skewOf(response.headers.get("date"), started, Date.now());
    const body = parseJson(await response.text());
    return { kind: "answered", status: response.status, body, skewMs, ...errorOf(body) };
  } catch (error) {
    return unanswered(error);
  }
}

function errorOf(body: unknown): { readonly errcode: string; readonly error: string } {
  const parsed = matrixError.safeParse(body);
  return parsed.success ? parsed.data : { errcode: "", error: "" };
}

function skewOf(date: string | null, started: number, ended: number): number | undefined {
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return undefined;
  // The header has whole seconds, so half a second is its expected distance from the truth.
  return theirs + 500 - (started + ended) / 2;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: whoever answered is no homeserver, which the caller says.
    return undefined;
  }
}

function unanswered(error: unknown): Unanswered {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (error instanceof Error && error.name === "TimeoutError") {
    return { kind: "unanswered", code: "TIMEOUT", message: `no answer within ${timeout / 1000} seconds` };
  }
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const message = cause instanceof Error && cause.message !== "" ? cause.message : code;
  return { kind: "unanswered", code, message };
}
