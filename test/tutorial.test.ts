import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { patiently } from "./support/bounded.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PAGE = "docs/write-a-bridge.md";
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

interface CodeBlock {
  /** What stands behind the language: the file it is, or is from. */
  readonly file: string;
  readonly code: string;
}

const read = (path: string): Promise<string> => readFile(join(ROOT, path), "utf8");

async function codeBlocks(): Promise<CodeBlock[]> {
  return [...(await read(PAGE)).matchAll(/^```ts (\S+)\n(.*?)\n```$/gms)].map(([, file = "", code = ""]) => ({
    file,
    code,
  }));
}

/** Lines without their indentation, and without empty ones. */
const linesOf = (code: string): string[] =>
  code
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

function node(cwd: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, timeout: patiently(120_000), encoding: "utf8" },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: `${stdout}${stderr}` });
      },
    );
  });
}

describe("the tutorial's bridge to MQTT", () => {
  const folder = "bridges/mqtt/src";

  it("shows all of its sources, as they are", async () => {
    for (const file of (await readdir(join(ROOT, folder))).map((name) => `${folder}/${name}`)) {
      const source = linesOf(await read(file));
      const shown = (await codeBlocks()).filter((block) => block.file === file).map(({ code }) => linesOf(code));
      const text = `\n${source.join("\n")}\n`;
      for (const block of shown) expect(text).toContain(`\n${block.join("\n")}\n`);
      // Each line once: as many as the file has.
      expect(shown.flat().toSorted()).toEqual(source.toSorted());
    }
  });

  it("has at most 150 lines, empty ones and comments among them", async () => {
    const files = await readdir(join(ROOT, folder));
    const sources = await Promise.all(files.map((name) => read(`${folder}/${name}`)));
    expect(files).not.toHaveLength(0);
    expect(sources.join("").split("\n").length - 1).toBeLessThanOrEqual(150);
  });
});

describe("the tutorial's playground module", () => {
  it("is that of the template", async () => {
    const [block] = (await codeBlocks()).filter(({ file }) => file === "playground.ts");
    const template = linesOf(await read("packages/cli/template/src/playground.ts"));
    expect(linesOf(block?.code ?? "")).toEqual(template.filter((line) => !line.startsWith("/**")));
  });
});

describe("the tutorial's smallest bridge", () => {
  jest.setTimeout(120_000);
  let directory: string;

  beforeAll(async () => {
    // Within the workspace, whose node_modules stand for an npm install.
    directory = await mkdtemp(join(ROOT, ".scaffold-"));
    for (const { file, code } of await codeBlocks()) {
      if (/^echo\.\w*\.?ts$/.test(file)) await writeFile(join(directory, file), `${code}\n`);
    }
    const { compilerOptions } = JSON.parse(await read("packages/cli/template/tsconfig.json")) as {
      compilerOptions: object;
    };
    await writeFile(join(directory, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it("has at most 30 lines", async () => {
    const [echo] = (await codeBlocks()).filter(({ file }) => file === "echo.ts");
    expect(echo?.code.split("\n").length).toBeLessThanOrEqual(30);
  });

  it("compiles strictly, and its tests pass", async () => {
    expect(await node(directory, TSC)).toEqual({ code: 0, output: "" });
    const tests = await node(directory, "--test", "--test-reporter=tap", "dist/echo.test.js");
    expect(tests.output).toMatch(/^# pass 2$/m);
    expect(tests).toMatchObject({ code: 0 });
  });
});
