/** What was promised: answers, their time, and how soon clients leave what has failed. */

import type { Dashboard } from "../dashboard.ts";
import { BURN_WINDOWS, FAILOVER_SECONDS, FAILOVER_TARGET, TARGET } from "../objectives.ts";
import { atMost, chosen, grown } from "../promql.ts";

const LOST = 1 - TARGET;
const ratio = (window: string): string => chosen(`job:globalroute_dns_errors:ratio_rate${window}`);
const quick = (range: string): string => {
  const bucket = chosen("globalroute_failover_duration_seconds_bucket", atMost(FAILOVER_SECONDS));
  const all = chosen("globalroute_failover_duration_seconds_count");
  return `(sum(${grown(bucket, range)}) / (sum(${grown(all, range)}) > 0)) or vector(1)`;
};

export const slo: Dashboard = {
  name: "slo",
  title: "SLO",
  description: "Availability of DNS answers against its objective, what is left of the error budget, and how quick failovers are.",
  from: "now-7d",
  rows: [
    {
      title: `Availability of answers: ${TARGET * 100} % in 30 days`,
      panels: [
        {
          kind: "stat",
          title: "30 days",
          description: "Share of DNS queries that got an answer other than SERVFAIL. What the rate limit stops is not counted as lost.",
          unit: "percentunit",
          width: 6,
          queries: [{ expr: `1 - max(${ratio("30d")})` }],
          steps: [
            [null, "red"],
            [TARGET, "green"],
          ],
        },
        {
          kind: "stat",
          title: "Error budget left",
          description: "Of what may be lost in 30 days. Below 0 the objective is missed.",
          unit: "percentunit",
          width: 6,
          queries: [{ expr: `1 - max(${ratio("30d")}) / ${LOST.toFixed(6)}` }],
          steps: [
            [null, "red"],
            [0, "orange"],
            [0.25, "green"],
          ],
        },
        {
          kind: "stat",
          title: "Burn rate, 1 h",
          description: "1 would use the budget up in exactly 30 days; 14.4 uses 2 % of it in an hour.",
          unit: "none",
          width: 6,
          queries: [{ expr: `max(${ratio("1h")}) / ${LOST.toFixed(6)}` }],
          steps: [
            [null, "green"],
            [1, "orange"],
            [14.4, "red"],
          ],
        },
        {
          kind: "stat",
          title: "Queries, 5 min",
          description: "DNS queries a second.",
          unit: "reqps",
          width: 6,
          queries: [{ expr: `sum(${chosen("job:globalroute_dns_queries:rate5m")})` }],
        },
        {
          kind: "timeseries",
          title: "Burn rates",
          description: "By window. Alerts compare a long window with a short one, so that they come soon and end soon.",
          unit: "none",
          width: 12,
          min: 0,
          queries: BURN_WINDOWS.map((window) => ({ expr: `max(${ratio(window)}) / ${LOST.toFixed(6)}`, legend: window })),
        },
        {
          kind: "timeseries",
          title: "Lost queries",
          description: "A second, by job: SERVFAIL, and what got no answer though the rate limit let it pass.",
          unit: "reqps",
          width: 12,
          min: 0,
          queries: [{ expr: `sum by (namespace, job) (${chosen("job:globalroute_dns_errors:rate5m")})`, legend: "{{namespace}} {{job}}" }],
        },
      ],
    },
    {
      title: `Failovers: ${FAILOVER_TARGET * 100} % within ${FAILOVER_SECONDS} s, from the first failed probe to our answers`,
      panels: [
        {
          kind: "stat",
          title: "Within the objective",
          description: "Share of the time shown's failovers that probes began; 100 % while there was none.",
          unit: "percentunit",
          width: 8,
          height: 8,
          queries: [{ expr: quick("$__range"), instant: true }],
          steps: [
            [null, "red"],
            [FAILOVER_TARGET, "green"],
          ],
        },
        {
          kind: "bargauge",
          title: "Legs, 95 %",
          description: "Of the time shown's failovers.",
          unit: "s",
          width: 8,
          nothing: "no failover yet",
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le, leg) (${grown(chosen("globalroute_failover_leg_seconds_bucket"), "$__range")}))`,
              legend: "{{leg}}",
              instant: true,
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Failover, 50 % and 95 %",
          description: "From the end of the first failed probe to the published table, of a day's failovers.",
          unit: "s",
          width: 8,
          min: 0,
          nothing: "no failover yet",
          queries: [0.5, 0.95].map((quantile) => ({
            expr: `histogram_quantile(${quantile}, sum by (le) (${grown(chosen("globalroute_failover_duration_seconds_bucket"), "1d")}))`,
            legend: `${quantile * 100} %`,
            exemplar: true,
          })),
        },
      ],
    },
  ],
};
