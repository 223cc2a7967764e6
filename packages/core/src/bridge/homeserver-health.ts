import { randomUUID } from "node:crypto";
import type { Clock } from "../delivery/clock.js";
import type { Logger } from "../log/logger.js";
import type { MatrixClient } from "../matrix/client.js";
import type { MatrixFailure } from "../matrix/result.js";

export interface PingResult {
  readonly ok: boolean;
  /** For a person: what is wrong and what to do. */
  readonly detail: string;
  readonly at: number;
}

const everyMs = 5 * 60_000;
const afterFailureMs = 10_000;

/**
 * Asks the homeserver, at start and from time to time, whether it reaches us. A success makes Synapse deliver its
 * backlog at once, and tuwunel retry at all; a failure tells an operator what to mend.
 */
export class HomeserverPing {
  #last: PingResult | null = null;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    readonly client: MatrixClient,
    readonly appservice: { readonly id: string; readonly url: string | null },
    readonly clock: Clock,
    readonly log: Logger,
  ) {}

  get last(): PingResult | null {
    return this.#last;
  }

  async run(): Promise<PingResult> {
    this.#cancel?.();
    const result = await this.client.ping(this.appservice.id, randomUUID());
    const at = this.clock.now();
    const ok = result.ok || isMissing(result.failure);
    const detail = result.ok
      ? `the homeserver reaches us (${result.body.durationMs} ms)`
      : explainPing(result.failure, this.appservice.url);
    // What ended with the bridge says nothing of the homeserver.
    if (!ok && !this.#stopped && detail !== this.#last?.detail)
      this.log.error({ url: this.appservice.url }, `The homeserver does not reach Trestle: ${detail}`);
    if (ok && this.#last?.ok === false) this.log.info("The homeserver reaches Trestle again");
    this.#last = { ok, detail, at };
    if (!this.#stopped) {
      this.#cancel = this.clock.after(ok ? everyMs : afterFailureMs, () => {
        void this.run();
      });
    }
    return this.#last;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}

function isMissing(failure: MatrixFailure): boolean {
  return failure.kind === "answered" && (failure.errcode === "M_UNRECOGNIZED" || failure.status === 404);
}

/** Says to a person why a ping failed and what to do (specification v1.7, `POST /appservice/{appserviceId}/ping`). */
export function explainPing(failure: MatrixFailure, url: string | null): string {
  if (failure.kind !== "answered") return `the homeserver cannot be asked: ${failure.message}. Check homeserver.url.`;
  switch (failure.errcode) {
    case "M_CONNECTION_FAILED":
      return `it cannot connect to ${url ?? "us"}. Check the url of the registration, and listen.host and listen.port of the configuration; in a container 127.0.0.1 is the container itself.`;
    case "M_CONNECTION_TIMEOUT":
      return `it connects to ${url ?? "us"} but gets no answer in time. A firewall or a proxy between the two is the usual cause.`;
    case "M_BAD_STATUS":
      return `something else answers at ${url ?? "our address"}, or the hs_token differs: the answer was ${JSON.stringify(failure.body)}. Use the same registration file on both sides and restart the homeserver after a change.`;
    case "M_URL_NOT_SET":
      return "the registration has no url: set it to the address of listen, and restart the homeserver.";
    case "M_FORBIDDEN":
    case "M_UNKNOWN_TOKEN":
      return "the homeserver does not know our as_token. Add the registration file to its configuration and restart it.";
    case "M_UNRECOGNIZED":
      return "this homeserver has no ping; whether it reaches us shows with the first event";
    default:
      return `the homeserver answered ${failure.status} ${failure.errcode}: ${failure.message}`;
  }
}
