/** The server's sense of time: what its tags say, what it waits for. Sockets themselves keep to the machine's time. */
export interface IrcClock {
  /** In milliseconds since 1970. */
  now(): number;
  /** Runs once after so many milliseconds, unless what it returns is called first. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: IrcClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

interface Alarm {
  readonly due: number;
  readonly run: () => void;
}

/** Time that passes only when a test says so: flood rules, fakelag, lag, pings and time-outs without waiting. */
export class ManualIrcClock implements IrcClock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  /** `start` is in milliseconds since 1970; the machine's time where absent. */
  constructor(start = Date.now()) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const alarm = { due: this.#now + Math.max(0, ms), run };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Lets so many milliseconds pass; what falls due on the way happens at its own moment, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
    }
    this.#now = end;
  }

  #nextUntil(end: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.due <= end && (next === undefined || alarm.due < next.due)) next = alarm;
    }
    return next;
  }
}
