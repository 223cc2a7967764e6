import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A test that keeps a defect out: where it is, and its name where the file has several. */
interface Kept {
  readonly path: string;
  readonly names: readonly string[];
}

export interface DefectList {
  /** The directory of the bridge, below the project's. */
  readonly bridge: string;
  /** Every test file must be followed by the name of a test, but those that hold nothing else than known defects. */
  readonly named?: boolean;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What stands above a bridge's tests. */
const fromRoot = /^(?:bridges|packages|test)\//;

/**
 * What is wrong with the table of a bridge's KNOWN-DEFECTS.md, a line for each fault: rows that name no test, files that
 * are not there, names that no test of the file before them has.
 */
export function faultsIn({ bridge, named = false }: DefectList): readonly string[] {
  const rows = readFileSync(join(root, bridge, "KNOWN-DEFECTS.md"), "utf8")
    .split("\n")
    .flatMap(cellsOf);
  if (rows.length === 0) return ["There is no table."];
  return rows.flatMap(([defect, tests]) => {
    const kept = keptIn(tests);
    const faults = kept.length === 0 ? ["names no test"] : kept.flatMap((test) => faultsOf(test, bridge, named));
    return faults.map((fault) => `${defect}: ${fault}`);
  });
}

/** The two cells of a row; nothing of what is no row, or a head. */
function cellsOf(line: string): readonly (readonly [string, string])[] {
  const [, defect, tests] = /^\|(.+?)\|([^|]+)\|$/.exec(line.trim()) ?? [];
  if (defect === undefined || tests === undefined || /^[\s-]+$/.test(defect)) return [];
  return tests.trim() === "here" ? [] : [[defect.trim(), tests.trim()]];
}

function keptIn(cell: string): readonly Kept[] {
  const kept: { path: string; names: string[] }[] = [];
  for (const [, path, name] of cell.matchAll(/`([^`]+)`|"([^"]+)"/g)) {
    if (path !== undefined) kept.push({ path, names: [] });
    else if (name !== undefined) kept.at(-1)?.names.push(name);
  }
  return kept;
}

function faultsOf({ path, names }: Kept, bridge: string, named: boolean): readonly string[] {
  const place = join(root, fromRoot.test(path) ? path : join(bridge, "test", path));
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) return [`there is no ${path}`];
  if (found.isDirectory()) return names.map((name) => `${path} is a directory, which has no test “${name}”`);
  const text = readFileSync(place, "utf8");
  const isNamed = !named || names.length > 0 || path.includes("known-defects");
  return [
    ...(isNamed ? [] : [`${path} has several tests, and none is named`]),
    ...names.filter((name) => !text.includes(name)).map((name) => `${path} has no test “${name}”`),
  ];
}
