import type { DirectionTally, RunState } from "./page-events.js";

export type TallyDirection = "toNetwork" | "toMatrix";

const NUMBERED = /No\. (\d+) of (\d+) from (\S+), run (\d+)/;

export interface Numbered {
  readonly direction: TallyDirection;
  readonly run: number;
  readonly number: number;
  readonly total: number;
  /** The network's name. */
  readonly network: string;
}

/** The text of a counted message; the tally reads it back at the other side. */
export function numbered({ direction, run, number, total, network }: Numbered): string {
  return `No. ${number} of ${total} from ${originOf(direction, network)}, run ${run}`;
}

/** One word, also for a network whose name has several. */
function originOf(direction: TallyDirection, network: string): string {
  return direction === "toNetwork" ? "Matrix" : network.replace(/\s+/g, "-");
}

class Count {
  #sent = 0;
  #duplicated = 0;
  #outOfOrder = 0;
  #highest = 0;
  readonly #seen = new Set<number>();

  get tally(): DirectionTally {
    return {
      sent: this.#sent,
      arrived: this.#seen.size,
      duplicated: this.#duplicated,
      outOfOrder: this.#outOfOrder,
    };
  }

  sent(): void {
    this.#sent += 1;
  }

  arrived(number: number): void {
    if (this.#seen.has(number)) {
      this.#duplicated += 1;
      return;
    }
    this.#seen.add(number);
    if (number < this.#highest) this.#outOfOrder += 1;
    this.#highest = Math.max(this.#highest, number);
  }
}

/** One run of counted messages in both directions. */
export class Tally {
  readonly #counts = { toNetwork: new Count(), toMatrix: new Count() };

  constructor(
    readonly run: number,
    readonly total: number,
    readonly network: string,
  ) {}

  get state(): RunState {
    const { toNetwork, toMatrix } = this.#counts;
    return { run: this.run, total: this.total, toNetwork: toNetwork.tally, toMatrix: toMatrix.tally };
  }

  sent(direction: TallyDirection): void {
    this.#counts[direction].sent();
  }

  /** Looks at a message that arrived on one side; `true` when it is one of this run that comes from the other. */
  arrived(direction: TallyDirection, text: string): boolean {
    const match = NUMBERED.exec(text);
    const from = originOf(direction, this.network);
    if (match === null || match[3] !== from || Number(match[4]) !== this.run) return false;
    this.#counts[direction].arrived(Number(match[1]));
    return true;
  }
}
