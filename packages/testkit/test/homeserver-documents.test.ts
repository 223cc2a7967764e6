import { describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import { transformSync } from "@swc/core";
import * as testkit from "@trestle/testkit";

const page = readFileSync(new URL("../../../docs/test-kit.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```ts\n(.*?)^```/gmsu)].map(([, code]) => code!);

type Step = () => unknown;
type Body = (...parameters: unknown[]) => unknown;

/** Stands in for jest inside of an example: collects its tests, to be run here. */
class ExampleSuite {
  readonly before: Step[] = [];
  readonly after: Step[] = [];
  readonly tests: { readonly name: string; readonly run: Step }[] = [];

  get globals(): Record<string, unknown> {
    const it = Object.assign((name: string, run: Step): number => this.tests.push({ name, run }), {
      each:
        (rows: readonly unknown[]) =>
        (name: string, body: Body): void => {
          for (const row of rows) this.tests.push({ name: name.replace("%s", String(row)), run: () => body(row) });
        },
    });
    return {
      it,
      expect,
      beforeEach: (step: Step) => this.before.push(step),
      afterEach: (step: Step) => this.after.push(step),
    };
  }
}

function suiteOf(example: string): ExampleSuite {
  const suite = new ExampleSuite();
  const { code } = transformSync(example, {
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
    module: { type: "commonjs" },
  });
  const modules: Record<string, unknown> = {
    "@jest/globals": suite.globals,
    "@trestle/testkit": testkit,
    "node:http": http,
  };
  const load = (name: string): unknown => {
    if (!(name in modules)) throw new Error(`the example imports ${name}`);
    return modules[name];
  };
  // The page is the project's own.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  Reflect.apply(new Function("require", "exports", code), undefined, [load, {}]);
  return suite;
}

describe("docs/test-kit.md", () => {
  it("has an example in each part that shows code", () => expect(examples).toHaveLength(5));

  describe.each(examples.map((code, index) => [index + 1, code] as const))("example %i", (_number, code) => {
    const suite = suiteOf(code);
    it.each(suite.tests.map((test) => [test.name, test.run] as const))("%s", async (_name, run) => {
      for (const step of suite.before) await step();
      try {
        await run();
      } finally {
        for (const step of suite.after) await step();
      }
    });
  });

  it("names every switch", () => {
    for (const name of Object.keys(new testkit.FaultSwitches())) expect(page).toContain(`\`${name}\``);
  });

  it("names every profile", () => {
    for (const name of testkit.profileNames) expect(page).toContain(`\`${name}\``);
  });
});
