import { join } from "node:path";
import { formatTable } from "../tools/table.js";
import type { Direction, Finding, Tally } from "./ledger.js";

/** What a scenario came to. */
export interface RunResult {
  /** For the table. */
  readonly title: string;
  readonly cycles: number;
  readonly findings: readonly Finding[];
  readonly tallies: Readonly<Partial<Record<Direction, Tally>>>;
  /** What went wrong that is not about a message. */
  readonly complaints: readonly string[];
  readonly ok: boolean;
  readonly seconds: number;
  /** Where the logs are. */
  readonly directory: string;
}

/** A scenario that is about to be run. */
export interface PlannedRun {
  readonly title: string;
  readonly run: () => Promise<RunResult>;
}

const mostFindings = 20;

/** What is printed when a scenario has ended. */
export function describeResult({ title, cycles, findings, complaints, ok, seconds, directory }: RunResult): string {
  return [
    `${title}: ${cycles} cycles in ${seconds.toFixed(0)} s, ${ok ? "ok" : "FAILED"}`,
    ...findings.slice(0, mostFindings).map((finding) => `  ${describeFinding(finding)}`),
    ...(findings.length > mostFindings
      ? [`  … and ${findings.length - mostFindings} more in ${join(directory, "findings.json")}`]
      : []),
    ...complaints.map((complaint) => `  ${complaint}`),
  ].join("\n");
}

/** What is printed at the end: a table, and the sums in one line. */
export function summarize(results: readonly RunResult[], seed: number): string {
  const rows = results.flatMap(({ title, cycles, tallies, ok }) =>
    Object.entries(tallies).map(([direction, { said, lost, duplicated, reordered }]) => [
      title,
      String(cycles),
      direction,
      ...[said, lost, duplicated, reordered].map(String),
      ok ? "ok" : "FAILED",
    ]),
  );
  const header = ["scenario", "cycles", "direction", "messages", "lost", "duplicated", "reordered", ""];
  const all = results.flatMap(({ tallies }) => Object.values(tallies));
  const total = (what: keyof Tally): number => all.reduce((sum, each) => sum + each[what], 0);
  const cycles = results.reduce((sum, each) => sum + each.cycles, 0);
  return `\n${formatTable(header, rows)}\n\n${cycles} cycles, ${total("said")} messages: ${total("lost")} lost, ${total("duplicated")} duplicated, ${total("reordered")} reordered (seed ${seed})`;
}

/** A line for a person who looks for the reason. */
function describeFinding(finding: Finding): string {
  const at = finding.at === undefined ? "" : ` (said ${new Date(finding.at).toISOString()})`;
  return `${finding.what} ${finding.direction} ${finding.id}${at}: ${finding.detail}`;
}
