import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import * as kit from "../dist/irc/index.js";

const page = readFileSync(new URL("../../../docs/test-kit-irc.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

/** Runs an example of the page; what it imports from the kit is given to it. */
async function run(code: string): Promise<void> {
  const names = /import \{ ([^}]+) \} from "@trestle\/testkit";/.exec(code)?.[1]?.split(", ") ?? [];
  const body = code.replace(/^import .*$/m, "");
  const values = Object.entries(kit).filter(([name]) => names.includes(name));
  expect(values.map(([name]) => name).sort()).toEqual([...names].sort());
  const asynchronous = Object.getPrototypeOf(async () => undefined) as object;
  const Example = asynchronous.constructor as new (...words: string[]) => (...values: unknown[]) => Promise<void>;
  await new Example(...values.map(([name]) => name), body)(...values.map(([, value]) => value));
}

describe("docs/test-kit-irc.md", () => {
  it.each(examples.map((code, index) => [index + 1, code] as const))(
    "example %i does what it says",
    async (_index, code) => {
      await run(code);
    },
  );

  it("names every capability, and every method and option that it speaks of exists", () => {
    for (const name of kit.CAPABILITIES) expect(page).toContain(name);
    const methods = [...page.matchAll(/`(\w+)\(/g)].map(([, name = ""]) => name);
    for (const name of methods) expect({ name, known: name in kit.IrcServer.prototype }).toEqual({ name, known: true });
    expect(methods.length).toBeGreaterThan(20);
  });
});
