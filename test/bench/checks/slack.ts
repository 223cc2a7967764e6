import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../../tools/child.js";
import { median } from "../../tools/statistics.js";
import { RemoteProcess } from "../../tools/rpc.js";
import { atMost, exactly, information, type Figure, type Pace, type Report } from "../figure.js";
import { loadCpu, systemCpu } from "../session.js";
import { bridgeApi, slackApi, type Delays, type SlackResult } from "../slack/api.js";

const perSecond = 200;
const channels = 8;
const renewEveryMs = 1_000;
const longestDelayMs = 100;
/** How many connections the bridge keeps open unless told otherwise. */
const connections = 2;

/** The delay of every event from Slack: while Slack has one of the connections renewed, and between. */
export async function checkSlack(pace: Pace, report: Report): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "trestle-bench-slack-"));
  const slack = new RemoteProcess(startChild({ script: script("slack.js"), cpu: loadCpu }), slackApi, "Slack");
  const log = join(directory, "bridge.log");
  const bridge = new RemoteProcess(
    startChild({ script: script("bridge.js"), cpu: systemCpu, log }),
    bridgeApi,
    "Trestle",
  );
  try {
    await bridge.call("start", { ...(await slack.call("listen", { channels })), directory });
    await slack.call("connected", { connections });
    const load = { perSecond, channels, renewEveryMs };
    await slack.call("run", { ...load, durationMs: pace.warmMs });
    const results: SlackResult[] = [];
    for (let round = 0; round < pace.rounds; round++) {
      const result = await slack.call("run", { ...load, durationMs: pace.renewalMs });
      results.push(result);
      report(
        `slack: ${result.said} events, ${result.renewals} renewals; into Matrix around these ${inWords(result.renewing.arrived)}; between them ${inWords(result.between.arrived)}`,
      );
    }
    return figuresOf(results);
  } finally {
    await bridge.call("stop", {}).catch(() => undefined);
    await bridge.stop();
    await slack.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function figuresOf(results: readonly SlackResult[]): Figure[] {
  const name = `Slack, ${perSecond} events/s`;
  const spread = (when: "renewing" | "between", what: keyof Delays): Delays["arrived"] => ({
    p50: median(results.map((result) => result[when][what].p50)),
    p99: median(results.map((result) => result[when][what].p99)),
    max: median(results.map((result) => result[when][what].max)),
  });
  const renewing = spread("renewing", "arrived");
  const renewals = sum(results, (result) => result.renewals);
  return [
    information(`${name}: acknowledged`, inWords(spread("between", "acknowledged"))),
    information(`${name}: acknowledged while a connection is renewed`, inWords(spread("renewing", "acknowledged"))),
    information(`${name}: in Matrix`, inWords(spread("between", "arrived"))),
    information(`${name}: in Matrix while a connection is renewed`, inWords(renewing)),
    atMost("longest way into Matrix while a connection is renewed", longestDelayMs, renewing.max, " ms"),
    exactly(
      `events lost over ${renewals} renewals`,
      0,
      sum(results, ({ lost }) => lost),
    ),
    exactly(
      "events that Slack had to send again",
      0,
      sum(results, ({ sentAgain }) => sentAgain),
    ),
    exactly(
      "messages repeated or out of order",
      0,
      sum(results, ({ repeated, reordered }) => repeated + reordered),
    ),
  ];
}

function sum(results: readonly SlackResult[], of: (result: SlackResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

function inWords({ p50, p99, max }: Delays["arrived"]): string {
  return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, longest ${max.toFixed(1)} ms`;
}

function script(name: string): string {
  return fileURLToPath(new URL(`../slack/${name}`, import.meta.url));
}
