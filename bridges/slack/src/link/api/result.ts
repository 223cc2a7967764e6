import type { Failure } from "@trestle/core";

/**
 * Slack did not do it, or nobody knows: a `Failure` as handlers answer it, so that it can be returned as it is. `code` is
 * Slack's own word for it (`channel_not_found`), where it said one.
 */
export interface SlackFailure extends Failure {
  readonly ok: false;
  readonly code?: string;
}

/** What came of a request. */
export type SlackResult<Body> = { readonly ok: true; readonly body: Body } | SlackFailure;

/** Surely not done; worth another try. */
export function notYet(reason: string, afterMs?: number, code?: string): SlackFailure {
  return {
    ok: false,
    failed: "retry",
    reason,
    ...(afterMs !== undefined && { afterMs }),
    ...(code !== undefined && { code }),
  };
}

/** Surely not done, and never will be. */
export function never(reason: string, code?: string): SlackFailure {
  return { ok: false, failed: "permanent", reason, ...(code !== undefined && { code }) };
}

/** It may have been done. */
export function perhaps(reason: string, code?: string): SlackFailure {
  return { ok: false, failed: "uncertain", reason, ...(code !== undefined && { code }) };
}
