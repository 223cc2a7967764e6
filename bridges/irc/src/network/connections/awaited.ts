/** How often it is looked again whether everybody has come, in milliseconds. */
const LOOK_MS = 500;
/** How many are named. */
const NAMED = 20;

export interface AwaitedOptions {
  /** How long a channel waits at most, in milliseconds; 0: it never does. */
  readonly withinMs: number;
  /** The wait of a channel was in vain: tells its rooms who is not to be seen there. */
  readonly tell: (channel: string, who: string) => void;
}

interface Wait {
  /** By the monotonic clock. */
  readonly since: number;
  /** Rooms whose members are not known yet (`undefined`), and people by their names; both by their ids. */
  readonly missing: Map<string, string | undefined>;
}

/** Who is still to come into the channels: what is said there waits for them before it goes to Matrix (`waitForReaders`). */
export class Awaited {
  /** No more than there are puppets and links. */
  readonly #waits = new Map<string, Wait>();

  constructor(private readonly options: AwaitedOptions) {}

  add(channel: string, id: string, name?: string): void {
    if (this.options.withinMs === 0) return;
    let wait = this.#waits.get(channel);
    if (!wait) this.#waits.set(channel, (wait = { since: performance.now(), missing: new Map() }));
    wait.missing.set(id, name);
  }

  /** They are there, or nobody is to wait for them any longer. */
  settle(channel: string, id: string): void {
    const wait = this.#waits.get(channel);
    if (wait?.missing.delete(id) && wait.missing.size === 0) this.#waits.delete(channel);
  }

  forget(channel: string): void {
    this.#waits.delete(channel);
  }

  /** For how long what is said in a channel is to wait before it is asked again, in milliseconds; `undefined`: not at all. */
  holdMs(channel: string): number | undefined {
    const wait = this.#waits.get(channel);
    if (!wait) return undefined;
    const left = wait.since + this.options.withinMs - performance.now();
    if (left > 0) return Math.min(LOOK_MS, Math.ceil(left));
    this.#waits.delete(channel);
    this.options.tell(channel, listOf([...wait.missing.values()]));
    return undefined;
  }
}

function listOf(missing: readonly (string | undefined)[]): string {
  const names = missing.filter((name) => name !== undefined).sort();
  const others = names.length - NAMED;
  const named = names.slice(0, NAMED).join(", ");
  if (names.length === 0) return "it is not known who";
  return others > 0 ? `${named} and ${others} more` : named;
}
