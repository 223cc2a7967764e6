import type { Json, JsonObject } from "../json.js";
import type { ActiveFault, ErrorAnswer, FaultSubject, RequestFilter, StruckFaults } from "./request-faults.js";
import { RequestFaults } from "./request-faults.js";
import { SeededRandom } from "./random.js";
import { FaultSwitches, SWITCH_CHOICES } from "./switches.js";

function describe(present: Json, choices: readonly Json[] | undefined): string {
  return choices === undefined ? `a ${typeof present}` : `one of ${JSON.stringify(choices)}`;
}

/**
 * The switches that make the homeserver misbehave as real ones do. Every property may be changed while it runs and
 * counts from the next request or transaction on; {@link Faults.clear} puts all back to the homeserver's profile.
 */
export class Faults extends FaultSwitches {
  readonly random: SeededRandom;
  readonly #requests: RequestFaults;
  readonly #defaults: JsonObject;

  /** @param profile switches of the profile that differ from the specification */
  constructor(seed: number, profile: Readonly<Partial<FaultSwitches>> = {}) {
    super();
    Object.assign(this, profile);
    this.#defaults = Object.fromEntries(
      Object.entries(this).filter((entry): entry is [string, Json] => entry[1] !== undefined),
    );
    this.random = new SeededRandom(seed);
    this.#requests = new RequestFaults(this.random);
  }

  /** Answers requests with an error in place of handling them. */
  answer(answer: ErrorAnswer, filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "answer", ...answer }, filter);
  }

  /** Closes the connection before the request is applied, or after it was applied but before the answer. */
  drop(when: "before" | "after", filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "drop", when }, filter);
  }

  /** Lets requests wait for `ms` milliseconds of the homeserver's clock. */
  delay(ms: number, filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "delay", ms }, filter);
  }

  /** Applies requests and answers them once the fault is removed. */
  hold(filter: RequestFilter = {}): ActiveFault {
    return this.#requests.add({ kind: "hold" }, filter);
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
      const choices = SWITCH_CHOICES[name];
      const fits = typeof value === typeof present && (typeof value !== "string" || choices?.includes(value) !== false);
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
