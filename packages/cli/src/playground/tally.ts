import type { DirectionTally, RunState } from "./page-events.js";

export type TallyDirection = "toIrc" | "toMatrix";

const NUMBERED = /No\. (\d+) of (\d+) from (Matrix|IRC), run (\d+)/;

/** The text of a counted message; `counted` reads it back at the other side. */
export function numbered(direction: TallyDirection, run: number, number: number, total: number): string {
  return `No. ${number} of ${total} from ${direction === "toIrc" ? "Matrix" : "IRC"}, run ${run}`;
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
  readonly #counts = { toIrc: new Count(), toMatrix: new Count() };

  constructor(
    readonly run: number,
    readonly total: number,
  ) {}

  get state(): RunState {
    const { toIrc, toMatrix } = this.#counts;
    return { run: this.run, total: this.total, toIrc: toIrc.tally, toMatrix: toMatrix.tally };
  }

  sent(direction: TallyDirection): void {
    this.#counts[direction].sent();
  }

  /** Looks at a message that arrived on one side; `true` when it is one of this run that comes from the other. */
  arrived(direction: TallyDirection, text: string): boolean {
    const match = NUMBERED.exec(text);
    const from = direction === "toIrc" ? "Matrix" : "IRC";
    if (match === null || match[3] !== from || Number(match[4]) !== this.run) return false;
    this.#counts[direction].arrived(Number(match[1]));
    return true;
  }
}
