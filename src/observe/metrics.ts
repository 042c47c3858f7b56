/** What an operator graphs and alerts on. Names are API: docs/metrics.md lists them, a test compares it with what is registered here. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ProbeReason } from "../model/health.ts";

/** Every reason that {@link MetricReadings.degraded} is known to give: exported as 0 while it does not hold, so that an alert can tell 0 from absent. */
export const DEGRADED_REASONS: readonly string[] = [
  "config-rejected",
  "inputs-held",
  "geo-stale",
  "geo-rejected",
  "last-good",
  "compile-failed",
  "vantage-suspect",
  "fail-open",
  "withdrawal-held",
  "state-unsaved",
  "hub-unreachable",
  "peer-lost",
];

/** Values that somebody else keeps; they are read when a scrape asks. A reading that is left out exports no series. */
export interface MetricReadings {
  readonly table?: () => { readonly version: number; readonly ageSeconds: number };
  /** Age of the oldest geo database in use, by its build date. */
  readonly geoAgeSeconds?: () => number;
  readonly degraded?: () => readonly string[];
  readonly endpoints?: () => Iterable<EndpointReading>;
  /** Counts since the process began. */
  readonly dnsQueries?: () => Iterable<DnsQueryReading>;
  /** Counts since the process began. */
  readonly decisions?: () => Iterable<DecisionReading>;
  /** Counts since the process began. */
  readonly rateLimited?: () => Iterable<RateLimitReading>;
  /** Counts since the process began. */
  readonly cookies?: () => Iterable<CookieReading>;
  /** Queries that waited for a thread that signs; counts since the process began. */
  readonly slow?: () => SlowReading;
  /** One for each signed zone. */
  readonly signatures?: () => Iterable<SignatureReading>;
  /** One for each zone that is served. */
  readonly zoneSerials?: () => Iterable<ZoneSerialReading>;
  /** Policies of the present table whose ECS scopes are the leaves' own, because merged ones would not fit the byte budget. */
  readonly scopeFallbacks?: () => number;
  /** Epoch of the term in which this replica writes; undefined while another one does. */
  readonly writerEpoch?: () => number | undefined;
  /** One for each member cluster with an API server. */
  readonly clusters?: () => Iterable<{ readonly cluster: string; readonly connected: boolean }>;
  /** One for each other replica and vantage that was met. */
  readonly peers?: () => Iterable<{ readonly peer: string; readonly role: string; readonly connected: boolean }>;
}

export interface EndpointReading {
  readonly cluster: string;
  readonly address: string;
  /** `namespace/name`; absent where one probe serves several routes. */
  readonly route?: string;
  readonly healthy: boolean;
}

export interface DnsQueryReading {
  readonly rcode: string;
  readonly type: string;
  readonly transport: string;
  readonly count: number;
}

export interface DecisionReading {
  /** As `mode` of an explanation. */
  readonly mode: string;
  readonly count: number;
}

export interface RateLimitReading {
  readonly action: "slipped" | "dropped";
  readonly count: number;
}

export interface CookieReading {
  readonly state: "valid" | "client_only" | "invalid";
  readonly count: number;
}

/** Lanes: names that exist, and random ones, which do not or only by a wildcard. */
export interface SlowReading {
  readonly lanes: readonly [SlowLaneReading, SlowLaneReading];
  /** Signatures made on demand. */
  readonly signed: number;
}

export interface SlowLaneReading {
  readonly queued: number;
  /** Dropped: no room, the source's network has its share, or waited too long. */
  readonly dropped: number;
  readonly refused: number;
  readonly stale: number;
}

export interface SignatureReading {
  /** Domain. */
  readonly zone: string;
  /** Until the first of its signatures ends. */
  readonly seconds: number;
}

export interface ZoneSerialReading {
  /** Domain. */
  readonly zone: string;
  readonly serial: number;
}

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

