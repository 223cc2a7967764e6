/**
 * What is left of a JSON value when its particulars are taken away: keys and types. Identifiers used as keys become
 * their sigil, lists the set of their elements' shapes.
 */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const shapes = new Map(value.map((entry) => [JSON.stringify(shapeOf(entry)), shapeOf(entry)]));
    return [...shapes.keys()].sort().map((key) => shapes.get(key));
  }
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const entries = Object.entries(value).map(([key, entry]) => [sigilOf(key), shapeOf(entry)] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function sigilOf(key: string): string {
  return /^[@!$#]/u.test(key) ? key.charAt(0) : key;
}
