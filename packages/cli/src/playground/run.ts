import { setTimeout as delay } from "node:timers/promises";
import type { RunState } from "./page-events.js";
import { numbered, Tally, type TallyDirection } from "./tally.js";

export interface RunOptions {
  readonly run: number;
  /** Messages in each direction. */
  readonly total: number;
  readonly sayOnMatrix: (text: string, txnId: string) => Promise<void>;
  readonly sayOnNetwork: (text: string) => Promise<void> | void;
  /** The network's name. */
  readonly network: string;
  readonly tell: (state: RunState) => void;
}

/** How long a run is sent: long enough that a person can press a button in the middle. */
const RUN_MS = 8_000;
const TELL_EVERY_MS = 50;

/** Counted messages in both directions at once. */
export class Run {
  readonly #tally: Tally;
  readonly #stop = new AbortController();
  #tellTimer: NodeJS.Timeout | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: RunOptions) {
    this.#tally = new Tally(options.run, options.total, options.network);
  }

  get state(): RunState {
    return this.#tally.state;
  }

  /** Whether there are still messages to be sent. */
  get isSending(): boolean {
    const { toNetwork, toMatrix, total } = this.state;
    return toNetwork.sent < total || toMatrix.sent < total;
  }

  start(): void {
    const { run, sayOnMatrix, sayOnNetwork } = this.options;
    this.#changed();
    this.#sending = Promise.all([
      this.#send("toNetwork", (text, number) => sayOnMatrix(text, `run-${run}-${number}`)),
      this.#send("toMatrix", (text) => sayOnNetwork(text)),
    ]);
  }

  /** Looks at a message that arrived on the side to which `direction` leads. */
  heard(direction: TallyDirection, text: string): void {
    if (this.#tally.arrived(direction, text)) this.#changed();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#tellTimer);
    await this.#sending;
    clearTimeout(this.#tellTimer);
  }

  async #send(direction: TallyDirection, say: (text: string, number: number) => Promise<void> | void): Promise<void> {
    const { run, total, network } = this.options;
    const begun = Date.now();
    for (let number = 1; number <= total && !this.#stop.signal.aborted; number += 1) {
      try {
        await say(numbered({ direction, run, number, total, network }), number);
      } catch (error) {
        process.stderr.write(`Message ${number} of run ${run} could not be sent: ${String(error)}\n`);
        return;
      }
      this.#tally.sent(direction);
      this.#changed();
      await delay(begun + (number * RUN_MS) / total - Date.now(), undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      );
    }
  }

  #changed(): void {
    this.#tellTimer ??= setTimeout(() => {
      this.#tellTimer = undefined;
      this.options.tell(this.state);
    }, TELL_EVERY_MS);
  }
}
