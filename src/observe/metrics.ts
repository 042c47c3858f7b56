/** What an operator graphs and alerts on. Names are API: docs/metrics.md lists them, a test compares it with what is registered here. */
import type { ProbeReason } from "../model/health.ts";
import type { ExpositionFormat, MetricFamily } from "./exposition.ts";
import { newCounter, newHistogram } from "./instruments.ts";
import type { MetricReadings } from "./metric-readings.ts";
import { collectProcessMetrics, type ProcessMetrics } from "./process-metrics.ts";
import { readingFamilies } from "./reading-metrics.ts";
import { type Exposition, writeExposition } from "./write-exposition.ts";

/** What an exemplar tells of a failover: where to read the rest of it. */
export interface FailoverPointer {
  /** `namespace/name`. */
  readonly route: string;
  /** Id of its `Failover` event. */
  readonly event: number;
}

export interface FailoverReading extends FailoverPointer {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** From the end of the first failed probe to the published table; absent for failbacks and operators' acts, which no probe began. */
  readonly seconds?: number;
}

/** The parts of a failover, in their order (docs/metrics.md). */
export type FailoverLeg = "detect" | "decide" | "publish" | "propagate";

/** What became of looking out for a failover's answers. */
export type WatchResult = "seen" | "timeout" | "superseded" | "unwatched";

/** How a drill ended: by its time, by an operator, by a second failure; `held` if it never might withdraw anything. */
export type DrillResult = "completed" | "ended-early" | "aborted" | "held";

/** The engine's side: one call for each thing that happens. All durations are in seconds. */
export interface Metrics {
  readonly probe: (cluster: string, result: ProbeReason, seconds: number) => void;
  readonly failover: (failover: FailoverReading) => void;
  /** @param via where: empty for what happens inside */
  readonly failoverLeg: (leg: FailoverLeg, via: string, seconds: number, of: FailoverPointer) => void;
  /** Looking out for the answers of a failover has ended. @param via as of its leg; empty when it was not looked out for at all */
  readonly failoverWatch: (via: string, result: WatchResult) => void;
  /** A backend that had just returned is out again. */
  readonly flap: (cluster: string) => void;
  /** A drill has ended. */
  readonly drill: (result: DrillResult) => void;
  /** One query's time from socket to socket; the transports call it for a sample of their queries. */
  readonly dnsQueryDuration: (seconds: number) => void;
  /** One request's time in the embedded proxy, from the end of its head to the end of its answer. */
  readonly proxyRequestDuration: (seconds: number) => void;
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
  /**
   * One scrape. What it tells is read while it is written, in parts, between which others have their turn.
   *
   * @param format the Prometheus text format if not given
   */
  readonly exposeParts: (format?: ExpositionFormat) => Promise<Exposition>;
  /** The same as one text, where it is short. */
  readonly expose: (format?: ExpositionFormat) => Promise<string>;
  /** Names of all metrics, sorted. */
  readonly names: () => readonly string[];
  /** Every metric of ours, by name: what docs/metrics.md is compared with. */
  readonly families: () => readonly MetricFamily[];
  /** Says where values are read from now on; readings that are not given stay as they were. */
  readonly attach: (readings: MetricReadings) => void;
}

export interface MetricsOptions {
  /** Also export `process_*` and `nodejs_*`; once in a process, because it observes the process's garbage collector from then on. */
  readonly processMetrics?: boolean;
  /** Milliseconds since the epoch; without it exemplars have no time. */
  readonly now?: () => number;
  /** Lets others have their turn while a long text is written; without it all is written at once. */
  readonly breathe?: () => Promise<void>;
}

