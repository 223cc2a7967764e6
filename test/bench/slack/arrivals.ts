/** Which of the numbered messages have come to the homeserver, and when. */
export class Arrivals {
  #saidAt: number[] = [];
  #arrivedAt: number[] = [];
  #lastOfRoom = new Map<string, number>();
  #count = 0;
  repeated = 0;
  reordered = 0;

  /** Forgets everything: numbers begin again. */
  reset(): void {
    this.#saidAt = [];
    this.#arrivedAt = [];
    this.#lastOfRoom = new Map();
    this.#count = 0;
    this.repeated = 0;
    this.reordered = 0;
  }

  /** The text of the next message, which is said now. */
  say(run: number): string {
    const number = this.#saidAt.push(performance.now()) - 1;
    return `run ${run} #${number} of the benchmark`;
  }

  /** The number of the message with this text; `undefined` where it is none of this run. */
  numberOf(run: number, text: string): number | undefined {
    const [, ofRun, number] = /run (\d+) #(\d+) /.exec(text) ?? [];
    return number === undefined || Number(ofRun) !== run ? undefined : Number(number);
  }

  /** A message came to the homeserver. What belongs to an earlier run does not count. */
  note(run: number, room: string, content: string): void {
    const number = this.numberOf(run, content);
    if (number === undefined) return;
    if (this.#arrivedAt[number] !== undefined) {
      this.repeated += 1;
      return;
    }
    this.#arrivedAt[number] = performance.now();
    this.#count += 1;
    const last = this.#lastOfRoom.get(room) ?? -1;
    if (number < last) this.reordered += 1;
    else this.#lastOfRoom.set(room, number);
  }

  get said(): number {
    return this.#saidAt.length;
  }

  get missing(): number {
    return this.#saidAt.length - this.#count;
  }

  /** When it was said, in milliseconds of `performance`. */
  saidAt(number: number): number {
    return this.#saidAt[number] ?? Number.NaN;
  }

  /** How long it was on its way, in milliseconds; `undefined` where it did not arrive. */
  delay(number: number): number | undefined {
    const arrivedAt = this.#arrivedAt[number];
    return arrivedAt === undefined ? undefined : arrivedAt - this.saidAt(number);
  }
}
