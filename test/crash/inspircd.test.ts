import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planIrc } from "../dist/crash/irc-suite.js";
import { summarize, type RunResult } from "../dist/crash/report.js";
import { realServer } from "../support/servers/index.js";

const cycles = 2;
const seed = 1;
const inspircd = await realServer("inspircd");

inspircd.describe("InspIRCd, with the bridge killed under load", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-inspircd-crash-"));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it.each(["kill", "no-echo"] as const)(
    "loses and reorders nothing, and repeats nothing that can be asked for: %s",
    async (scenario) => {
      const results: RunResult[] = [];
      for (const { run } of planIrc([scenario], cycles, seed, directory, "inspircd")) results.push(await run());
      console.log(summarize(results, seed));
      for (const { tallies, findings, complaints, ok, cycles: done } of results) {
        const bad = findings.filter(({ what }) => scenario === "kill" || what !== "duplicated");
        expect({ bad, complaints, ok, done }).toEqual({ bad: [], complaints: [], ok: true, done: cycles });
        // That nothing is lost says something only where much was said.
        for (const { said } of Object.values(tallies)) expect(said).toBeGreaterThan(30);
      }
    },
    300_000,
  );
});
