/** Where people are sent now, and whether anything needs a look: the dashboard to open first. */
import type { Dashboard } from "../dashboard.ts";
import { chosen, grown, grownOnce } from "../promql.ts";
import {
  answersByCluster,
  decisions,
  degraded,
  legQuantiles,
  populationShares,
  queriesByCode,
  regretKm,
  regretSeconds,
} from "./shared-panels.ts";

export const overview: Dashboard = {
  name: "overview",
  title: "Overview",
  description: "Who serves whom now, what has failed over, and what is degraded.",
  from: "now-6h",
  rows: [
    {
      title: "Now",
      panels: [
        {
          kind: "stat",
          title: "Instances",
          description: "Processes that answer or probe and are scraped.",
          unit: "none",
          width: 3,
          queries: [{ expr: `count(${chosen("globalroute_build_info")})` }],
        },
        {
          kind: "stat",
          title: "Clusters serving",
          description: "Clusters that somebody is answered with now, of all that routes name.",
          unit: "none",
          width: 3,
          queries: [{ expr: `count(max by (cluster) (${chosen("globalroute_cluster_population_share")}) > 0) or vector(0)` }],
          steps: [
            [null, "red"],
            [1, "green"],
          ],
        },
        {
          kind: "stat",
          title: "Endpoints healthy",
          description: "Share of probed endpoints that are Healthy, as most instances see it.",
          unit: "percentunit",
          width: 4,
          queries: [{ expr: `avg(${chosen("globalroute_endpoint_healthy")})` }],
          steps: [
            [null, "red"],
            [0.5, "orange"],
            [1, "green"],
          ],
        },
        {
          kind: "stat",
          title: "Reasons of degradation",
          description: "How many reasons hold at any instance; the panel below names them. Degraded instances go on serving.",
          unit: "none",
          width: 4,
          queries: [{ expr: `count(max by (reason) (${chosen("globalroute_degraded")}) > 0) or vector(0)` }],
          steps: [
            [null, "green"],
            [1, "orange"],
          ],
        },
        {
          kind: "stat",
          title: "Failovers",
          description:
            "Moves of a route's clients between clusters in the time shown, returns included, as the instance with most of them has seen.",
          unit: "none",
          width: 3,
          queries: [{ expr: `${grownOnce(chosen("globalroute_failovers_total"), "$__range", "")} or vector(0)`, instant: true }],
        },
        {
          kind: "stat",
          title: "Answered",
          description: "Share of DNS queries of the last five minutes that got an answer other than SERVFAIL.",
          unit: "percentunit",
          width: 4,
          queries: [
            {
              expr: `1 - sum(${chosen("job:globalroute_dns_errors:rate5m")}) / clamp_min(sum(${chosen("job:globalroute_dns_queries:rate5m")}), 1e-9)`,
            },
          ],
          steps: [
            [null, "red"],
            [0.99, "orange"],
            [0.999, "green"],
          ],
        },
        {
          kind: "stat",
          title: "Regret, 99 % of people",
          description:
            "So much farther than to the nearest cluster that rules allow are 99 of 100 people sent at most. An outage raises it; so does an order other than Nearest.",
          unit: "lengthkm",
          width: 3,
          queries: [{ expr: `max(${chosen("globalroute_regret_km", 'quantile="0.99"')})` }],
          nothing: "no order by distance",
        },
      ],
    },
    {
      title: "Who serves whom",
      panels: [
        populationShares(8),
        answersByCluster(8),
        {
          kind: "table",
          title: "Routes",
          description: "The cluster that most people of each route are answered with now, and their share.",
          unit: "percentunit",
          width: 8,
          queries: [{ expr: `max by (route, cluster) (${chosen("globalroute_route_active")})`, instant: true }],
          columns: { route: "Route", cluster: "Cluster", Value: "Share" },
        },
        regretKm(12),
        regretSeconds(12),
      ],
    },
    {
      title: "Failovers",
      panels: [
        {
          kind: "timeseries",
          title: "Failovers",
          description: "Moves between clusters, by why: the class of the probes' failure, a return, or an operator's act.",
          unit: "none",
          width: 8,
          stacked: true,
          queries: [
            {
              expr: `${grownOnce(chosen("globalroute_failovers_total"), "$__interval", "from, to, reason")} or vector(0)`,
              legend: "{{from}} to {{to}}: {{reason}}",
            },
          ],
        },
        legQuantiles(8),
        {
          kind: "timeseries",
          title: "Flaps, holds and drills",
          description:
            "Backends withdrawn again soon after they had returned, changes that a safety rule held back, and drills that ended, in an hour.",
          unit: "none",
          width: 8,
          queries: [
            { expr: `sum by (cluster) (${grown(chosen("globalroute_flaps_total"), "1h")}) or vector(0)`, legend: "flaps {{cluster}}" },
            { expr: `sum by (rule) (${grown(chosen("globalroute_guard_holds_total"), "1h")}) or vector(0)`, legend: "held {{rule}}" },
            { expr: `sum by (result) (${grown(chosen("globalroute_drills_total"), "1h")}) or vector(0)`, legend: "drills {{result}}" },
          ],
        },
      ],
    },
    {
      title: "Traffic and state",
      panels: [
        queriesByCode(8),
        decisions(8),
        degraded(8),
        {
          kind: "timeseries",
          title: "Notifications",
          description: "Of an hour, by receiver and what became of them: retried tries come again, failed and dropped ones reach nobody.",
          unit: "none",
          width: 24,
          height: 6,
          queries: [
            {
              expr: `sum by (receiver, result) (${grown(chosen("globalroute_notifications_total"), "1h")}) or vector(0)`,
              legend: "{{receiver}} {{result}}",
            },
          ],
        },
      ],
    },
  ],
};
