/** What the first letter of a Slack id says about the thing it names. */
export type IdPrefix = "A" | "B" | "C" | "D" | "E" | "Ev" | "F" | "G" | "S" | "T" | "U" | "W";

/** Hands out ids of Slack's form: a letter for the kind, then capitals and digits. The same calls give the same ids. */
export class Ids {
  readonly #counters = new Map<string, number>();

  next(prefix: IdPrefix): string {
    const count = (this.#counters.get(prefix) ?? 0) + 1;
    this.#counters.set(prefix, count);
    return `${prefix}0EMU${count.toString(36).toUpperCase().padStart(6, "0")}`;
  }
}
