/** Metrics of what others keep, read when a scrape asks. */
import { Counter, Gauge, type Registry } from "prom-client";
import { DEGRADED_REASONS, type MetricReadings } from "./metric-readings.ts";

/** The metrics whose values are read at scrape time. Each is emptied first: what is gone must leave no series behind. */
export function registerReadings(registry: Registry, readings: () => MetricReadings): void {
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
