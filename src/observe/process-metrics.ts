/** What prom-client tells of the process itself: memory, CPU, event loop, garbage collection. */
import { collectDefaultMetrics, Registry } from "prom-client";
import type { MetricFamily, MetricKind, Sample } from "./exposition.ts";

export interface ProcessMetrics {
  readonly names: readonly string[];
  /** As they are now. */
  readonly read: () => Promise<readonly MetricFamily[]>;
}

/** Gauges that prom-client names `_total`, which `promtool check metrics` refuses. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** Begins to observe the process: once in a process is enough. */
export function collectProcessMetrics(): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return {
    names: registry.getMetricsAsArray().map(({ name }) => name),
    read: async () =>
      (await registry.getMetricsAsJSON()).map(({ name, help, type, values }) => ({
        name,
        help,
        kind: kindOf(type),
        labels: [],
        samples: () => values.map((value): Sample => ({ name: sampleName(name, value), labels: value.labels, value: value.value })),
      })),
  };
}

const KINDS = ["counter", "gauge", "histogram", "summary"] as const;

/** prom-client says it by a word, which its types take for a number. */
const kindOf = (type: unknown): MetricKind => KINDS.find((kind) => kind === type) ?? "gauge";

/** Of a histogram's and a summary's values prom-client tells the whole name, which its types do not know. */
const sampleName = (family: string, value: object): string =>
  "metricName" in value && typeof value.metricName === "string" ? value.metricName : family;
