import type { Clock } from "../clock.js";
import type { Delivery } from "../events/delivery.js";
import { FaultList, type Frequency } from "./rule.js";

/** What goes wrong with events on their way to an app. */
export interface EventFault extends Frequency {
  /**
   * `duplicate`: sent twice with the same `event_id`. `reorder`: sent after the next event for the app. `lose`: never
   * sent. `delay`: sent `ms` later. `lose_ack`: the app's acknowledgement does not arrive, so Slack sends it again.
   */
  readonly kind: "duplicate" | "reorder" | "lose" | "delay" | "lose_ack";
  /** The app's id; every app when absent. */
  readonly app?: string | undefined;
  /** The event's name, as one subscribes to it (`message.channels`) or its type (`message`); every event when absent. */
  readonly event?: string | undefined;
  /** The conversation's id; all when absent. */
  readonly channel?: string | undefined;
  /** For `delay`, in milliseconds. */
  readonly ms?: number | undefined;
}

/** The faults on the way to apps. */
export class EventFaults {
  readonly rules = new FaultList<EventFault>("event-");
  readonly #held = new Map<string, Delivery[]>();
  readonly #clock: Clock;
  #later: (delivery: Delivery) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Where delayed deliveries go when their time has come. */
  onDelayed(send: (delivery: Delivery) => void): void {
    this.#later = send;
  }

  /** What to send now in place of a delivery. */
  apply(delivery: Delivery): Delivery[] {
    const fault = this.rules.strike((rule) => rule.kind !== "lose_ack" && matches(rule, delivery));
    const held = this.#held.get(delivery.app.id) ?? [];
    if (fault?.kind === "reorder") {
      this.#held.set(delivery.app.id, [...held, delivery]);
      return [];
    }
    this.#held.delete(delivery.app.id);
    switch (fault?.kind) {
      case "lose":
        return held;
      case "duplicate":
        return [delivery, delivery, ...held];
      case "delay":
        this.#clock.after(fault.ms ?? 0, () => this.#later(delivery));
        return held;
      case undefined:
      case "lose_ack":
        return [delivery, ...held];
    }
  }

  /** Whether this acknowledgement gets lost. */
  losesAck(delivery: Delivery): boolean {
    return this.rules.strike((rule) => rule.kind === "lose_ack" && matches(rule, delivery)) !== undefined;
  }
}

function matches(rule: EventFault, delivery: Delivery): boolean {
  if (rule.app !== undefined && rule.app !== delivery.app.id) return false;
  if (rule.channel !== undefined && rule.channel !== delivery.orderKey) return false;
  return (
    rule.event === undefined || rule.event === delivery.eventType || rule.event === delivery.eventType.split(".")[0]
  );
}
