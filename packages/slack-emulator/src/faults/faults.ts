import { ApiFaults, type ApiFault } from "./api-faults.js";
import type { EventFault, EventFaults } from "./event-faults.js";
import type { ActiveFault } from "./rule.js";

/** Sets, lists and lifts faults. */
export class Faults {
  /** @internal */
  readonly apiFaults = new ApiFaults();
  readonly #events: EventFaults;

  /** @internal */
  constructor(events: EventFaults) {
    this.#events = events;
  }

  /** A fault of the Web API. */
  api(fault: ApiFault): ActiveFault {
    return this.apiFaults.rules.add(fault);
  }

  /** A fault of events on their way to apps. */
  events(fault: EventFault): ActiveFault {
    return this.#events.rules.add(fault);
  }

  /** What is set now. */
  list(): { readonly id: string; readonly rule: ApiFault | EventFault; readonly hits: number }[] {
    return [...this.apiFaults.rules.list(), ...this.#events.rules.list()];
  }

  /** Lifts one; false when there is none of that id. */
  lift(id: string): boolean {
    return this.apiFaults.rules.lift(id) || this.#events.rules.lift(id);
  }

  /** Lifts all. */
  clear(): void {
    this.apiFaults.rules.clear();
    this.#events.rules.clear();
  }
}
