/** What probes see: endpoints, failures by class, who looks from where, and what safety rules held back. */
import type { Dashboard } from "../dashboard.ts";
import type { Panel } from "../panel.ts";
import { chosen, grown } from "../promql.ts";
import { legQuantiles, populationShares } from "./shared-panels.ts";

const CLUSTER = 'cluster=~"$cluster"';
const PROBES = (more = ""): string => chosen("globalroute_probe_duration_seconds_count", `${CLUSTER}${more}`);

const yesOrNo = { words: { 0: "no", 1: "yes" }, min: 0, max: 1 } as const;
const goodWhenOne: Panel["steps"] = [
  [null, "red"],
  [1, "green"],
];

export const health: Dashboard = {
  name: "health",
  title: "Health",
  description: "Endpoints and probes by cluster, the places that look, and what safety rules held back.",
  from: "now-3h",
  variables: [{ name: "cluster", label: "Cluster", metric: "globalroute_cluster_population_share", of: "cluster", multiple: true }],
  rows: [
    {
      title: "Endpoints",
      panels: [
        {
          kind: "stat",
          title: "Not healthy",
          description: "Probed endpoints that are not Healthy at some instance.",
          unit: "none",
          width: 6,
          queries: [{ expr: `count(min by (cluster, address) (${chosen("globalroute_endpoint_healthy", CLUSTER)}) == 0) or vector(0)` }],
          steps: [
            [null, "green"],
            [1, "orange"],
          ],
        },
        {
          kind: "stat",
          title: "Probed",
          description: "Endpoints that are probed; what Kubernetes alone tells is not among them.",
          unit: "none",
          width: 6,
          queries: [{ expr: `count(count by (cluster, address) (${chosen("globalroute_endpoint_healthy", CLUSTER)})) or vector(0)` }],
        },
        {
          kind: "stat",
          title: "Probes a second",
          description: "Of all instances together.",
          unit: "ops",
          width: 6,
          queries: [{ expr: `sum(rate(${PROBES()}[$__rate_interval]))` }],
        },
        {
          kind: "stat",
          title: "Failing",
          description: "Share of probes that fail.",
          unit: "percentunit",
          width: 6,
          queries: [
            {
              expr: `(sum(rate(${PROBES(',result!="ok"')}[$__rate_interval])) or vector(0)) / clamp_min(sum(rate(${PROBES()}[$__rate_interval])), 1e-9)`,
            },
          ],
          steps: [
            [null, "green"],
            [0.01, "orange"],
            [0.2, "red"],
          ],
        },
        {
          kind: "timeseries",
          title: "Healthy endpoints by cluster",
          description: "Share of a cluster's probed endpoints that are Healthy.",
          unit: "percentunit",
          width: 12,
          min: 0,
          max: 1,
          queries: [{ expr: `avg by (cluster) (${chosen("globalroute_endpoint_healthy", CLUSTER)})`, legend: "{{cluster}}" }],
        },
        {
          kind: "state-timeline",
          title: "Endpoints",
          description: "As the least content instance sees them.",
          unit: "none",
          width: 12,
          ...yesOrNo,
          words: { 0: "not healthy", 1: "healthy" },
          steps: goodWhenOne,
          queries: [
            { expr: `min by (cluster, address) (${chosen("globalroute_endpoint_healthy", CLUSTER)})`, legend: "{{cluster}} {{address}}" },
          ],
        },
      ],
    },
    {
      title: "Probes",
      panels: [
        {
          kind: "timeseries",
          title: "Failures by class",
          description: "Failed probes a second by cluster and class: refused, timeout, tls, status…",
          unit: "ops",
          width: 12,
          stacked: true,
          queries: [
            {
              expr: `sum by (cluster, result) (rate(${PROBES(',result!="ok"')}[$__rate_interval])) or vector(0)`,
              legend: "{{cluster}} {{result}}",
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Time of good probes",
          description: "From first connect to verdict, 95 %, by cluster.",
          unit: "s",
          width: 12,
          min: 0,
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le, cluster) (rate(${chosen("globalroute_probe_duration_seconds_bucket", `${CLUSTER},result="ok"`)}[$__rate_interval])))`,
              legend: "{{cluster}}",
            },
          ],
        },
      ],
    },
    {
      title: "What becomes of it",
      panels: [
        populationShares(8),
        legQuantiles(8),
        {
          kind: "timeseries",
          title: "Held back and flapping",
          description:
            "In an hour: changes that a safety rule held (withdrawal-budget, input-collapse, self-distrust), and backends withdrawn soon after a return.",
          unit: "none",
          width: 8,
          queries: [
            { expr: `sum by (rule) (${grown(chosen("globalroute_guard_holds_total"), "1h")}) or vector(0)`, legend: "held {{rule}}" },
            {
              expr: `sum by (cluster) (${grown(chosen("globalroute_flaps_total", CLUSTER), "1h")}) or vector(0)`,
              legend: "flaps {{cluster}}",
            },
          ],
        },
      ],
    },
    {
      title: "Who looks, and who writes (replicas and vantages; empty for a single server)",
      panels: [
        {
          kind: "state-timeline",
          title: "Peers heard",
          description: "Other replicas and vantages, as each instance hears them.",
          unit: "none",
          width: 8,
          ...yesOrNo,
          steps: goodWhenOne,
          nothing: "a single server: no peers",
          queries: [{ expr: `min by (role, peer) (${chosen("globalroute_peer_connected")})`, legend: "{{role}} {{peer}}" }],
        },
        {
          kind: "timeseries",
          title: "Time since peers were heard",
          description: "By the instance that has heard them longest ago.",
          unit: "s",
          width: 8,
          min: 0,
          nothing: "a single server: no peers",
          queries: [{ expr: `max by (role, peer) (${chosen("globalroute_peer_age_seconds")})`, legend: "{{role}} {{peer}}" }],
        },
        {
          kind: "state-timeline",
          title: "Member clusters read",
          description: "Whether the API server of each member is read; what was read goes on being served while it is not.",
          unit: "none",
          width: 8,
          ...yesOrNo,
          steps: goodWhenOne,
          nothing: "no member cluster with an API server",
          queries: [{ expr: `min by (cluster) (${chosen("globalroute_cluster_connected", CLUSTER)})`, legend: "{{cluster}}" }],
        },
        {
          kind: "timeseries",
          title: "Writers",
          description: "Replicas that hold the writer's Lease: 1, but for moments of a change.",
          unit: "none",
          width: 12,
          min: 0,
          nothing: "not on Kubernetes: no writer",
          queries: [{ expr: `sum(${chosen("globalroute_writer")})`, legend: "writers" }],
        },
        {
          kind: "timeseries",
          title: "Difference between instances",
          description:
            "By how much of all people two instances differ on a cluster: near 0, but for the moments in which observations spread.",
          unit: "percentunit",
          width: 12,
          min: 0,
          queries: [
            {
              expr: `max by (cluster) (${chosen("globalroute_cluster_population_share", CLUSTER)}) - min by (cluster) (${chosen("globalroute_cluster_population_share", CLUSTER)})`,
              legend: "{{cluster}}",
            },
          ],
        },
      ],
    },
  ],
};
