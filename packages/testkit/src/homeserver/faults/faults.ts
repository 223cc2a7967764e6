import type { ActiveFault, ErrorAnswer, RequestFilter, StruckFaults, FaultSubject } from "./request-faults.js";
import type { Json, JsonObject } from "../json.js";
import { RequestFaults } from "./request-faults.js";
import { SeededRandom } from "./random.js";

const CHOICES: Readonly<Record<string, readonly Json[]>> = {
  transactionIds: ["sequence", "content-hash"],
  ephemeralNames: ["registration", "stable", "unstable", "both"],
  token: ["header", "query", "both"],
  clientTransactions: ["synapse", "tuwunel"],
};

function describe(present: Json, choices: readonly Json[] | undefined): string {
  return choices === undefined ? `a ${typeof present}` : `one of ${JSON.stringify(choices)}`;
}

/**
 * The switches that make the homeserver misbehave as real ones do. Every property may be changed while it runs and
 * counts from the next request or transaction on; {@link Faults.clear} puts all back.
 *
 * An *amount* is a number of repetitions whose fraction is a probability: 1 is once, 0.25 is once in every fourth case.
 */
export class Faults {
  readonly random: SeededRandom;
  readonly #requests: RequestFaults;
  readonly #defaults: JsonObject;

  // -- transactions to application services -------------------------------------------------------------------------

  /** Amount: the same transaction again, id and body, after it was answered 200. */
  duplicateTransactions = 0;
  /** Amount: the same transaction again, but only after the one that follows it was accepted. */
  lateDuplicates = 0;
  /** Amount: the events of an accepted transaction once more in a new transaction (federation trouble does that). */
  repeatEvents = 0;
  /** Probability that the answer of a delivered transaction is lost, so that it is retried although it was accepted. */
  loseTransactionAnswers = 0;
  /** A retried transaction keeps its id and takes up the events that came meanwhile (Dendrite, Construct). */
  growRetriedTransactions = false;
  /** `content-hash`: the id is a hash of the content, so that equal ephemeral transactions share one (tuwunel). */
  transactionIds: "sequence" | "content-hash" = "sequence";
  /** Milliseconds to the answer after which the same transaction is sent again. Synapse: 60 000. */
  transactionTimeoutMs = 60_000;
  /** Milliseconds that each transaction waits before it is sent. */
  transactionDelayMs = 0;
  /** Which keys carry ephemeral data: as the registration asks (Synapse ≥ 1.156), or forced. */
  ephemeralNames: "registration" | "stable" | "unstable" | "both" = "registration";
  /** Probability that an ephemeral event is lost on its way to the application service. */
  loseEphemeral = 0;
  /** Private read receipts of users outside the namespace are pushed as well (Synapse does, the specification forbids). */
  leakPrivateReceipts = false;
  /** How the token reaches the application service: header, query parameter (Construct), or both (tuwunel). */
  token: "header" | "query" | "both" = "header";
  /** Un-prefixed `/transactions`, `/users`, `/rooms` of the first specification. */
  legacyPaths = false;
  /** An event reaches the application service before its sender has the answer to `/send`. */
  pushBeforeResponse = false;

  // -- answers to clients and application services ------------------------------------------------------------------

  /** Probability that the connection is closed after an answer that announced keep-alive. */
  dropKeepAlive = 0;
  /** `/appservice/{id}/ping` does not exist: 404 `M_UNRECOGNIZED` (Dendrite, Synapse < 1.81). */
  missingPing = false;
  /** `/_matrix/media/v1/create` does not exist: 404 `M_UNRECOGNIZED` (Dendrite). */
  missingAsyncUpload = false;
  /**
   * Application services cannot log in (OAuth-only servers): registering without `inhibit_login` answers 400
   * `M_APPSERVICE_LOGIN_UNSUPPORTED` although the user was made, as Synapse does.
   */
  refuseServiceLogin = false;
  /**
   * What repeats of a client transaction are recognised by. `synapse`: path and application service, not the ghost;
   * `tuwunel`: user, device and transaction id, not the room.
   */
  clientTransactions: "synapse" | "tuwunel" = "synapse";

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.#requests = new RequestFaults(this.random);
    this.#defaults = Object.fromEntries(
      Object.entries(this).filter((entry): entry is [string, Json] => typeof entry[1] !== "object"),
    );
  }

  /** Answers requests with an error in place of handling them. */
  answer(answer: ErrorAnswer, filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "answer", ...answer }, filter);
  }

  /** Closes the connection before the request is applied, or after it was applied but before the answer. */
  drop(when: "before" | "after", filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "drop", when }, filter);
  }

  /** Lets requests wait for `ms` milliseconds. */
  delay(ms: number, filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "delay", ms }, filter);
  }

  /** Switches every fault off. The seeded generator goes on where it is. */
  clear(): void {
    this.#requests.clear();
    this.assign(this.#defaults);
  }

  /**
   * Sets switches by name, as the control endpoint receives them.
   * @throws Error for an unknown name or a value of another type; then nothing was changed
   */
  assign(values: JsonObject): void {
    for (const [name, value] of Object.entries(values)) {
      const present = this.#defaults[name];
      if (present === undefined) throw new Error(`there is no fault switch '${name}'`);
      const choices = CHOICES[name];
      const fits = typeof value === typeof present && (choices === undefined || choices.includes(value));
      if (!fits) throw new Error(`fault switch ${name}: ${JSON.stringify(value)} is not ${describe(present, choices)}`);
    }
    Object.assign(this, values);
  }

  /** The present value of every switch. */
  toJSON(): JsonObject {
    return Object.fromEntries(
      Object.entries(this).filter((entry): entry is [string, Json] => entry[0] in this.#defaults),
    );
  }

  /** What strikes one request. Called by the HTTP server. */
  strike(subject: FaultSubject): StruckFaults {
    return this.#requests.strike(subject);
  }

  /** Whether any request fault is active; spares the work of describing the request. */
  get strikesRequests(): boolean {
    return !this.#requests.isEmpty;
  }
}
