import { FaultList, type Frequency } from "./rule.js";

/** What goes wrong with calls of the Web API. */
export interface ApiFault extends Frequency {
  /**
   * `rate_limit`: 429 with `Retry-After`. `status`: an HTTP status without JSON. `error`: `{ok: false, error}`.
   * `drop_before`: the connection is cut and nothing happened. `drop_after`: it is cut after the call took effect.
   * `hang_before`, `hang_after`: no answer ever, before or after it took effect. `slow`: `ms` later.
   */
  readonly kind:
    "rate_limit" | "status" | "error" | "drop_before" | "drop_after" | "hang_before" | "hang_after" | "slow";
  /**
   * The method's name, or its beginning with a star (`chat.*`); everything when absent. `upload` and `download` are the
   * transfers of files: there `drop_after` and `hang_after` break off a download half way.
   */
  readonly method?: string | undefined;
  /** The `channel` argument; any when absent. */
  readonly channel?: string | undefined;
  /** The app's id; every app when absent. */
  readonly app?: string | undefined;
  /** The workspace's id; every workspace when absent. */
  readonly workspace?: string | undefined;
  /** For `rate_limit`: whole seconds, 1 unless given. */
  readonly retryAfter?: number | undefined;
  /** For `status`: 500 unless given. */
  readonly status?: number | undefined;
  /** For `error`: `internal_error` unless given. */
  readonly error?: string | undefined;
  /** For `slow`: milliseconds. */
  readonly ms?: number | undefined;
}

/** What a fault can match. */
export interface CallFacts {
  readonly method: string;
  readonly channel: string | undefined;
  readonly app: string | undefined;
  readonly workspace: string | undefined;
}

/** The faults of the Web API. */
export class ApiFaults {
  readonly rules = new FaultList<ApiFault>("api-");

  /** The fault that strikes a call, if any. */
  strike(call: CallFacts): ApiFault | undefined {
    return this.rules.strike(
      (rule) =>
        matchesMethod(rule.method, call.method) &&
        same(rule.channel, call.channel) &&
        same(rule.app, call.app) &&
        same(rule.workspace, call.workspace),
    );
  }
}

function same(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}

function matchesMethod(pattern: string | undefined, method: string): boolean {
  if (pattern === undefined || pattern === method) return true;
  return pattern.endsWith("*") && method.startsWith(pattern.slice(0, -1));
}
