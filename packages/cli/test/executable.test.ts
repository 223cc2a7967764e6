import { describe, expect, it } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { packageVersion } from "../dist/version.js";

const root = new URL("../../../", import.meta.url);
const executable = fileURLToPath(new URL("packages/cli/bin/trestle.js", root));

const coverage = z.object({ result: z.array(z.object({ url: z.string() })) });

/** The modules that the executable runs, from what V8 says it covered. */
function modulesOf(args: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), "trestle-coverage-"));
  try {
    spawnSync(executable, args, { env: { PATH: process.env["PATH"], NODE_V8_COVERAGE: directory } });
    return readdirSync(directory).flatMap((name) =>
      coverage.parse(JSON.parse(readFileSync(join(directory, name), "utf8"))).result.map(({ url }) => url),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe("the executable", () => {
  it("runs by itself, with the settings of its first line", () => {
    const { status, stdout, stderr } = spawnSync(executable, ["--version"], { encoding: "utf8" });
    expect({ status, said: stdout.trim(), stderr }).toEqual({ status: 0, said: packageVersion(), stderr: "" });
  });

  it("loads the core in one piece", () => {
    const loaded = modulesOf(["--version"]);
    const under = (path: string): string => new URL(path, root).href;
    expect(loaded).toContain(under("packages/core/bundle/index.js"));
    expect(loaded.filter((url) => url.startsWith(under("packages/core/dist/")))).toEqual([]);
  });

  it("gives node the same settings as npm start", () => {
    const settings = (line: string): readonly string[] => line.match(/--\S+/g) ?? [];
    const first = settings(readFileSync(executable, "utf8").split("\n", 1)[0] ?? "");
    const start = /"start": "([^"]*)"/.exec(readFileSync(new URL("package.json", root), "utf8"))?.[1] ?? "";
    expect(first.length).toBeGreaterThan(0);
    expect(settings(start)).toEqual(first);
  });
});
