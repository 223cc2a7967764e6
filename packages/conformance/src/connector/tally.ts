/** What became of things that were said, by their marks, in the order in which they were said. */
export interface Account {
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  /** Pairs of neighbours that arrived the wrong way round. */
  readonly swapped: readonly (readonly [string, string])[];
}

/** Compares what was said with the texts that arrived. A mark is found wherever it stands in a text. */
export function account(marks: readonly string[], arrived: readonly string[]): Account {
  const places = marks.map((mark) => arrived.flatMap((text, index) => (text.includes(mark) ? [index] : [])));
  const swapped: [string, string][] = [];
  for (let index = 1; index < marks.length; index += 1) {
    const [before, after] = [places[index - 1]?.[0], places[index]?.[0]];
    if (before !== undefined && after !== undefined && before > after)
      swapped.push([marks[index - 1] ?? "", marks[index] ?? ""]);
  }
  return {
    lost: marks.filter((_mark, index) => places[index]?.length === 0),
    twice: marks.filter((_mark, index) => (places[index]?.length ?? 0) > 1),
    swapped,
  };
}

/** A few of many, for a sentence. */
export function someOf(marks: readonly string[], most = 5): string {
  const shown = marks.slice(0, most).map((mark) => JSON.stringify(mark));
  return marks.length > most ? `${shown.join(", ")} and ${marks.length - most} more` : shown.join(", ");
}
