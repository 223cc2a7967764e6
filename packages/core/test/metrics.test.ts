import { afterEach, describe, expect, it } from "@jest/globals";
import { readFile, writeFile } from "node:fs/promises";
import { describeMetrics } from "../dist/metrics/document.js";
import { Metrics, type JournalReading } from "../dist/metrics/metrics.js";

let open: Metrics[] = [];
afterEach(() => {
  for (const metrics of open) metrics.close();
  open = [];
});

function create(options: ConstructorParameters<typeof Metrics>[0] = {}): Metrics {
  const metrics = new Metrics(options);
  open.push(metrics);
  return metrics;
}

async function values(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const text = await metrics.registry.metrics();
  const found: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line);
    if (match?.[1] === name) found[match[2] ?? ""] = Number(match[3]);
  }
  return found;
}

describe("the metrics", () => {
  it("count what happens to effects", async () => {
    const metrics = create();
    metrics.addBridge("irc");
    metrics.delivered("irc", "toMatrix", 1_500);
    metrics.retried("irc", "toMatrix");
    metrics.retried("irc", "toMatrix");
    metrics.dead("irc", "toNetwork");
    metrics.duplicatesDropped("irc", "toNetwork", 3);
    metrics.duplicatesDropped("irc", "toNetwork", 0);
    metrics.uncertainResent("irc", "toNetwork");
    const series = (name: string): Promise<Record<string, number>> => values(metrics, name);
    expect(await series("trestle_effects_delivered_total")).toEqual({
      '{bridge="irc",direction="toNetwork"}': 0,
      '{bridge="irc",direction="toMatrix"}': 1,
    });
    expect(await series("trestle_effects_retried_total")).toMatchObject({ '{bridge="irc",direction="toMatrix"}': 2 });
    expect(await series("trestle_effects_dead_total")).toMatchObject({ '{bridge="irc",direction="toNetwork"}': 1 });
    expect(await series("trestle_duplicates_dropped_total")).toMatchObject({
      '{bridge="irc",direction="toNetwork"}': 3,
    });
    expect(await series("trestle_uncertain_resent_total")).toMatchObject({ '{bridge="irc",direction="toNetwork"}': 1 });
    expect(await series("trestle_lane_lag_seconds_sum")).toEqual({ '{bridge="irc",direction="toMatrix"}': 1.5 });
  });

  it("read the journal once a scrape, and forget what is not in it any more", async () => {
    const metrics = create();
    let readings: JournalReading[] = [
      { bridge: "irc", direction: "toMatrix", queued: 2, waiting: 1, dead: 3, oldestMs: 2_500 },
      { bridge: "old", direction: "toNetwork", queued: 9, waiting: 0, dead: 0, oldestMs: 10 },
    ];
    let reads = 0;
    metrics.readJournalWith(async () => {
      reads += 1;
      return readings;
    });
    expect(await values(metrics, "trestle_journal_entries")).toMatchObject({
      '{bridge="irc",direction="toMatrix",state="queued"}': 2,
      '{bridge="irc",direction="toMatrix",state="waiting"}': 1,
      '{bridge="irc",direction="toMatrix",state="dead"}': 3,
      '{bridge="old",direction="toNetwork",state="queued"}': 9,
    });
    expect(reads).toBe(1);
    readings = [{ bridge: "irc", direction: "toMatrix", queued: 0, waiting: 0, dead: 3, oldestMs: 0 }];
    expect(await values(metrics, "trestle_journal_oldest_age_seconds")).toEqual({
      '{bridge="irc",direction="toMatrix"}': 0,
    });
    expect(await values(metrics, "trestle_journal_entries")).toEqual({
      '{bridge="irc",direction="toMatrix",state="queued"}': 0,
      '{bridge="irc",direction="toMatrix",state="waiting"}': 0,
      '{bridge="irc",direction="toMatrix",state="dead"}': 3,
    });
  });

  it("stay readable when the journal is not", async () => {
    const metrics = create();
    metrics.readJournalWith(async () => {
      throw new Error("disk gone");
    });
    expect(await values(metrics, "trestle_journal_entries")).toEqual({});
    expect(await values(metrics, "trestle_journal_read_errors_total")).toEqual({ "": 1 });
  });

  it("show how long ago the last transaction came", async () => {
    let now = 100_000;
    const metrics = create({ now: () => now });
    expect(await values(metrics, "trestle_last_transaction_age_seconds")).toEqual({});
    metrics.transaction({ bridge: "irc", events: 3, ephemeral: 1, commitMs: 4 });
    now += 12_500;
    expect(await values(metrics, "trestle_last_transaction_age_seconds")).toEqual({ '{bridge="irc"}': 12.5 });
    expect(await values(metrics, "trestle_transaction_events_total")).toEqual({
      '{bridge="irc",kind="event"}': 3,
      '{bridge="irc",kind="ephemeral"}': 1,
    });
    expect(await values(metrics, "trestle_transaction_commit_seconds_sum")).toEqual({ '{bridge="irc"}': 0.004 });
  });

  it("keep the set of statuses bounded", async () => {
    const metrics = create();
    for (let status = 0; status < 1_000; status += 1) metrics.exchange({ method: "PUT", route: "/x", status, ms: 1 });
    const series = Object.keys(await values(metrics, "trestle_homeserver_request_seconds_count"));
    expect(series.length).toBeLessThanOrEqual(14);
    expect(series).toContain('{method="PUT",route="/x",status="none"}');
    expect(await values(metrics, "trestle_homeserver_rate_limited_total")).toEqual({ '{route="/x"}': 1 });
  });

  it("show connections, by state all of them and by name no more than a hundred", async () => {
    const metrics = create();
    for (let index = 0; index < 500; index += 1)
      metrics.connection("irc", { connection: `net/nick${index}`, state: "connected" });
    metrics.connection("irc", { connection: "net/nick0", state: "waiting" });
    metrics.connection("irc", { connection: "net/nick1", state: "closed" });
    expect(await values(metrics, "trestle_connections")).toEqual({
      '{bridge="irc",state="connecting"}': 0,
      '{bridge="irc",state="connected"}': 498,
      '{bridge="irc",state="waiting"}': 1,
      '{bridge="irc",state="failed"}': 0,
    });
    const named = await values(metrics, "trestle_connection_up");
    expect(Object.keys(named)).toHaveLength(99);
    expect(named['{bridge="irc",connection="net/nick0"}']).toBe(0);
    expect(named['{bridge="irc",connection="net/nick2"}']).toBe(1);
  });

  it("have registries of their own", async () => {
    const [one, two] = [create(), create()];
    one.mediaBytes("toMatrix", 10);
    expect(await values(one, "trestle_media_bytes_total")).toEqual({ '{direction="toMatrix"}': 10 });
    expect(await values(two, "trestle_media_bytes_total")).toEqual({});
  });

  it("show the process", async () => {
    const metrics = create({ version: "1.2.3" });
    expect(await values(metrics, "trestle_info")).toEqual({ '{version="1.2.3"}': 1 });
    expect((await values(metrics, "process_resident_memory_bytes"))[""]).toBeGreaterThan(1e6);
    expect((await values(metrics, "process_cpu_seconds_total"))[""]).toBeGreaterThan(0);
    expect(Object.keys(await values(metrics, "nodejs_eventloop_lag_seconds"))).toHaveLength(3);
  });

  it("follow the naming of Prometheus", () => {
    for (const metric of create().registry.getMetricsAsArray()) {
      expect(metric.name).toMatch(/^(trestle|process|nodejs)_[a-z_]+$/);
      expect(metric.name.endsWith("_total")).toBe(String(metric.type) === "counter");
      expect(metric.help).not.toBe("");
    }
  });

  it("are listed in docs/metrics.md (write it anew with UPDATE_DOCS=1)", async () => {
    const path = new URL("../../../docs/metrics.md", import.meta.url);
    const page = describeMetrics(create().registry);
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, page);
    expect(await readFile(path, "utf8")).toBe(page);
  });
});
