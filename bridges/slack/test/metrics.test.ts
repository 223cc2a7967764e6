import { afterEach, describe, expect, it } from "@jest/globals";
import { readFile, writeFile } from "node:fs/promises";
import { describeMetrics } from "../../../packages/core/dist/metrics/document.js";
import { Metrics } from "../../../packages/core/dist/metrics/metrics.js";
import { SlackMetrics } from "../dist/metrics.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** The sum of all series of a metric that have these labels. */
async function sum(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const answer = await fetch(`${stage!.trestle.operationsUrl}/metrics`);
  const lines = (await answer.text()).split("\n").filter((line) => line.startsWith(`${name}{`));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return lines
    .filter((line) => wanted.every((each) => line.includes(each)))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

describe.each(["socket", "http"] as const)("the metrics of the Slack bridge over %s", (mode) => {
  it("tell of events, requests, acknowledgements and connections", async () => {
    stage = await SlackStage.open({ mode });
    const before = await sum("trestle_slack_events_total", { type: "message", outcome: "bridged" });
    stage.slack.workspace("acme").person("bob").post("general", "counted");
    await stage.saidOnMatrix("counted");
    await stage.alice.sendText(stage.room, "counted as well");
    await stage.saidOnSlack("counted as well");
    await stage.eventually(
      () => stage!.slack.workspace("acme").channel("general").texts().length >= 2,
      "both are there",
    );

    const bridged = await sum("trestle_slack_events_total", { type: "message", outcome: "bridged" });
    expect(bridged).toBeGreaterThan(before);
    expect(await sum("trestle_slack_api_calls_total", { method: "chat.postMessage", outcome: "ok" })).toBe(1);
    expect(await sum("trestle_slack_api_call_seconds_count", { method: "chat.postMessage" })).toBe(1);
    expect(
      await sum("trestle_slack_acknowledge_seconds_count", { transport: mode, outcome: "taken" }),
    ).toBeGreaterThanOrEqual(1);
    const opened = await sum("trestle_slack_socket_connections_total", { outcome: "opened" });
    if (mode === "socket") expect(opened).toBeGreaterThanOrEqual(1);
    else expect(opened).toBe(0);
  });
});

describe("the metrics of the Slack bridge", () => {
  it("add up for how long Slack wanted to be left alone", async () => {
    stage = await SlackStage.open();
    stage.slack.faults.api({ method: "chat.postMessage", kind: "rate_limit", retryAfter: 1, times: 1 });
    await stage.alice.sendText(stage.room, "late but there");
    await stage.saidOnSlack("late but there");
    expect(await sum("trestle_slack_api_calls_total", { method: "chat.postMessage", outcome: "ratelimited" })).toBe(1);
    expect(await sum("trestle_slack_rate_limited_seconds_total", { method: "chat.postMessage" })).toBe(1);
  });

  it("are listed in docs/metrics-slack.md", async () => {
    const path = new URL("../../../docs/metrics-slack.md", import.meta.url);
    const metrics = new Metrics();
    const core = new Set(metrics.registry.getMetricsAsArray().map(({ name }) => name));
    new SlackMetrics(metrics.ofConnector("slack", "slack"));
    for (const name of core) metrics.registry.removeSingleMetric(name);
    const page = describeMetrics(metrics.registry).replace("# Metrics", "# Metrics of the Slack bridge");
    metrics.close();
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, page);
    expect(await readFile(path, "utf8")).toBe(page);
  });
});
