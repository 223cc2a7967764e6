/** One way in which an exchange did not follow the specification. */
export interface SpecDeviation {
  /** The other side: an application service's id, a user id, or `anonymous`. */
  readonly peer: string;
  /** `PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}`, or the path itself where no operation matches. */
  readonly operation: string;
  /** Whether the one who asked or the one who answered deviated. */
  readonly side: "request" | "response";
  readonly status: number;
  /** What is wrong, in words. */
  readonly problem: string;
}

/** Thrown where exchanges deviated from the specification; the message lists them. */
export class SpecDeviationError extends Error {
  constructor(readonly deviations: readonly SpecDeviation[]) {
    super(`${deviations.length} deviation(s) from the Matrix specification:\n${describeDeviations(deviations)}`);
    this.name = "SpecDeviationError";
  }
}

/** A list for people: equal deviations are counted. */
export function describeDeviations(deviations: readonly SpecDeviation[]): string {
  const counted = new Map<string, number>();
  for (const { peer, operation, side, status, problem } of deviations) {
    const line = `${side} of ${operation} (${peer}, status ${status}): ${problem}`;
    counted.set(line, (counted.get(line) ?? 0) + 1);
  }
  return [...counted].map(([line, count]) => `  - ${line}${count > 1 ? ` (${count} times)` : ""}`).join("\n");
}
