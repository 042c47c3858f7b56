/** One route: who serves it, how its clusters do, and what moved. */
import type { Dashboard } from "../dashboard.ts";
import { chosen, grownOnce } from "../promql.ts";
import { legQuantiles } from "./shared-panels.ts";

const ACTIVE = chosen("globalroute_route_active", 'route="$route"');
/** Clusters that served most of the route's people at any time shown. */
const SERVED = `max by (cluster) (max_over_time(${ACTIVE}[$__range]))`;

export const route: Dashboard = {
  name: "route",
  title: "Route",
  description: "One route: the cluster that serves most of its people, through time, and the state of the clusters that have served it.",
  from: "now-6h",
  variables: [{ name: "route", label: "Route", metric: "globalroute_route_active", of: "route", multiple: false }],
  rows: [
    {
      title: "$route",
      panels: [
        {
          kind: "stat",
          title: "Served by",
          description: "The cluster that most people of the route are answered with now.",
          unit: "percentunit",
          width: 6,
          shows: "name",
          nothing: "answered with nothing",
          queries: [{ expr: `topk(1, max by (cluster) (${ACTIVE}))`, legend: "{{cluster}}", instant: true }],
        },
        {
          kind: "stat",
          title: "Its share of people",
          description: "Share of people who are answered with that cluster; the others are sent elsewhere, or nowhere.",
          unit: "percentunit",
          width: 6,
          nothing: "answered with nothing",
          queries: [{ expr: `max(${ACTIVE})` }],
        },
        {
          kind: "stat",
          title: "Clusters in the time shown",
          description: "How many clusters have served most of its people in the time shown: 1 means that nothing has moved.",
          unit: "none",
          width: 6,
          queries: [{ expr: `count(${SERVED}) or vector(0)`, instant: true }],
          steps: [
            [null, "red"],
            [1, "green"],
            [2, "yellow"],
          ],
        },
        {
          kind: "stat",
          title: "Endpoints of these clusters healthy",
          description: "Share of the probed endpoints of these clusters that are Healthy, those of other routes included.",
          unit: "percentunit",
          width: 6,
          nothing: "none probed",
          queries: [{ expr: `avg(${chosen("globalroute_endpoint_healthy")} and on (cluster) ${SERVED})`, instant: true }],
          steps: [
            [null, "red"],
            [0.5, "orange"],
            [1, "green"],
          ],
        },
      ],
    },
    {
      title: "Through time",
      panels: [
        {
          kind: "state-timeline",
          title: "Serving cluster",
          description: "The share of people of the cluster that serves most of them; the row that is coloured is the cluster.",
          unit: "percentunit",
          width: 24,
          height: 7,
          min: 0,
          max: 1,
          nothing: "answered with nothing",
          queries: [{ expr: `max by (cluster) (${ACTIVE})`, legend: "{{cluster}}" }],
        },
        {
          kind: "state-timeline",
          title: "Health of endpoints",
          description: "Endpoints of the clusters that have served the route in the time shown, as the least content instance sees them.",
          unit: "none",
          width: 12,
          min: 0,
          max: 1,
          nothing: "none probed",
          words: { 0: "not healthy", 1: "healthy" },
          steps: [
            [null, "red"],
            [1, "green"],
          ],
          queries: [
            {
              expr: `min by (cluster, address) (${chosen("globalroute_endpoint_healthy")}) and on (cluster) ${SERVED}`,
              legend: "{{cluster}} {{address}}",
            },
          ],
        },
        {
          kind: "table",
          title: "Moves between these clusters",
          description:
            "Failovers from the clusters that have served the route, of all routes, in the time shown. The timeline tells those of one route.",
          unit: "none",
          width: 12,
          nothing: "no failover",
          queries: [
            {
              expr: `${grownOnce(chosen("globalroute_failovers_total"), "$__range", "from, to, reason")} > 0 and on (from) label_replace(${SERVED}, "from", "$1", "cluster", "(.*)")`,
              instant: true,
            },
          ],
          columns: { from: "From", to: "To", reason: "Why", Value: "Count" },
        },
        legQuantiles(12),
        {
          kind: "timeseries",
          title: "Probes of these clusters, 95 %",
          description:
            "Time from first connect to verdict of probes that found the endpoint healthy: what comes before many failures is slowness.",
          unit: "s",
          width: 12,
          min: 0,
          nothing: "none probed",
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le, cluster) (rate(${chosen("globalroute_probe_duration_seconds_bucket", 'result="ok"')}[$__rate_interval]))) and on (cluster) ${SERVED}`,
              legend: "{{cluster}}",
            },
          ],
        },
      ],
    },
  ],
};
