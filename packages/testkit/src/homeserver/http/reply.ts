import type { Json } from "../json.js";

/** What an endpoint answers: JSON, or raw bytes with their headers. */
export interface Reply {
  readonly status: number;
  readonly json?: Json;
  readonly raw?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(json: Json = {}): Reply {
  return { status: 200, json };
}
