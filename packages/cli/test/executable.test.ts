import { describe, expect, it } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { packageVersion } from "../dist/version.js";

const root = new URL("../../../", import.meta.url);
const executable = fileURLToPath(new URL("packages/cli/bin/trestle.js", root));

describe("the executable", () => {
  it("runs by itself, with the settings of its first line", () => {
    const { status, stdout, stderr } = spawnSync(executable, ["--version"], { encoding: "utf8" });
    expect({ status, said: stdout.trim(), stderr }).toEqual({ status: 0, said: packageVersion(), stderr: "" });
  });

  it("gives node the same settings as npm start", () => {
    const settings = (line: string): readonly string[] => line.match(/--[a-z0-9-]+=\d+/g) ?? [];
    const first = settings(readFileSync(executable, "utf8").split("\n", 1)[0] ?? "");
    const start = /"start": "([^"]*)"/.exec(readFileSync(new URL("package.json", root), "utf8"))?.[1] ?? "";
    expect(first.length).toBeGreaterThan(0);
    expect(settings(start)).toEqual(first);
  });
});
