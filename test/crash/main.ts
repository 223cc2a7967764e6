import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments, wholeNumber } from "../tools/arguments.js";
import { formatTable } from "../tools/table.js";
import { directions } from "./account.js";
import { describeFinding, runScenario, type RunResult } from "./run.js";
import { scenarios } from "./scenarios.js";

const usage = `npm run test:crash -- [--cycles N] [--scenario NAME,…] [--seed N] [--keep]

Kills the bridge at random instants under load in both directions and counts what is lost, duplicated and reordered.
Exit status: 0 nothing was (but the repetitions that a scenario allows), 1 something was, 2 wrong arguments.

--cycles N       how often something bad happens, all scenarios together (200)
--scenario LIST  only these: ${scenarios.map(({ name }) => name).join(", ")}
--seed N         decides about every instant; printed, so that a run can be repeated
--keep           keeps the logs also when all is well`;

const given = readArguments(usage, ["keep"], ["cycles", "scenario", "seed"]);
const cycles = wholeNumber("cycles", given.options.get("cycles"), 200);
const seed = wholeNumber("seed", given.options.get("seed"), Math.floor(Math.random() * 1_000_000));
const names = given.options.get("scenario")?.split(",");
const chosen = scenarios.filter(({ name }) => names === undefined || names.includes(name));
const unknown = names?.filter((name) => !scenarios.some((scenario) => scenario.name === name)) ?? [];
if (unknown.length > 0 || chosen.length === 0) {
  console.error(`There is no scenario ${unknown.join(", ")}\n\n${usage}`);
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), "trestle-crash-"));
console.log(`${cycles} cycles, seed ${seed}, logs in ${directory}`);
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
const results: RunResult[] = [];
for (const scenario of chosen) {
  const own = Math.max(1, Math.round((cycles * scenario.share) / shares));
  try {
    const result = await runScenario(scenario, own, seed, directory);
    results.push(result);
    console.log(`${scenario.title}: ${own} cycles in ${result.seconds.toFixed(0)} s, ${result.ok ? "ok" : "FAILED"}`);
    for (const finding of result.account.findings.slice(0, 20)) console.log(`  ${describeFinding(finding)}`);
    if (result.account.findings.length > 20)
      console.log(`  … and ${result.account.findings.length - 20} more in ${join(result.directory, "findings.json")}`);
    for (const complaint of result.complaints) console.log(`  ${complaint}`);
  } catch (error) {
    console.log(
      `${scenario.title}: FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exitCode = 1;
  }
}

const rows = results.flatMap(({ scenario, cycles: own, account, ok }) =>
  directions.map((direction) => {
    const { said, lost, duplicated, reordered } = account.tallies[direction];
    return [
      scenario.title,
      String(own),
      direction,
      ...[said, lost, duplicated, reordered].map(String),
      ok ? "ok" : "FAILED",
    ];
  }),
);
console.log(
  `\n${formatTable(["scenario", "cycles", "direction", "messages", "lost", "duplicated", "reordered", ""], rows)}\n`,
);
const total = (what: "said" | "lost" | "duplicated" | "reordered"): number =>
  results.reduce(
    (sum, { account }) => sum + directions.reduce((part, direction) => part + account.tallies[direction][what], 0),
    0,
  );
console.log(
  `${results.reduce((sum, { cycles: own }) => sum + own, 0)} cycles, ${total("said")} messages: ${total("lost")} lost, ${total("duplicated")} duplicated, ${total("reordered")} reordered (seed ${seed})`,
);
if (results.some(({ ok }) => !ok)) process.exitCode = 1;
if (process.exitCode === undefined && !given.flags.has("keep")) rmSync(directory, { recursive: true, force: true });
else console.log(`Logs are kept in ${directory}`);
