import type { SpecDeviation } from "./deviations.js";

/** One request and its answer, as they were on the wire. */
export interface SpecExchange {
  readonly api: "client-server" | "application-service";
  readonly method: string;
  /** Path as it was sent, percent-encoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly requestType: string | undefined;
  readonly requestBody: Buffer | string;
  readonly status: number;
  readonly responseType: string | undefined;
  readonly responseBody: Buffer | string;
  readonly peer: string;
}

/** Holds exchanges against the OpenAPI documents of the Matrix specification. */
export interface SpecValidator {
  check(exchange: SpecExchange): SpecDeviation[];
}
