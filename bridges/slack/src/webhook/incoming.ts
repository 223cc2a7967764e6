import { fetch, type Dispatcher } from "undici";
import { whatFailed } from "../link/api/thrown.js";
import { never, notYet, perhaps, type SlackFailure } from "../link/index.js";

export interface IncomingPost {
  readonly url: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly dispatcher: Dispatcher;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const longestAnswer = 200;
const usualPauseMs = 10_000;
const longestPauseMs = 10 * 60_000;

/**
 * Posts to an incoming webhook. There is no way to ask whether a post arrived whose answer was lost: that is `uncertain`.
 * The URL is a secret, and in no reason.
 */
export async function postToWebhook(post: IncomingPost): Promise<{ readonly ok: true } | SlackFailure> {
  const { url, payload, dispatcher, timeoutMs, signal } = post;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(payload),
      // It may lead anywhere, and a webhook has no reason to.
      redirect: "manual",
      dispatcher,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const said = await beginningOf(response.body);
    return response.ok ? { ok: true } : failureOf(response.status, said, response.headers.get("retry-after"));
  } catch (error) {
    const { what, isBeforeSending } = whatFailed(error);
    return isBeforeSending
      ? notYet(`the webhook cannot be reached: ${what}`)
      : perhaps(`the webhook did not answer: ${what}`);
  }
}

function failureOf(status: number, said: string, retryAfter: string | null): SlackFailure {
  const reason = `the webhook answered with status ${status}${said === "" ? "" : ` (${said})`}`;
  if (status === 429) return notYet(reason, pauseOf(retryAfter), "ratelimited");
  if (status >= 500 || status === 408) return perhaps(reason);
  const cure =
    status === 404 || status === 403 || status === 410 ? "; see whether it was removed, or its channel archived" : "";
  return never(`${reason}${cure}`);
}

function pauseOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? "");
  const date = Date.parse(retryAfter ?? "");
  const pause = seconds > 0 ? seconds * 1_000 : Number.isNaN(date) ? usualPauseMs : date - Date.now();
  return Math.min(longestPauseMs, Math.max(1_000, pause));
}

/** One line of what the other side says; what follows is not read. */
async function beginningOf(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    said += decoder.decode(chunk, { stream: true });
    if (said.length >= longestAnswer) break;
  }
  return said
    .slice(0, longestAnswer)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .toWellFormed()
    .trim();
}
