import type { SeededRandom } from "./random.js";

/** Which requests a fault meets. Absent keys meet everything. */
export interface RequestFilter {
  readonly method?: string;
  /** A route template, or any part of one: `/send/{eventType}/{txnId}`, `/createRoom`, `/_matrix/media/`. */
  readonly route?: string;
  /** The full user id the request acts as (the masqueraded one). Known for valid tokens only. */
  readonly userId?: string;
  /** `true`: only requests with an application service's token; `false`: only those without. */
  readonly fromAppService?: boolean;
  /** After how many requests the fault is spent. Default: never. */
  readonly times?: number;
  /** Chance, 0 to 1, that it strikes a request it meets, drawn from the homeserver's seeded generator. Default 1. */
  readonly probability?: number;
}

/** The answer that takes the place of the real one; the request is not applied. */
export interface ErrorAnswer {
  readonly status: number;
  /** Default `M_UNKNOWN`, or `M_LIMIT_EXCEEDED` for 429. */
  readonly errcode?: string;
  readonly error?: string;
  /** Sent as `retry_after_ms` and, rounded up to seconds, as `Retry-After`. */
  readonly retryAfterMs?: number;
  /** An HTML page, as a reverse proxy sends it, in place of the JSON body. */
  readonly html?: boolean;
}

export type RequestFault =
  | ({ readonly kind: "answer" } & ErrorAnswer)
  /** `before`: the connection dies and nothing was applied; `after`: it was applied and the answer is lost. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  /** Milliseconds that the request waits before it is looked at. */
  | { readonly kind: "delay"; readonly ms: number }
  /** It was applied; the answer waits until the fault is removed. */
  | { readonly kind: "hold" };

/** What the faults look at in a request. */
export interface FaultSubject {
  readonly method: string;
  readonly route: string;
  readonly userId: string | undefined;
  readonly fromAppService: boolean;
}

/** A fault that was switched on. */
export class ActiveFault {
  #applied = 0;
  #removed = false;
  #release: () => void = () => undefined;
  /** Resolves when it is switched off. */
  readonly over = new Promise<void>((resolve) => (this.#release = resolve));

  constructor(
    readonly fault: RequestFault,
    readonly filter: RequestFilter,
  ) {}

  /** How many requests it has struck. */
  get applied(): number {
    return this.#applied;
  }

  get spent(): boolean {
    return this.#removed || this.#applied >= (this.filter.times ?? Infinity);
  }

  /** Switches it off. */
  remove(): void {
    this.#removed = true;
    this.#release();
  }

  /** Whether it strikes this request; counts it if so. */
  strikes(subject: FaultSubject, random: SeededRandom): boolean {
    const { method, route, userId, fromAppService, probability } = this.filter;
    if (this.spent) return false;
    if (method !== undefined && method !== subject.method) return false;
    if (route !== undefined && !subject.route.includes(route)) return false;
    if (userId !== undefined && userId !== subject.userId) return false;
    if (fromAppService !== undefined && fromAppService !== subject.fromAppService) return false;
    if (!random.happens(probability ?? 1)) return false;
    this.#applied++;
    return true;
  }
}

/** Every fault that a request meets, decided at once. */
export interface StruckFaults {
  readonly delayMs: number;
  readonly answer: ErrorAnswer | undefined;
  readonly drop: "before" | "after" | undefined;
  /** What the answer waits for. */
  readonly held: Promise<void> | undefined;
}

const NONE: StruckFaults = { delayMs: 0, answer: undefined, drop: undefined, held: undefined };

/** The list of active request faults. */
export class RequestFaults {
  #active: ActiveFault[] = [];

  constructor(private readonly random: SeededRandom) {}

  get isEmpty(): boolean {
    return this.#active.length === 0;
  }

  add(fault: RequestFault, filter: RequestFilter): ActiveFault {
    const active = new ActiveFault(fault, filter);
    this.#active.push(active);
    return active;
  }

  clear(): void {
    for (const active of this.#active) active.remove();
    this.#active = [];
  }

  /** Delays add up; of all others the first one met counts. */
  strike(subject: FaultSubject): StruckFaults {
    if (this.#active.length === 0) return NONE;
    this.#active = this.#active.filter((active) => !active.spent);
    let delayMs = 0;
    for (const active of this.#active) {
      if (!active.strikes(subject, this.random)) continue;
      const fault = active.fault;
      switch (fault.kind) {
        case "delay":
          delayMs += fault.ms;
          break;
        case "answer":
          return { ...NONE, delayMs, answer: fault };
        case "drop":
          return { ...NONE, delayMs, drop: fault.when };
        case "hold":
          return { ...NONE, delayMs, held: active.over };
      }
    }
    return { ...NONE, delayMs };
  }
}
