import type * as prometheus from "prom-client";
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import type { ConnectionStatus } from "../connector/connector.js";
import type { MatrixExchange } from "../matrix/http.js";
import type { Direction } from "../services/services.js";
import type { ConnectorMetrics } from "../connector/metrics.js";
import { ConnectionGauges } from "./connections.js";
import { ConnectorMetricFamilies } from "./connector-metrics.js";
import { ProcessMetrics } from "./process.js";

export interface MetricsOptions {
  /** Shown as the label of `trestle_info`. */
  readonly version?: string;
  /** In milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** What waits in the journal of one bridge in one direction. */
export interface JournalReading {
  readonly bridge: string;
  readonly direction: Direction;
  /** Due now. */
  readonly queued: number;
  /** To be tried again later. */
  readonly waiting: number;
  readonly dead: number;
  /** The age of the oldest that waits, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
}

export interface TransactionReading {
  readonly bridge: string;
  readonly events: number;
  /** Typing, receipts, presence. */
  readonly ephemeral: number;
  /** From the request's arrival until its events were on disk. */
  readonly commitMs: number;
}

const flow = ["bridge", "direction"] as const;
const fast = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 43_200, 604_800];

/** Statuses that have a series of their own; whatever else a proxy invents is `other`. */
const statuses: ReadonlySet<number> = new Set([200, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504]);

/** The metrics of one Trestle process, on a registry of their own; the set of label values is bounded. */
export class Metrics {
  readonly registry: prometheus.Registry = new Registry();
  readonly #now: () => number;
  readonly #process: ProcessMetrics;
  readonly #connections: ConnectionGauges;
  readonly #connectors = new ConnectorMetricFamilies(this.registry);
  readonly #lastTransaction = new Map<string, number>();
  // Every message passes these two: their series are looked up by one string, not by their labels.
  readonly #deliverySeries = new Map<
    string,
    { readonly count: Counter.Internal; readonly lag: Histogram.Internal<string> }
  >();
  readonly #exchangeSeries = new Map<string, Histogram.Internal<string>>();
  #readJournal: (() => Promise<readonly JournalReading[]>) | undefined;
  #reading: Promise<readonly JournalReading[]> | undefined;