/** The metrics whose values are read at scrape time. Each is emptied first: what is gone must leave no series behind. */
function registerReadings(registry: Registry, readings: () => MetricReadings): void {
  const registers = [registry];
  new Gauge({
    name: "globalroute_table_version",
    help: "Version of the routing table that is served; grows by one with every table of one process.",
    registers,
    collect() {
      this.remove();
      const value = readings().table?.()?.version;
      if (value !== undefined) this.set(value);
    },
  });
  new Gauge({
    name: "globalroute_table_age_seconds",
    help: "Time since the served routing table was compiled.",
    registers,
    collect() {
      this.remove();
      const value = readings().table?.()?.ageSeconds;
      if (value !== undefined) this.set(value);
    },
  });
  new Gauge({
    name: "globalroute_geo_age_seconds",
    help: "Time since the oldest geo database in use was built.",
    registers,
    collect() {
      this.remove();
      const value = readings().geoAgeSeconds?.();
      if (value !== undefined) this.set(value);
    },
  });
  new Gauge({
    name: "globalroute_scope_fallbacks",
    help: "Policies whose ECS scopes are the geo database's own networks, because merged ones would not fit the memory budget.",
    registers,
    collect() {
      this.remove();
      const value = readings().scopeFallbacks?.();
      if (value !== undefined) this.set(value);
    },
  });
  new Gauge({
    name: "globalroute_writer",
    help: "1 while this replica holds the writer's Lease, else 0; in Kubernetes only.",
    registers,
    collect() {
      this.remove();
      const { writerEpoch } = readings();
      if (writerEpoch !== undefined) this.set(writerEpoch() === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: "globalroute_cluster_connected",
    help: "1 while the API server of a member cluster is read, else 0.",
    labelNames: ["cluster"],
    registers,
    collect() {
      this.reset();
      for (const { cluster, connected } of readings().clusters?.() ?? []) this.set({ cluster }, connected ? 1 : 0);
    },
  });
  new Gauge({
    name: "globalroute_peer_connected",
    help: "1 while another replica or a vantage is heard, else 0.",
    labelNames: ["peer", "role"],
    registers,
    collect() {
      this.reset();
      for (const { connected, ...labels } of readings().peers?.() ?? []) this.set(labels, connected ? 1 : 0);
    },
  });
  new Gauge({
    name: "globalroute_degraded",
    help: "1 while the instance serves with less than it should have, by reason; readiness is not affected.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      const reasons = readings().degraded?.();
      if (reasons === undefined) return;
      for (const reason of DEGRADED_REASONS) this.set({ reason }, 0);
      for (const reason of reasons) this.set({ reason }, 1);
    },
  });
  new Gauge({
    name: "globalroute_endpoint_healthy",
    help: "1 while every probe of the endpoint finds it Healthy, 0 while one finds it Unhealthy or has not decided.",
    labelNames: ["cluster", "address", "route"],
    registers,
    collect() {
      this.reset();
      const down = new Set<string>(); // one address may be probed in several ways: it is as good as the worst of them
      for (const { healthy, ...labels } of readings().endpoints?.() ?? []) {
        const series = JSON.stringify(labels);
        if (!healthy) down.add(series);
        this.set(labels, down.has(series) ? 0 : 1);
      }
    },
  });
  new Counter({
    name: "globalroute_dns_queries_total",
    help: "DNS queries answered, by response code, query type and transport.",
    labelNames: ["rcode", "type", "transport"],
    registers,
    collect() {
      this.reset();
      for (const { count, ...labels } of readings().dnsQueries?.() ?? []) this.inc(labels, count);
    },
  });
  new Counter({
    name: "globalroute_decisions_total",
    help: "Routing decisions made for DNS answers, by what could be answered (Usable, Pending, FailOpen…, Held, Nothing).",
    labelNames: ["mode"],
    registers,
    collect() {
      this.reset();
      for (const { count, mode } of readings().decisions?.() ?? []) this.inc({ mode }, count);
    },
  });
  new Counter({
    name: "globalroute_dns_rate_limited_total",
    help: "DNS answers that the rate limit stopped: sent truncated (slipped) or not at all (dropped).",
    labelNames: ["action"],
    registers,
    collect() {
      this.reset();
      for (const { count, action } of readings().rateLimited?.() ?? []) this.inc({ action }, count);
    },
  });
  new Counter({
    name: "globalroute_dns_cookies_total",
    help: "DNS queries with a cookie, by what it says of the sender.",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      for (const { count, state } of readings().cookies?.() ?? []) this.inc({ state }, count);
    },
  });
  new Counter({
    name: "globalroute_dns_deferred_total",
    help: "DNS queries handed to a thread that signs, by whether their names exist (known) or not, or only by a wildcard (random).",
    labelNames: ["lane"],
    registers,
    collect() {
      this.reset();
      const lanes = readings().slow?.().lanes;
      if (lanes === undefined) return;
      this.inc({ lane: "known" }, lanes[0].queued);
      this.inc({ lane: "random" }, lanes[1].queued);
    },
  });
  new Counter({
    name: "globalroute_dns_deferred_dropped_total",
    help: "DNS queries that got no answer because too many waited for a signature.",
    labelNames: ["lane", "reason"],
    registers,
    collect() {
      this.reset();
      readings()
        .slow?.()
        .lanes.forEach(({ dropped, refused, stale }, i) => {
          const lane = i === 0 ? "known" : "random";
          this.inc({ lane, reason: "full" }, dropped);
          this.inc({ lane, reason: "source" }, refused);
          this.inc({ lane, reason: "late" }, stale);
        });
    },
  });
  new Counter({
    name: "globalroute_dns_signatures_total",
    help: "Signatures made on demand.",
    registers,
    collect() {
      this.reset();
      this.inc(readings().slow?.().signed ?? 0);
    },
  });
  new Gauge({
    name: "globalroute_zone_serial",
    help: "SOA serial of a zone.",
    labelNames: ["zone"],
    registers,
    collect() {
      this.reset();
      for (const { zone, serial } of readings().zoneSerials?.() ?? []) this.set({ zone }, serial);
    },
  });
  new Gauge({
    name: "globalroute_rrsig_expiry_seconds",
    help: "Time until the first of a signed zone's signatures ends.",
    labelNames: ["zone"],
    registers,
    collect() {
      this.reset();
      for (const { zone, seconds } of readings().signatures?.() ?? []) this.set({ zone }, seconds);
    },
  });
}
