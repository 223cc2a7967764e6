import type { Json, JsonObject } from "../json.js";

/** A call of the Web API. */
export interface ApiCall {
  readonly method: string;
  /** The arguments without the token; in a form, nested values are as they were sent. */
  readonly args: Readonly<Record<string, Json>>;
  readonly appId: string | undefined;
  readonly teamId: string | undefined;
  /** Whose token it was. */
  readonly userId: string | undefined;
  readonly tokenKind: "bot" | "user" | "app" | undefined;
  /** Milliseconds since the epoch on the emulator's clock. */
  readonly at: number;
  /** The HTTP status; 0 for a connection that was cut or never answered. */
  status: number;
  /** The answer; undefined while there is none. */
  answer: JsonObject | undefined;
}

/** The latest calls, oldest first. */
export class CallLog {
  readonly #calls: ApiCall[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(call: ApiCall): void {
    this.#calls.push(call);
    if (this.#calls.length > this.#most) this.#calls.shift();
  }

  /** The calls of a method, or all. */
  list(method?: string): ApiCall[] {
    return this.#calls.filter((call) => method === undefined || call.method === method);
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
