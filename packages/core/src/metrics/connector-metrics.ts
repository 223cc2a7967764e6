import type { Registry } from "prom-client";
import Counter from "prom-client/lib/counter.js";
import Histogram from "prom-client/lib/histogram.js";
import type { ConnectorMetrics, Labels, LabelSets } from "../connector/metrics.js";

/** How many values a label with a number instead of a list may have at most. */
const mostValues = 200;
const namePattern = /^[a-z][a-z0-9_]*$/;
const other = "other";
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Family<Metric> {
  readonly shape: string;
  readonly metric: Metric;
  readonly values: ReadonlyMap<string, Values>;
}

/** The metrics that connectors brought, of all bridges of a process. */
export class ConnectorMetricFamilies {
  readonly #counters = new Map<string, Family<Counter>>();
  readonly #histograms = new Map<string, Family<Histogram>>();

  constructor(readonly registry: Registry) {}

  /** What one bridge's connector gets. `network` is its protocol. */
  of(network: string, bridge: string): ConnectorMetrics {
    const prefix = `trestle_${network.replaceAll("-", "_")}_`;
    return {
      counter: (name, help, labels) => {
        const full = nameOf(prefix, name, "_total");
        const { metric, values } = this.#family(this.#counters, full, labels, (labelNames) => {
          if (this.#histograms.has(full)) throw new RangeError(`The metric ${full} is a histogram.`);
          return new Counter({ name: full, help, labelNames, registers: [this.registry] });
        });
        // What has no labels of its own is seen at 0 from the start, so that a rate sees its first step.
        if (values.size === 0) metric.inc({ bridge }, 0);
        return {
          add: (given, by = 1) => {
            if (by > 0 && Number.isFinite(by)) metric.inc(bounded(bridge, given, values), by);
          },
        };
      },
      histogram: (name, help, labels) => {
        const full = nameOf(prefix, name, "_seconds");
        const { metric, values } = this.#family(this.#histograms, full, labels, (labelNames) => {
          if (this.#counters.has(full)) throw new RangeError(`The metric ${full} is a counter.`);
          return new Histogram({ name: full, help, labelNames, buckets, registers: [this.registry] });
        });
        return {
          observe: (given, seconds) => {
            if (Number.isFinite(seconds)) metric.observe(bounded(bridge, given, values), Math.max(0, seconds));
          },
        };
      },
    };
  }

  #family<Metric>(
    families: Map<string, Family<Metric>>,
    name: string,
    labels: LabelSets<string> = {},
    make: (labelNames: string[]) => Metric,
  ): Family<Metric> {
    const shape = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = families.get(name);
    if (known && known.shape !== shape) throw new RangeError(`The metric ${name} has other labels already.`);
    if (known) return known;
    const values = new Map(Object.entries(labels).map(([label, allowed]) => [label, new Values(label, allowed)]));
    const made = { shape, metric: make(["bridge", ...values.keys()]), values };
    families.set(name, made);
    return made;
  }
}

/** The values a label has had, or may have. */
class Values {
  readonly #known: Set<string>;
  readonly #most: number;

  constructor(label: string, allowed: readonly string[] | number) {
    if (!namePattern.test(label) || label === "bridge" || label === "le")
      throw new RangeError(`"${label}" cannot be the name of a label: a-z, 0-9 and _, and neither bridge nor le.`);
    if (typeof allowed === "number" && !(Number.isInteger(allowed) && allowed >= 1 && allowed <= mostValues))
      throw new RangeError(`The label ${label} may have 1 to ${mostValues} values.`);
    this.#known = new Set(typeof allowed === "number" ? [] : allowed);
    this.#most = typeof allowed === "number" ? allowed : allowed.length;
  }

  bound(value: string | undefined): string {
    if (value === undefined || value === "") return other;
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most) return other;
    this.#known.add(value);
    return value;
  }
}

function bounded(bridge: string, given: Labels<string>, values: ReadonlyMap<string, Values>): Record<string, string> {
  const labels: Record<string, string> = { bridge };
  for (const [label, allowed] of values) labels[label] = allowed.bound(given[label]);
  return labels;
}

function nameOf(prefix: string, name: string, ending: string): string {
  if (!namePattern.test(name) || !name.endsWith(ending))
    throw new RangeError(`"${name}" cannot be the name of a metric: a-z, 0-9 and _, and ${ending} at its end.`);
  return `${prefix}${name}`;
}
