/** One request that was answered, or whose connection a fault dropped. */
export interface LoggedRequest {
  readonly method: string;
  /** Route template, or the path itself where no route matches. */
  readonly route: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly userId: string | undefined;
  /** 0 where the connection was dropped. */
  readonly status: number;
  /** Milliseconds from the end of the request to the answer. */
  readonly durationMs: number;
}

/** A bounded log of requests, with exact counters by method and route template. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  #next = 0;
  readonly #counters = new Map<string, Map<string, number>>();
  #total = 0;

  constructor(private readonly size: number) {}

  add(entry: LoggedRequest): void {
    this.#total++;
    if (this.size > 0) {
      this.#entries[this.#next] = entry;
      this.#next = (this.#next + 1) % this.size;
    }
    let byRoute = this.#counters.get(entry.method);
    if (byRoute === undefined) this.#counters.set(entry.method, (byRoute = new Map<string, number>()));
    byRoute.set(entry.route, (byRoute.get(entry.route) ?? 0) + 1);
  }

  /** Requests since the last reset. */
  get total(): number {
    return this.#total;
  }

  /**
   * How many requests of `method` met a route whose template contains `route`; without arguments all of them.
   * Templates are those of the specification: `/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}`.
   */
  count(method?: string, route = ""): number {
    let sum = 0;
    for (const [ofMethod, byRoute] of this.#counters) {
      if (method !== undefined && method !== ofMethod) continue;
      for (const [template, count] of byRoute) if (template.includes(route)) sum += count;
    }
    return sum;
  }

  /** All counters, as `PUT /_matrix/…` → number. */
  counters(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const [method, byRoute] of this.#counters) {
      for (const [route, count] of byRoute) all[`${method} ${route}`] = count;
    }
    return all;
  }

  /** The latest requests, oldest first. */
  entries(): LoggedRequest[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }

  reset(): void {
    this.#entries.length = 0;
    this.#next = 0;
    this.#counters.clear();
    this.#total = 0;
  }
}
