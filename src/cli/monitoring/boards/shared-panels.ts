/** Panels that several dashboards have: the same question has one query everywhere. */
import type { Panel } from "../panel.ts";
import { chosen, grown } from "../promql.ts";

export const populationShares = (width: number): Panel => ({
  kind: "timeseries",
  title: "People by cluster",
  description:
    "Share of people who are answered with each cluster, all routes counting alike. What is missing from 100 % is answered with nothing.",
  unit: "percentunit",
  width,
  stacked: true,
  min: 0,
  max: 1,
  queries: [{ expr: `avg by (cluster) (${chosen("globalroute_cluster_population_share")})`, legend: "{{cluster}}" }],
});

export const answersByCluster = (width: number): Panel => ({
  kind: "timeseries",
  title: "Answers by cluster",
  description: "Answers a second by the cluster that they name first: what clients really ask, beside the shares of people.",
  unit: "reqps",
  width,
  stacked: true,
  queries: [
    { expr: `sum by (cluster) (rate(${chosen("globalroute_answers_total")}[$__rate_interval])) or vector(0)`, legend: "{{cluster}}" },
  ],
});

export const regretKm = (width: number): Panel => ({
  kind: "timeseries",
  title: "Regret by distance",
  description:
    "How much farther people are sent than to the nearest cluster that rules allow them, for half, nine in ten and 99 in a hundred of them.",
  unit: "lengthkm",
  width,
  min: 0,
  nothing: "no order by distance",
  queries: [{ expr: `max by (quantile) (${chosen("globalroute_regret_km")})`, legend: "{{quantile}}" }],
});

export const regretSeconds = (width: number): Panel => ({
  kind: "timeseries",
  title: "Regret by round trip",
  description: "How much longer a round trip people have than to the quickest cluster that rules allow them, as estimated.",
  unit: "s",
  width,
  min: 0,
  nothing: "no order by distance",
  queries: [{ expr: `max by (quantile) (${chosen("globalroute_regret_seconds")})`, legend: "{{quantile}}" }],
});

/** @param more matchers of the legs that are shown */
export const legQuantiles = (width: number, more = ""): Panel => ({
  kind: "timeseries",
  title: "Legs of failovers, 95 %",
  description: "Of the failovers of an hour: detect, decide, publish, propagate. Dots are single failovers, with route and event.",
  unit: "s",
  width,
  min: 0,
  nothing: "no failover yet",
  queries: [
    {
      expr: `histogram_quantile(0.95, sum by (le, leg, via) (${grown(chosen("globalroute_failover_leg_seconds_bucket", more), "1h")}))`,
      legend: "{{leg}} {{via}}",
      exemplar: true,
    },
  ],
});

export const queriesByCode = (width: number): Panel => ({
  kind: "timeseries",
  title: "Queries by answer",
  description: "DNS queries a second by response code; `dropped` got no answer.",
  unit: "reqps",
  width,
  stacked: true,
  queries: [
    { expr: `sum by (rcode) (rate(${chosen("globalroute_dns_queries_total")}[$__rate_interval])) or vector(0)`, legend: "{{rcode}}" },
  ],
});

export const decisions = (width: number): Panel => ({
  kind: "timeseries",
  title: "Decisions",
  description: "What answers were made of: Usable is the rule, FailOpen… and Held are what safety rules keep, Nothing is SERVFAIL.",
  unit: "ops",
  width,
  stacked: true,
  queries: [{ expr: `sum by (mode) (rate(${chosen("globalroute_decisions_total")}[$__rate_interval])) or vector(0)`, legend: "{{mode}}" }],
});

export const degraded = (width: number): Panel => ({
  kind: "state-timeline",
  title: "Degraded",
  description: "Reasons that hold at any instance. The runbook of each reason's alert says what it means and what to do.",
  unit: "none",
  width,
  min: 0,
  max: 1,
  words: { 0: "no", 1: "yes" },
  steps: [
    [null, "green"],
    [1, "orange"],
  ],
  queries: [{ expr: `max by (reason) (${chosen("globalroute_degraded")})`, legend: "{{reason}}" }],
});
