/** A set of code points, in ranges, as the tables of stringprep are written. */
export class CodePoints {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  constructor(table: string) {
    let end = 0;
    for (const entry of table.split(" ")) {
      const [distance = "", longer = "0"] = entry.split("-");
      const start = end + Number.parseInt(distance, 36);
      end = start + Number.parseInt(longer, 36);
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }

  has(character: string): boolean {
    const code = character.codePointAt(0) ?? 0;
    let [low, high] = [0, this.#starts.length];
    // The first range that does not end before it.
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) < code) low = middle + 1;
      else high = middle;
    }
    return (this.#starts[low] ?? Infinity) <= code;
  }
}
