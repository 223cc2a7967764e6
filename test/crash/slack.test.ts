import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summarize, type RunResult } from "../dist/crash/report.js";
import { planSlack } from "../dist/crash/slack/suite.js";

const cycles = 3;
const seed = 1;

describe("Slack, with the bridge killed under load", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-slack-crash-"));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it.each(["socket", "http"] as const)(
    "loses, repeats and reorders nothing over %s",
    async (transport) => {
      const results: RunResult[] = [];
      for (const { run } of planSlack([transport], ["kill"], cycles, seed, directory)) results.push(await run());
      console.log(summarize(results, seed));
      for (const { tallies, findings, complaints, cycles: done } of results) {
        expect({ findings, complaints, done }).toEqual({ findings: [], complaints: [], done: cycles });
        // That nothing is lost says something only where much was said.
        for (const { said } of Object.values(tallies)) expect(said).toBeGreaterThan(30);
      }
    },
    300_000,
  );
});
