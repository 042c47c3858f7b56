/** Alerts on clusters that fail, and on failovers that take long or do not hold. */
import type { Alert } from "../alert.ts";
import { FAILOVER_SECONDS } from "../objectives.ts";
import { atMost, grown } from "../promql.ts";

/** As the replica tells that has seen most of them: each measures every failover by itself. */
const slow = (name: string, bound: number, range: string, by: string, matchers = ""): string => {
  const all = matchers === "" ? `${name}_count` : `${name}_count{${matchers}}`;
  const bucket = `${name}_bucket{${matchers === "" ? "" : `${matchers},`}${atMost(bound)}}`;
  const each = `sum by (${by}, instance)`;
  return `max by (${by}) (${each} (${grown(all, range)}) - ${each} (${grown(bucket, range)}))`;
};
const PUBLISH = 'leg="publish",via!="embedded"';
const flaps = `max by (namespace, job, cluster) (${grown("globalroute_flaps_total", "1h")})`;
const timeouts = `sum by (namespace, job, via) (${grown('globalroute_failover_watches_total{result="timeout"}', "30m")})`;

export const failoverAlerts: readonly Alert[] = [
  {
    name: "GlobalRouteClusterLost",
    severity: "warning",
    expr: "max by (namespace, job, cluster) (globalroute_cluster_population_share) == 0 and max by (namespace, job, cluster) (max_over_time(globalroute_cluster_population_share[1h])) > 0",
    for: "2m",
    reads: ["globalroute_cluster_population_share"],
    summary: "Nobody is sent to {{ $labels.cluster }} any more",
    description: "It served people within the last hour; they are sent elsewhere now, farther away, and the others carry their load.",
    runbook: "cluster-lost",
  },
  {
    name: "GlobalRouteClusterUnhealthy",
    severity: "warning",
    expr: "max by (namespace, job, cluster) (globalroute_endpoint_healthy) == 0",
    for: "5m",
    reads: ["globalroute_endpoint_healthy"],
    summary: "No endpoint of {{ $labels.cluster }} is healthy",
    description: "Every probed endpoint of the cluster fails at every instance. It serves nobody, or only what is answered fail-open.",
    runbook: "cluster-lost",
  },
  {
    name: "GlobalRouteFailoverSlow",
    severity: "warning",
    expr: `${slow("globalroute_failover_duration_seconds", FAILOVER_SECONDS, "30m", "namespace, job")} > 0`,
    reads: ["globalroute_failover_duration_seconds_count", `globalroute_failover_duration_seconds_bucket{${atMost(FAILOVER_SECONDS)}}`],
    summary: `A failover of {{ $labels.job }} took longer than ${FAILOVER_SECONDS} s`,
    description: `Failovers of the last half hour that sent clients to what had failed for so long after the first failed probe: {{ $value }}.`,
    runbook: "failover-slow",
  },
  {
    name: "GlobalRoutePublishSlow",
    severity: "warning",
    expr: `${slow("globalroute_failover_leg_seconds", 60, "30m", "namespace, job, via", PUBLISH)} > 0`,
    reads: [`globalroute_failover_leg_seconds_count{${PUBLISH}}`, `globalroute_failover_leg_seconds_bucket{${PUBLISH},${atMost(60)}}`],
    summary: "A failover took longer than a minute to be written to {{ $labels.via }}",
    description: "Such failovers of the last half hour: {{ $value }}. Their clients were sent to what had failed meanwhile.",
    runbook: "failover-slow",
  },
  {
    name: "GlobalRoutePropagationTimesOut",
    severity: "warning",
    expr: `${timeouts} > 0`,
    reads: ["globalroute_failover_watches_total"],
    summary: "A failover was never seen by way of {{ $labels.via }}",
    description:
      "Such failovers of the last half hour: {{ $value }}. After two times the TTL and a minute the old answer, or none, was still given there.",
    runbook: "propagation-times-out",
  },
  {
    name: "GlobalRouteFlaps",
    severity: "warning",
    expr: `${flaps} >= 3`,
    reads: ["globalroute_flaps_total"],
    summary: "{{ $labels.cluster }} comes and goes",
    description: "Times within an hour that it was withdrawn soon after it had returned: {{ $value }}. Clients are moved back and forth.",
    runbook: "flaps",
  },
];
