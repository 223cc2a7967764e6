import { afterEach, describe, expect, it } from "@jest/globals";
import { Metrics } from "../dist/metrics/metrics.js";

let metrics = new Metrics();
afterEach(() => {
  metrics.close();
  metrics = new Metrics();
});

async function lines(name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => line.startsWith(name));
}

describe("a connector's own metrics", () => {
  it("carry the network in their name and the bridge as a label, so that bridges share them", async () => {
    const declare = (bridge: string) =>
      metrics.ofConnector("two-way", bridge).counter("calls_total", "Calls", { outcome: ["ok", "failed"] });
    declare("a").add({ outcome: "ok" });
    declare("b").add({ outcome: "failed" }, 2.5);
    declare("b").add({ outcome: "failed" });
    expect(await lines("trestle_two_way_calls_total{")).toEqual([
      'trestle_two_way_calls_total{bridge="a",outcome="ok"} 1',
      'trestle_two_way_calls_total{bridge="b",outcome="failed"} 3.5',
    ]);
  });

  it("are seen at 0 before the first step where they have no labels", async () => {
    metrics.ofConnector("slack", "a").counter("repairs_total", "Repairs");
    expect(await lines("trestle_slack_repairs_total{")).toEqual(['trestle_slack_repairs_total{bridge="a"} 0']);
  });

  it("have a bounded number of series, whatever a network says", async () => {
    const { counter } = metrics.ofConnector("slack", "a");
    const listed = counter("listed_total", "Listed", { kind: ["x"] });
    const counted = counter("counted_total", "Counted", { kind: 3 });
    for (let index = 0; index < 1_000; index += 1) {
      listed.add({ kind: `x${index}` });
      counted.add({ kind: `x${index}` });
    }
    listed.add({ kind: "x" });
    counted.add({ kind: "" });
    expect(await lines("trestle_slack_listed_total{")).toEqual([
      'trestle_slack_listed_total{bridge="a",kind="other"} 1000',
      'trestle_slack_listed_total{bridge="a",kind="x"} 1',
    ]);
    expect(await lines("trestle_slack_counted_total{")).toEqual([
      'trestle_slack_counted_total{bridge="a",kind="x0"} 1',
      'trestle_slack_counted_total{bridge="a",kind="x1"} 1',
      'trestle_slack_counted_total{bridge="a",kind="x2"} 1',
      'trestle_slack_counted_total{bridge="a",kind="other"} 998',
    ]);
  });

  it("never go down, and take no number that is none", async () => {
    const calls = metrics.ofConnector("slack", "a").counter("calls_total", "Calls");
    calls.add({}, -1);
    calls.add({}, Number.NaN);
    calls.add({}, 0);
    calls.add({}, Number.POSITIVE_INFINITY);
    calls.add({});
    expect(await lines("trestle_slack_calls_total{")).toEqual(['trestle_slack_calls_total{bridge="a"} 1']);
  });

  it("measure durations", async () => {
    const calls = metrics.ofConnector("slack", "a").histogram("call_seconds", "Calls", { method: 2 });
    calls.observe({ method: "m" }, 0.2);
    calls.observe({ method: "m" }, Number.NaN);
    calls.observe({ method: "m" }, -5);
    expect(await lines("trestle_slack_call_seconds_sum")).toEqual([
      'trestle_slack_call_seconds_sum{bridge="a",method="m"} 0.2',
    ]);
    expect(await lines("trestle_slack_call_seconds_count")).toEqual([
      'trestle_slack_call_seconds_count{bridge="a",method="m"} 2',
    ]);
  });

  it("cannot be declared in two ways, nor with a name that Prometheus refuses", () => {
    const { counter, histogram } = metrics.ofConnector("slack", "a");
    counter("calls_total", "Calls", { method: 2 });
    expect(() => counter("calls_total", "Calls", { method: 3 })).toThrow("other labels");
    for (const name of ["calls", "Calls_total", "1_total", "a-b_total"])
      expect(() => counter(name, "Calls")).toThrow("cannot be the name of a metric");
    expect(() => histogram("calls", "Calls")).toThrow("_seconds");
    for (const label of ["bridge", "le", "a-b"])
      expect(() => counter("more_total", "More", { [label]: 1 })).toThrow("cannot be the name of a label");
    for (const most of [0, 1.5, 1_000, Number.NaN])
      expect(() => counter("more_total", "More", { label: most })).toThrow("may have 1 to 200 values");
  });
});