  readonly #registers = [this.registry];
  readonly #delivered = this.#counter("trestle_effects_delivered_total", "Effects that were delivered", flow);
  readonly #retried = this.#counter("trestle_effects_retried_total", "Attempts that failed and are repeated", flow);
  readonly #dead = this.#counter("trestle_effects_dead_total", "Effects that became dead letters", flow);
  readonly #duplicates = this.#counter(
    "trestle_duplicates_dropped_total",
    "Events received again and dropped, because they were known",
    flow,
  );
  readonly #uncertain = this.#counter(
    "trestle_uncertain_resent_total",
    "Effects sent again although an earlier attempt may have arrived: possible repetitions",
    flow,
  );
  readonly #missed = this.#counter(
    "trestle_missed_events_total",
    "Events found in rooms that the homeserver had accepted and not handed over, as after a crash of it",
    ["bridge"],
  );
  readonly #policyDropped = this.#counter(
    "trestle_policy_dropped_total",
    "Events from Matrix that were not passed on because a policy list bans their sender or room",
    ["bridge"],
  );
  readonly #lag = new Histogram({
    name: "trestle_lane_lag_seconds",
    help: "Time from the receipt of an event until its effect was delivered",
    labelNames: flow,
    buckets: slow,
    registers: this.#registers,
  });
  readonly #transactions = this.#counter("trestle_transactions_total", "Transactions received from the homeserver", [
    "bridge",
  ]);
  readonly #transactionEvents = this.#counter("trestle_transaction_events_total", "Events in transactions, by kind", [
    "bridge",
    "kind",
  ]);
  readonly #commit = new Histogram({
    name: "trestle_transaction_commit_seconds",
    help: "Time from the arrival of a transaction until its events were on disk",
    labelNames: ["bridge"],
    buckets: fast,
    registers: this.#registers,
  });
  readonly #exchanges = new Histogram({
    name: "trestle_homeserver_request_seconds",
    help: "Duration of requests to the homeserver, by route and status (none: nobody answered)",
    labelNames: ["method", "route", "status"],
    buckets: fast,
    registers: this.#registers,
  });
  readonly #limited = this.#counter("trestle_homeserver_rate_limited_total", "Requests answered 429", ["route"]);
  readonly #mediaBytes = this.#counter("trestle_media_bytes_total", "Bytes of media passed on", ["direction"]);
  readonly #mediaRequests = this.#counter("trestle_media_proxy_requests_total", "Requests to the media proxy", [
    "status",
  ]);
  readonly #readErrors = this.#counter(
    "trestle_journal_read_errors_total",
    "Scrapes for which the journal could not be read; its gauges are left out of them",
    [],
  );

  constructor(options: MetricsOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#defineJournal();
    this.#defineTransactionAge();
    this.#connections = new ConnectionGauges(this.registry);
    this.#process = new ProcessMetrics(this.registry);
    const info = new Gauge({
      name: "trestle_info",
      help: "Always 1; the version is in the label",
      labelNames: ["version"],
      registers: this.#registers,
    });
    info.set({ version: options.version ?? "unknown" }, 1);
  }

  /** Says where the journal's figures come from; asked at every scrape, so it must be quick. */
  readJournalWith(read: () => Promise<readonly JournalReading[]>): void {
    this.#readJournal = read;
  }

  /** Makes a bridge's counters visible at 0, so that a rate sees their first step. */
  addBridge(bridge: string): void {
    for (const direction of ["toNetwork", "toMatrix"] as const) {
      for (const counter of [this.#delivered, this.#retried, this.#dead, this.#duplicates, this.#uncertain]) {
        counter.inc({ bridge, direction }, 0);
      }
    }
    this.#transactions.inc({ bridge }, 0);
    this.#missed.inc({ bridge }, 0);
    this.#policyDropped.inc({ bridge }, 0);
  }

  /** A bridge is no longer configured: what would stand still is not shown any more; counters keep their values. */
  removeBridge(bridge: string): void {
    this.#lastTransaction.delete(bridge);
    this.#connections.remove(bridge);
  }

  /** `lagMs`: from the receipt of the event until now. */
  delivered(bridge: string, direction: Direction, lagMs: number): void {
    const key = `${bridge} ${direction}`;
    let series = this.#deliverySeries.get(key);
    if (!series) {
      const labels = { bridge, direction };
      series = { count: this.#delivered.labels(labels), lag: this.#lag.labels(labels) };
      this.#deliverySeries.set(key, series);
    }
    series.count.inc();
    series.lag.observe(Math.max(0, lagMs) / 1_000);
  }

  retried(bridge: string, direction: Direction): void {
    this.#retried.inc({ bridge, direction });
  }

  dead(bridge: string, direction: Direction): void {
    this.#dead.inc({ bridge, direction });
  }

  duplicatesDropped(bridge: string, direction: Direction, count = 1): void {
    if (count > 0) this.#duplicates.inc({ bridge, direction }, count);
  }

  uncertainResent(bridge: string, direction: Direction): void {
    this.#uncertain.inc({ bridge, direction });
  }

  missedEvents(bridge: string, count: number): void {
    if (count > 0) this.#missed.inc({ bridge }, count);
  }

  policyDropped(bridge: string): void {
    this.#policyDropped.inc({ bridge });
  }

  transaction({ bridge, events, ephemeral, commitMs }: TransactionReading): void {
    this.#lastTransaction.set(bridge, this.#now());
    this.#transactions.inc({ bridge });
    this.#transactionEvents.inc({ bridge, kind: "event" }, events);
    this.#transactionEvents.inc({ bridge, kind: "ephemeral" }, ephemeral);
    this.#commit.observe({ bridge }, commitMs / 1_000);
  }

  /** What `MatrixHttp` reports: pass it as its `onExchange`. */
  readonly exchange = ({ method, route, status, ms }: MatrixExchange): void => {
    const label = status === 0 ? "none" : statuses.has(status) ? String(status) : "other";
    const key = `${method} ${route} ${label}`;
    let series = this.#exchangeSeries.get(key);
    if (!series) {
      series = this.#exchanges.labels({ method, route, status: label });
      this.#exchangeSeries.set(key, series);
    }
    series.observe(ms / 1_000);
    if (status === 429) this.#limited.inc({ route });
  };

  connection(bridge: string, status: ConnectionStatus): void {
    this.#connections.set(bridge, status);
  }

  /** What the connector of a bridge may measure of its own. */
  ofConnector(network: string, bridge: string): ConnectorMetrics {
    return this.#connectors.of(network, bridge);
  }

  mediaBytes(direction: Direction, bytes: number): void {
    this.#mediaBytes.inc({ direction }, bytes);
  }

  mediaProxyRequest(status: number): void {
    this.#mediaRequests.inc({ status: statuses.has(status) || status === 206 ? String(status) : "other" });
  }

  /** Stops measuring. */
  close(): void {
    this.#process.close();
    this.registry.clear();
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #defineJournal(): void {
    const depth: Gauge<"bridge" | "direction" | "state"> = new Gauge({
      name: "trestle_journal_entries",
      help: "Journal entries by state: queued, waiting for another try, dead",
      labelNames: [...flow, "state"],
      registers: this.#registers,
      collect: async (): Promise<void> => {
        const readings = await this.#journal();
        depth.reset();
        for (const { bridge, direction, ...counts } of readings) {
          for (const state of ["queued", "waiting", "dead"] as const)
            depth.set({ bridge, direction, state }, counts[state]);
        }
      },
    });
    const age: Gauge<"bridge" | "direction"> = new Gauge({
      name: "trestle_journal_oldest_age_seconds",
      help: "Age of the oldest entry that waits; 0 where none waits",
      labelNames: flow,
      registers: this.#registers,
      collect: async (): Promise<void> => {
        const readings = await this.#journal();
        age.reset();
        for (const { bridge, direction, oldestMs } of readings) age.set({ bridge, direction }, oldestMs / 1_000);
      },
    });
  }

  /** One reading for all gauges of a scrape. */
  #journal(): Promise<readonly JournalReading[]> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readOnce(): Promise<readonly JournalReading[]> {
    try {
      return (await this.#readJournal?.()) ?? [];
    } catch {
      this.#readErrors.inc();
      return [];
    }
  }

  #defineTransactionAge(): void {
    const gauge: Gauge<"bridge"> = new Gauge({
      name: "trestle_last_transaction_age_seconds",
      help: "Time since the last transaction; absent where none came since the start",
      labelNames: ["bridge"],
      registers: this.#registers,
      collect: () => {
        gauge.reset();
        for (const [bridge, at] of this.#lastTransaction) gauge.set({ bridge }, (this.#now() - at) / 1_000);
      },
    });
  }
}
