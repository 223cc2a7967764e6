import type { JsonObject } from "../json.js";
import type { App } from "../state/apps.js";

/** Why a delivery failed, in Slack's words. */
export type FailureReason =
  | "http_timeout"
  | "connection_failed"
  | "http_error"
  | "ssl_error"
  | "too_many_redirects"
  | "timeout"
  | "unknown_error";

/** How one attempt ended; `final` when the app asked for no more. */
export type AttemptResult =
  { readonly ok: true } | { readonly ok: false; readonly reason: FailureReason; readonly final?: boolean };

/** Something to bring to an app. */
export interface Delivery {
  readonly app: App;
  readonly body: JsonObject;
  /** Empty for what is no event, such as `app_rate_limited`. */
  readonly eventId: string;
  readonly eventType: string;
  /** Deliveries with the same key are sent one after the other: those of a channel. */
  readonly orderKey: string;
}

/** One try to bring it. */
export interface Attempt {
  /** 0 for the first, then 1 to 3. */
  readonly number: number;
  /** Why the one before failed. */
  readonly reason: FailureReason | undefined;
}

/** What happened to a delivery so far. */
export interface DeliveryRecord {
  readonly appId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly body: JsonObject;
  readonly transport: "socket" | "http" | "none";
  readonly attempts: {
    readonly at: number;
    /** When the app had answered or it was given up. */
    endedAt?: number;
    result: "pending" | "ok" | FailureReason;
  }[];
  state: "pending" | "delivered" | "failed" | "dropped";
}

/** A way to an app. */
export interface Transport {
  attempt(delivery: Delivery, attempt: Attempt): Promise<AttemptResult>;
}
