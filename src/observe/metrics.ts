/** What an operator graphs and alerts on. Names are API: docs/metrics.md lists them, a test compares it with what is registered here. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { ProbeReason } from "../model/health.ts";
import type { MetricReadings } from "./metric-readings.ts";
import { registerReadings } from "./reading-metrics.ts";

export interface FailoverReading {
  /** `namespace/name`. */
  readonly route: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** From the end of the first failed probe to the published table; absent for failbacks and operators' acts, which no probe began. */
  readonly seconds?: number;
}

/** The engine's side: one call for each thing that happens. All durations are in seconds. */
export interface Metrics {
  readonly probe: (cluster: string, result: ProbeReason, seconds: number) => void;
  readonly failover: (failover: FailoverReading) => void;
  /** One query's time from socket to socket; the transports call it for a sample of their queries. */
  readonly dnsQueryDuration: (seconds: number) => void;
  readonly compile: (seconds: number) => void;
  readonly guardHold: (rule: string) => void;
  /** @param zone domain; empty when the request named no zone of ours. `type` is what was sent, or asked for when nothing was */
  readonly transfer: (zone: string, type: "AXFR" | "IXFR", result: string) => void;
  readonly notify: (zone: string, result: string) => void;
  /** @param result `sent`, `retried`, `failed`, `dropped` or `suppressed` */
  readonly notification: (receiver: string, result: string) => void;
  /** One change of a record set that a provider has made. @param zone domain */
  readonly providerChanges: (zone: string, action: "Create" | "Replace" | "Delete") => void;
  readonly providerError: (zone: string, code: string) => void;
  /** Changes that a provider had accepted have reached all of its servers. */
  readonly providerPropagation: (zone: string, seconds: number) => void;
  /** @returns the text of one scrape (Prometheus exposition format 0.0.4) */
  readonly expose: () => Promise<string>;
  /** Value of the scrape's Content-Type. */
  readonly contentType: string;
  /** Names of all metrics, sorted. */
  readonly names: () => readonly string[];
  /** Says where values are read from now on; readings that are not given stay as they were. */
  readonly attach: (readings: MetricReadings) => void;
}

export interface MetricsOptions {
  /** Also export `process_*` and `nodejs_*`; once in a process, because it observes the process's garbage collector from then on. */
  readonly processMetrics?: boolean;
}

/** Gauges that prom-client names `_total`, which `promtool check metrics` refuses. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** @returns metrics in a registry of their own, so that two instances in one process do not meet */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let readings: MetricReadings = {};
  registerReadings(registry, () => readings);

  const probes = new Histogram({
    name: "globalroute_probe_duration_seconds",
    help: "Time from the first connect of a probe to its verdict, by result (ok or the class of the failure).",
    labelNames: ["cluster", "result"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const failovers = new Counter({
    name: "globalroute_failovers_total",
    help: "Moves of a route's clients from one cluster to another.",
    labelNames: ["route", "from", "to", "reason"],
    registers,
  });
  const failoverDurations = new Histogram({
    name: "globalroute_failover_duration_seconds",
    help: "Time from the end of the first failed probe to the published table without the cluster.",
    buckets: [0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300],
    registers,
  });
  const dnsDurations = new Histogram({
    name: "globalroute_dns_query_duration_seconds",
    help: "Time to answer one DNS query, sampled.",
    buckets: [0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1],
    registers,
  });
  const compiles = new Histogram({
    name: "globalroute_table_compile_seconds",
    help: "Time to compile a routing table.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const holds = new Counter({
    name: "globalroute_guard_holds_total",
    help: "Changes that a safety rule held back.",
    labelNames: ["rule"],
    registers,
  });
  const transfers = new Counter({
    name: "globalroute_zone_transfers_total",
    help: "Requests for copies of zones, by what was sent and what became of it.",
    labelNames: ["zone", "type", "result"],
    registers,
  });
  const notifications = new Counter({
    name: "globalroute_zone_notify_total",
    help: "Notifications of new serials to holders of copies, by what became of each try.",
    labelNames: ["zone", "result"],
    registers,
  });
  const notices = new Counter({
    name: "globalroute_notifications_total",
    help: "Notifications of people, by what became of each: sent, retried (a try that failed), failed (given up), dropped (too many waited), suppressed (repeats within the window).",
    labelNames: ["receiver", "result"],
    registers,
  });
  const providerChanges = new Counter({
    name: "globalroute_provider_changes_total",
    help: "Changes of record sets in zones that are kept elsewhere.",
    labelNames: ["zone", "action"],
    registers,
  });
  const providerErrors = new Counter({
    name: "globalroute_provider_errors_total",
    help: "Failed tries to bring a zone that is kept elsewhere up to date, by what went wrong.",
    labelNames: ["zone", "code"],
    registers,
  });
  const providerPropagations = new Histogram({
    name: "globalroute_provider_propagation_seconds",
    help: "From the provider's accepting changes of a zone to its having them on all of its servers.",
    labelNames: ["zone"],
    buckets: [1, 2, 5, 10, 20, 30, 60, 120],
    registers,
  });
  if (options.processMetrics === true) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  return {
    probe: (cluster, result, seconds) => probes.observe({ cluster, result }, seconds),
    failover: ({ route, from, to, reason, seconds }) => {
      failovers.inc({ route, from, to, reason });
      if (seconds !== undefined) failoverDurations.observe(seconds);
    },
    dnsQueryDuration: (seconds) => dnsDurations.observe(seconds),
    compile: (seconds) => compiles.observe(seconds),
    guardHold: (rule) => holds.inc({ rule }),
    transfer: (zone, type, result) => transfers.inc({ zone, type, result }),
    notify: (zone, result) => notifications.inc({ zone, result }),
    notification: (receiver, result) => notices.inc({ receiver, result }),
    providerChanges: (zone, action) => providerChanges.inc({ zone, action }),
    providerError: (zone, code) => providerErrors.inc({ zone, code }),
    providerPropagation: (zone, seconds) => providerPropagations.observe({ zone }, seconds),
    expose: () => registry.metrics(),
    contentType: registry.contentType,
    names: () =>
      registry
        .getMetricsAsArray()
        .map((metric) => metric.name)
        .sort(),
    attach: (more) => {
      readings = { ...readings, ...more };
    },
  };
}
