import type { Finding } from "./finding.js";
import { tally, type CheckResult, type Level, type Report } from "./report.js";

const marks = { passed: "✓", failed: "✗", "left out": "-" } as const;
const words: Readonly<Record<Level, string>> = { must: "MUST", should: "SHOULD", extra: "extra" };

/** A report for a person: grouped, each finding with what people see and where to look. No colours. */
export function formatReport(report: Report): string {
  const groups = [...new Set(report.results.map(({ group }) => group))];
  const lines = [report.subject];
  for (const group of groups) {
    lines.push("", group);
    for (const result of report.results) if (result.group === group) lines.push(...formatResult(result));
  }
  return [...lines, "", summary(report)].join("\n");
}

/** One check in lines. */
export function formatResult({ outcome, level, title, id, reason, notes, findings }: CheckResult): string[] {
  const because = reason === undefined ? "" : ` – left out: ${reason}`;
  return [
    `  ${marks[outcome]} ${words[level].padEnd(6)} ${title} [${id}]${because}`,
    ...notes.map((note) => `           note: ${note}`),
    ...findings.flatMap(formatFinding),
  ].map(printable);
}

function formatFinding({ failed, seen, look }: Finding): string[] {
  const rows = [
    ["what failed", failed],
    ["people see", seen],
    ["look at", look],
  ] as const;
  return rows.flatMap(([name, text]) =>
    text.split("\n").map((line, index) => `           ${(index === 0 ? `${name}:` : "").padEnd(13)}${line}`),
  );
}

function summary(report: Report): string {
  const { passed, failed, leftOut, wrong } = tally(report);
  const verdict = report.ok
    ? "All that must hold holds."
    : `${wrong} that must hold ${wrong === 1 ? "does" : "do"} not.`;
  return `${passed} passed, ${failed} failed, ${leftOut} left out. ${verdict}`;
}

/** Foreign text must not move the cursor of a terminal or turn its direction. */
function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "�");
}
