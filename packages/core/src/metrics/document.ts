import type { Registry } from "prom-client";

/** The list of all metrics as a Markdown page. */
export function describeMetrics(registry: Registry): string {
  const rows = registry
    .getMetricsAsArray()
    .map((metric) => ({ name: metric.name, type: String(metric.type), help: metric.help, labels: labelsOf(metric) }))
    .sort((a, b) => order(a.name).localeCompare(order(b.name), "en"))
    .map(({ name, type, help, labels }) => `| \`${name}\` | ${type} | ${labels} | ${help} |`);
  return [
    "# Metrics",
    "",
    "`GET /metrics` of the operations listener answers in the Prometheus text format. A histogram `x` consists of",
    "`x_bucket`, `x_sum` and `x_count`. `direction` is `toNetwork` (Matrix to the network) or `toMatrix`.",
    "This page is generated from the code.",
    "",
    "| Name | Type | Labels | Meaning |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Ours before those of the process. */
function order(name: string): string {
  return name.startsWith("trestle_") ? `0${name}` : `1${name}`;
}

function labelsOf(metric: object): string {
  const names: unknown = "labelNames" in metric ? metric.labelNames : [];
  if (!Array.isArray(names)) return "";
  return names
    .filter((name) => typeof name === "string" && name !== "le")
    .map((name) => `\`${String(name)}\``)
    .join(", ");
}
