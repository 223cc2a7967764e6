/** Those who wait for the pusher of an application service, each with a bound in real time. */
export class Waiting {
  readonly #delivered = new Map<string, Set<() => void>>();
  readonly #idle = new Set<() => void>();
  readonly #settled = new Set<() => void>();

  /** @returns whether the event was delivered in time */
  delivered(eventId: string, timeoutMs: number): Promise<boolean> {
    const waiting = this.#delivered.get(eventId) ?? new Set<() => void>();
    this.#delivered.set(eventId, waiting);
    return wait(waiting, timeoutMs, () => {
      if (waiting.size === 0) this.#delivered.delete(eventId);
    });
  }

  /** @returns whether everything was accepted in time */
  idle(timeoutMs: number): Promise<boolean> {
    return wait(this.#idle, timeoutMs);
  }

  /** @returns whether nothing was under way in time */
  settled(timeoutMs: number): Promise<boolean> {
    return wait(this.#settled, timeoutMs);
  }

  nowDelivered(eventId: string): void {
    call(this.#delivered.get(eventId));
  }

  nowIdle(): void {
    call(this.#idle);
  }

  nowSettled(): void {
    call(this.#settled);
  }

  /** Ends the waits for single deliveries and for quiet: the homeserver stops. */
  giveUp(): void {
    for (const waiting of [...this.#delivered.values()]) call(waiting);
    call(this.#settled);
  }
}

function wait(waiting: Set<() => void>, timeoutMs: number, ended: () => void = () => undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (inTime: boolean): void => {
      clearTimeout(timer);
      waiting.delete(come);
      ended();
      resolve(inTime);
    };
    const come = (): void => finish(true);
    const timer = setTimeout(() => finish(false), timeoutMs);
    waiting.add(come);
  });
}

function call(waiting: ReadonlySet<() => void> | undefined): void {
  for (const come of [...(waiting ?? [])]) come();
}