/** @returns metrics of their own, so that two instances in one process do not meet */
export function createMetrics({ processMetrics, now, breathe = async () => undefined }: MetricsOptions = {}): Metrics {
  let readings: MetricReadings = {};
  const probes = newHistogram({
    name: "globalroute_probe_duration_seconds",
    help: "Time from the first connect of a probe to its verdict, by result (ok or the class of the failure).",
    labels: ["cluster", "result"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const failovers = newCounter({
    name: "globalroute_failovers_total",
    help: "Moves of a route's clients from one cluster to another.",
    labels: ["from", "to", "reason"],
  });
  const failoverDurations = newHistogram({
    name: "globalroute_failover_duration_seconds",
    help: "Time from the end of the first failed probe to the published table without the cluster.",
    buckets: [0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300],
  });
  const failoverLegs = newHistogram({
    name: "globalroute_failover_leg_seconds",
    help: "Parts of a failover: detect (first failed probe to verdict), decide (to the written table), publish (to served), propagate (to seen).",
    labels: ["leg", "via"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  });
  const failoverWatches = newCounter({
    name: "globalroute_failover_watches_total",
    help: "Failovers whose answers were looked out for, by what became of it.",
    labels: ["via", "result"],
  });
  const flaps = newCounter({
    name: "globalroute_flaps_total",
    help: "Backends that were withdrawn again within their damping window after they had returned.",
    labels: ["cluster"],
  });
  const drills = newCounter({
    name: "globalroute_drills_total",
    help: "Drills that have ended, by how.",
    labels: ["result"],
  });
  const dnsDurations = newHistogram({
    name: "globalroute_dns_query_duration_seconds",
    help: "Time to answer one DNS query, sampled.",
    buckets: [0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1],
  });
  const proxyDurations = newHistogram({
    name: "globalroute_proxy_request_duration_seconds",
    help: "Time of one HTTP request in the embedded proxy, from the end of its head to the end of its answer.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  });
  const compiles = newHistogram({
    name: "globalroute_table_compile_seconds",
    help: "Time to compile a routing table.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const holds = newCounter({
    name: "globalroute_guard_holds_total",
    help: "Changes that a safety rule held back.",
    labels: ["rule"],
  });
  const transfers = newCounter({
    name: "globalroute_zone_transfers_total",
    help: "Requests for copies of zones, by what was sent and what became of it.",
    labels: ["zone", "type", "result"],
  });
  const notifications = newCounter({
    name: "globalroute_zone_notify_total",
    help: "Notifications of new serials to holders of copies, by what became of each try.",
    labels: ["zone", "result"],
  });
  const notices = newCounter({
    name: "globalroute_notifications_total",
    help: "Notifications of people, by what became of each: sent, retried (a try that failed), failed (given up), dropped (too many waited), suppressed (repeats within the window).",
    labels: ["receiver", "result"],
  });
  const providerChanges = newCounter({
    name: "globalroute_provider_changes_total",
    help: "Changes of record sets in zones that are kept elsewhere.",
    labels: ["zone", "action"],
  });
  const providerErrors = newCounter({
    name: "globalroute_provider_errors_total",
    help: "Failed tries to bring a zone that is kept elsewhere up to date, by what went wrong.",
    labels: ["zone", "code"],
  });
  const providerPropagations = newHistogram({
    name: "globalroute_provider_propagation_seconds",
    help: "From the provider's accepting changes of a zone to its having them on all of its servers.",
    labels: ["zone"],
    buckets: [1, 2, 5, 10, 20, 30, 60, 120],
  });
  const own: readonly MetricFamily[] = [
    ...[probes, failovers, failoverDurations, failoverLegs, failoverWatches, flaps, drills, dnsDurations, proxyDurations, compiles],
    ...[holds, transfers, notifications, notices, providerChanges, providerErrors, providerPropagations],
    ...readingFamilies(() => readings),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const process: ProcessMetrics = processMetrics === true ? collectProcessMetrics() : { names: [], read: async () => [] };

  const exemplar = ({ route, event }: FailoverPointer) => ({
    labels: { route, event_id: String(event) },
    ...(now === undefined ? {} : { at: now() / 1000 }),
  });

  async function exposeParts(format: ExpositionFormat = "Text"): Promise<Exposition> {
    await readings.prepare?.(breathe);
    const families = [...own, ...(await process.read())];
    await breathe();
    return writeExposition(families, format, breathe);
  }

  return {
    probe: (cluster, result, seconds) => probes.observe({ cluster, result }, seconds),
    failover: ({ from, to, reason, seconds, ...pointer }) => {
      failovers.add({ from, to, reason });
      if (seconds !== undefined) failoverDurations.observe({}, seconds, exemplar(pointer));
    },
    failoverLeg: (leg, via, seconds, of) => failoverLegs.observe({ leg, via }, seconds, exemplar(of)),
    failoverWatch: (via, result) => failoverWatches.add({ via, result }),
    flap: (cluster) => flaps.add({ cluster }),
    drill: (result) => drills.add({ result }),
    dnsQueryDuration: (seconds) => dnsDurations.observe({}, seconds),
    proxyRequestDuration: (seconds) => proxyDurations.observe({}, seconds),
    compile: (seconds) => compiles.observe({}, seconds),
    guardHold: (rule) => holds.add({ rule }),
    transfer: (zone, type, result) => transfers.add({ zone, type, result }),
    notify: (zone, result) => notifications.add({ zone, result }),
    notification: (receiver, result) => notices.add({ receiver, result }),
    providerChanges: (zone, action) => providerChanges.add({ zone, action }),
    providerError: (zone, code) => providerErrors.add({ zone, code }),
    providerPropagation: (zone, seconds) => providerPropagations.observe({ zone }, seconds),
    exposeParts,
    async expose(format) {
      const parts: Uint8Array[] = [];
      for await (const part of (await exposeParts(format)).parts) parts.push(part);
      return Buffer.concat(parts).toString();
    },
    names: () => [...own.map(({ name }) => name), ...process.names].sort(),
    families: () => own,
    attach: (more) => {
      readings = { ...readings, ...more };
    },
  };
}
