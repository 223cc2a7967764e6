import type { Logger } from "../log/logger.js";

/** One thing that a connector has looked at for `trestle doctor`. */
export interface Check {
  /** A stable name, for scripts: `token`, `scopes`. */
  readonly check: string;
  /** `failed` keeps the bridge from working; `warning` a part of it, or perhaps; `skipped` could not be looked at now. */
  readonly state: "ok" | "warning" | "failed" | "skipped";
  /** What was found, in a sentence. */
  readonly text: string;
  /** What to do about it, where it is a `warning` or has `failed`. */
  readonly cure?: string;
}

/** What a connector's `doctor` is given. */
export interface DoctorContext<Config> {
  readonly config: Config;
  readonly log: Logger;
  /** Whether Trestle runs with this configuration: then what only one may hold at a time is taken. */
  readonly running?: boolean;
  /** Aborted when it takes too long. */
  readonly signal: AbortSignal;
}
