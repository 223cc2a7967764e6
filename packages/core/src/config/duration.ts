const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A number and a unit: ms, s, m, h or d. */
export const durationText = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration as it is written in a configuration: milliseconds, or text that matches `durationText`. */
export function parseDuration(value: number | string): number {
  if (typeof value === "number") return value;
  const match = durationText.exec(value);
  const unit = units[match?.[2] ?? ""];
  if (match === null || unit === undefined) throw new RangeError(`"${value}" is not a duration`);
  return Math.round(Number(match[1]) * unit);
}

/** The shortest exact way to write milliseconds: 90000 is `90s`, 86400000 is `1d`. */
export function formatDuration(milliseconds: number): string {
  const fitting = Object.entries(units).findLast(([, size]) => milliseconds >= size && milliseconds % size === 0);
  return fitting === undefined ? String(milliseconds) : `${milliseconds / fitting[1]}${fitting[0]}`;
}
