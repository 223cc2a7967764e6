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

/** Several runs of one scenario as one; the logs are those of the first that went wrong. */
export function mergeResults(results: readonly RunResult[]): RunResult {
  const shown = results.find(({ ok }) => !ok) ?? results[0];
  if (!shown) throw new Error("Nothing was run");
  const sum = (of: (result: RunResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const tallies: Partial<Record<Direction, Tally>> = {};
  for (const { tallies: each } of results)
    for (const direction of Object.keys(each) as Direction[])
      tallies[direction] = added(tallies[direction], each[direction]);
  return {
    ...shown,
    cycles: sum(({ cycles }) => cycles),
    seconds: sum(({ seconds }) => seconds),
    findings: results.flatMap(({ findings }) => findings),
    complaints: results.flatMap(({ complaints }) => complaints),
    ok: results.every(({ ok }) => ok),
    tallies,
  };
}

const nothing: Tally = { said: 0, lost: 0, duplicated: 0, reordered: 0 };

function added(one: Tally = nothing, other: Tally = nothing): Tally {
  return {
    said: one.said + other.said,
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    reordered: one.reordered + other.reordered,
  };
}

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
