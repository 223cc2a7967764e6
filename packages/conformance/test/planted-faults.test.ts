import { describe, expect, it } from "@jest/globals";
import { checkConnector, formatReport, type NetworkFake } from "@trestle/conformance";
import type { Connector } from "@trestle/core";
import { brokenAbilities } from "./support/broken-abilities.js";
import { connectorChecks } from "../dist/connector/checks/all.js";
import { brokenConnectors } from "./support/broken-connectors.js";
import { brokenLives } from "./support/broken-lives.js";
import { brokenSignals } from "./support/broken-signals.js";
import { Parlour } from "./support/parlour.js";
import { parlourConnector } from "./support/parlour-connector.js";

const planted = [...brokenConnectors, ...brokenLives, ...brokenAbilities, ...brokenSignals];

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

describe("what a network or its connector does not have", () => {
  const only = ["can.typing", "can.typing-back", "can.receipt", "can.login-speaks"];
  const reasonsOf = async (connector: Connector, fake: NetworkFake): Promise<unknown> => {
    const report = await checkConnector(connector, fake, { only, patienceMs: 1_500 });
    expect(report.ok).toBe(true);
    return Object.fromEntries(report.results.map(({ id, outcome, reason }) => [id, `${outcome}: ${reason ?? ""}`]));
  };

  it("is left out, and the report says why, where the connector lacks it", async () => {
    const parlour = new Parlour();
    const whole = parlourConnector(parlour);
    const less: Connector = {
      ...whole,
      connect: async (context) => {
        const { typing: _typing, receipt: _receipt, login: _login, ...rest } = await whole.connect(context);
        return rest;
      },
    };
    expect(await reasonsOf(less, parlour)).toEqual({
      "can.typing": "left out: the connector has no typing",
      "can.typing-back": "passed: ",
      "can.receipt": "left out: the connector has no receipt",
      "can.login-speaks": "left out: the connector has no login",
    });
  }, 60_000);

  it("is left out, and the report says why, where the fake lacks it", async () => {
    const parlour = new Parlour();
    const { right, wrong, secret } = parlour.credentials;
    const lacking = { type: undefined, seesTyping: undefined, seesRead: undefined };
    const less = Object.assign(parlour, lacking, { credentials: { right, wrong, secret } });
    expect(await reasonsOf(parlourConnector(less), less)).toEqual({
      "can.typing": "left out: the fake network has no seesTyping",
      "can.typing-back": "left out: the fake network has no type",
      "can.receipt": "left out: the fake network has no seesRead",
      "can.login-speaks": "left out: the fake network's credentials name no account",
    });
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
