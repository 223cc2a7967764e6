import { describe, expect, it } from "@jest/globals";
import { checkConnector, formatReport } from "@trestle/conformance";
import { brokenAbilities } from "./support/broken-abilities.js";
import { connectorChecks } from "../dist/connector/checks/all.js";
import { brokenConnectors } from "./support/broken-connectors.js";
import { brokenLives } from "./support/broken-lives.js";
import { Parlour } from "./support/parlour.js";
import { parlourConnector } from "./support/parlour-connector.js";

const planted = [...brokenConnectors, ...brokenLives, ...brokenAbilities];

describe("every check", () => {
  it("has a planted fault of its own", () => {
    const found = new Set(planted.map(({ caughtBy }) => caughtBy));
    expect(connectorChecks.map(({ id }) => id).filter((id) => !found.has(id))).toEqual([]);
  });
});

describe("a connector that", () => {
  it.each(planted.map((each) => [each.name, each] as const))(
    "%s is caught, and told what is wrong",
    async (_name, { fault, caughtBy, words }) => {
      const parlour = new Parlour();
      const report = await checkConnector(parlourConnector(parlour, fault), parlour, {
        only: [caughtBy],
        patienceMs: 1_500,
      });
      const [result] = report.results;
      expect(result?.outcome).toBe("failed");
      expect(formatReport(report)).toMatch(words);
      for (const { failed, seen, look } of result?.findings ?? [])
        for (const text of [failed, seen, look]) expect(text).not.toBe("");
    },
    60_000,
  );
});

describe("a connector in a process of its own", () => {
  it("that lets an error go uncaught is caught, with the last words of its log", async () => {
    const module = new URL("support/dying-connector.mjs", import.meta.url);
    const report = await checkConnector(module, new Parlour(), { only: ["lost.conversation"], patienceMs: 1_500 });
    expect(formatReport(report)).toMatch(
      /process ended by itself \(exit status 1\)[^]*planted: nobody catches this[^]*nobody awaits/,
    );
  }, 60_000);
});

describe("the selection of checks", () => {
  it("refuses a name that is none", async () => {
    const parlour = new Parlour();
    await expect(checkConnector(parlourConnector(parlour), parlour, { only: ["nonsense"] })).rejects.toThrow(
      /no check nonsense. There are: lost\.conversation/,
    );
  });
});
