import { readdir } from "node:fs/promises";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Registry } from "prom-client";
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";

/** How often the event loop is looked at, in milliseconds: a loop that is never late shows just this. */
const resolution = 10;

/** Process and event-loop metrics under the names that dashboards know; unlike the library's own they can be stopped. */
export class ProcessMetrics {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution });

  constructor(private readonly registry: Registry) {
    this.#delay.enable();
    this.#defineCpu();
    this.#gauge("process_start_time_seconds", "Start of the process, in seconds since 1970").set(
      Math.floor(Date.now() / 1_000 - process.uptime()),
    );
    this.#gauge("process_resident_memory_bytes", "Resident memory", (gauge) => gauge.set(process.memoryUsage.rss()));
    this.#gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use", (gauge) =>
      gauge.set(process.memoryUsage().heapUsed),
    );
    this.#gauge("process_open_fds", "Open file descriptors, where the system tells", async (gauge) => {
      const count = await openDescriptors();
      if (count !== undefined) gauge.set(count);
    });
    this.#defineEventLoopLag();
  }

  close(): void {
    this.#delay.disable();
  }

  #defineCpu(): void {
    let counted = 0;
    const counter: Counter = new Counter({
      name: "process_cpu_seconds_total",
      help: "User and system CPU time",
      registers: [this.registry],
      collect: () => {
        const { user, system } = process.cpuUsage();
        const now = (user + system) / 1e6;
        counter.inc(now - counted);
        counted = now;
      },
    });
  }

  #defineEventLoopLag(): void {
    const lag: Gauge<"quantile"> = new Gauge({
      name: "nodejs_eventloop_lag_seconds",
      help: "How late the event loop ran timers since the last scrape",
      labelNames: ["quantile"],
      registers: [this.registry],
      collect: () => {
        const quantiles = [0.5, 0.99, 1] as const;
        for (const quantile of quantiles) {
          const nanoseconds = quantile === 1 ? this.#delay.max : this.#delay.percentile(quantile * 100);
          lag.set({ quantile: String(quantile) }, Math.max(0, nanoseconds / 1e9 - resolution / 1e3));
        }
        this.#delay.reset();
      },
    });
  }

  #gauge(name: string, help: string, collect?: (gauge: Gauge) => void | Promise<void>): Gauge {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
    });
    return gauge;
  }
}

async function openDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    // Only Linux has it; the gauge then has no value.
    return undefined;
  }
}
