import { Found, LeftOut, type Finding } from "./finding.js";

/** `must`: a promise, or a MUST of the specification; `should`: good manners; `extra`: worth having. */
export type Level = "must" | "should" | "extra";

/** What a check is about. */
export interface CheckTitle {
  /** Stable, such as `order.kinds`. */
  readonly id: string;
  /** The promise, or the specification's section. */
  readonly group: string;
  /** A sentence that is true where the check passes. */
  readonly title: string;
  readonly level: Level;
}

export interface CheckResult extends CheckTitle {
  readonly outcome: "passed" | "failed" | "left out";
  /** Why it failed; empty otherwise. */
  readonly findings: readonly Finding[];
  /** Why it was left out. */
  readonly reason?: string;
  /** What is worth knowing although nothing is wrong. */
  readonly notes: readonly string[];
}

export interface Report {
  /** What was examined. */
  readonly subject: string;
  readonly results: readonly CheckResult[];
  /** No `must` failed. */
  readonly ok: boolean;
}

export function reportOf(subject: string, results: readonly CheckResult[]): Report {
  return { subject, results, ok: !results.some(({ outcome, level }) => outcome === "failed" && level === "must") };
}

/** Runs one check and turns whatever becomes of it into a result. `look` is for what fails unexpectedly. */
export async function resultOf(
  check: CheckTitle,
  run: (note: (text: string) => void) => Promise<void>,
  look: string,
): Promise<CheckResult> {
  const { id, group, title, level } = check;
  const notes: string[] = [];
  const done = (outcome: CheckResult["outcome"], findings: readonly Finding[] = []): CheckResult => ({
    id,
    group,
    title,
    level,
    outcome,
    findings,
    notes,
  });
  try {
    await run((text) => notes.push(text));
    return done("passed");
  } catch (error) {
    if (error instanceof LeftOut) return { ...done("left out"), reason: error.message };
    if (error instanceof Found) return done("failed", error.findings);
    const failed = `The check could not be carried through: ${error instanceof Error ? error.message : String(error)}`;
    return done("failed", [{ failed, seen: "nothing that could be foretold", look }]);
  }
}

/** How many of which outcome. */
export function tally({ results }: Report): { passed: number; failed: number; leftOut: number; wrong: number } {
  const count = (outcome: CheckResult["outcome"]): number => results.filter((each) => each.outcome === outcome).length;
  const wrong = results.filter(({ outcome, level }) => outcome === "failed" && level === "must").length;
  return { passed: count("passed"), failed: count("failed"), leftOut: count("left out"), wrong };
}
