/** Zones that are kept elsewhere: whether they are as they should be, and what it took. */
import type { Dashboard } from "../dashboard.ts";
import { chosen, grown } from "../promql.ts";

const ZONE = 'zone=~"$zone"';
const of = (name: string, more = ""): string => chosen(name, more === "" ? ZONE : `${ZONE},${more}`);
/** Reasons of degradation that come from such zones. */
const REASONS = 'reason=~"provider-failing|removals-held|names-contested|delegation-waiting"';

export const providers: Dashboard = {
  name: "providers",
  title: "Providers",
  description: "Zones that are kept elsewhere: what is written, what waits, what fails, and how long clients wait for it.",
  from: "now-6h",
  variables: [{ name: "zone", label: "Zone", metric: "globalroute_provider_pending_changes", of: "zone", multiple: true }],
  rows: [
    {
      title: "Now",
      panels: [
        {
          kind: "stat",
          title: "Longest without a sync",
          description: "Time since the zone that is worst off was last found or made as it should be.",
          unit: "s",
          width: 6,
          nothing: "no zone kept elsewhere",
          queries: [{ expr: `max(${of("globalroute_provider_sync_age_seconds")})` }],
          steps: [
            [null, "green"],
            [300, "orange"],
            [900, "red"],
          ],
        },
        {
          kind: "stat",
          title: "Changes that wait",
          description:
            "Record sets that are to be otherwise: the zone cannot be written, removals are held, names contested, or the policy is DryRun.",
          unit: "none",
          width: 6,
          nothing: "no zone kept elsewhere",
          queries: [{ expr: `sum(max by (zone) (${of("globalroute_provider_pending_changes")}))` }],
          steps: [
            [null, "green"],
            [1, "orange"],
          ],
        },
        {
          kind: "stat",
          title: "Changes made",
          description: "Record sets created, replaced and deleted in the time shown.",
          unit: "none",
          width: 6,
          queries: [{ expr: `sum(${grown(of("globalroute_provider_changes_total"), "$__range")}) or vector(0)`, instant: true }],
        },
        {
          kind: "stat",
          title: "Failed tries",
          description: "In the time shown. They are repeated with growing delays.",
          unit: "none",
          width: 6,
          queries: [{ expr: `sum(${grown(of("globalroute_provider_errors_total"), "$__range")}) or vector(0)`, instant: true }],
          steps: [
            [null, "green"],
            [1, "orange"],
          ],
        },
      ],
    },
    {
      title: "Through time",
      panels: [
        {
          kind: "timeseries",
          title: "Time since the last sync",
          description: "At the replica that writes. It falls to 0 with every sync; what only grows cannot be written or read.",
          unit: "s",
          width: 12,
          min: 0,
          nothing: "no zone kept elsewhere",
          queries: [{ expr: `max by (zone) (${of("globalroute_provider_sync_age_seconds")})`, legend: "{{zone}}" }],
        },
        {
          kind: "timeseries",
          title: "Changes that wait",
          description: "Record sets that are to be otherwise than they were written last.",
          unit: "none",
          width: 12,
          min: 0,
          nothing: "no zone kept elsewhere",
          queries: [{ expr: `max by (zone) (${of("globalroute_provider_pending_changes")})`, legend: "{{zone}}" }],
        },
        {
          kind: "timeseries",
          title: "Changes made",
          description: "Record sets created, replaced and deleted between two points.",
          unit: "none",
          width: 12,
          stacked: true,
          queries: [
            {
              expr: `sum by (zone, action) (${grown(of("globalroute_provider_changes_total"), "$__interval")}) or vector(0)`,
              legend: "{{zone}} {{action}}",
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Failed tries",
          description: "Between two points, by what went wrong.",
          unit: "none",
          width: 12,
          stacked: true,
          queries: [
            {
              expr: `sum by (zone, code) (${grown(of("globalroute_provider_errors_total"), "$__interval")}) or vector(0)`,
              legend: "{{zone}} {{code}}",
            },
          ],
        },
        {
          kind: "state-timeline",
          title: "Degraded because of zones elsewhere",
          description:
            "provider-failing: cannot be written. removals-held: too much would go at once. names-contested: somebody else changes our names. delegation-waiting: somebody has to mend a delegation.",
          unit: "none",
          width: 24,
          height: 5,
          min: 0,
          max: 1,
          words: { 0: "no", 1: "yes" },
          steps: [
            [null, "green"],
            [1, "orange"],
          ],
          queries: [{ expr: `max by (reason) (${chosen("globalroute_degraded", REASONS)})`, legend: "{{reason}}" }],
        },
      ],
    },
    {
      title: "How long clients wait",
      panels: [
        {
          kind: "timeseries",
          title: "Published and seen, 95 %",
          description:
            "Of an hour's failovers: from our table to the written zone (publish), and until its servers were seen to answer so (propagate).",
          unit: "s",
          width: 12,
          min: 0,
          nothing: "no failover yet",
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le, leg, via) (${grown(chosen("globalroute_failover_leg_seconds_bucket", 'leg=~"publish|propagate",via!~"embedded|self"'), "1h")}))`,
              legend: "{{leg}} {{via}}",
              exemplar: true,
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Accepted until on all of its servers",
          description: "Mean of an hour's changes, where the provider tells (Route 53).",
          unit: "s",
          width: 12,
          min: 0,
          nothing: "no provider that tells",
          queries: [
            {
              expr: `sum by (zone) (${grown(of("globalroute_provider_propagation_seconds_sum"), "1h")}) / clamp_min(sum by (zone) (${grown(of("globalroute_provider_propagation_seconds_count"), "1h")}), 1)`,
              legend: "{{zone}}",
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Looking out for answers",
          description:
            "What became of looking for a failover's new answer in an hour: seen, timeout, superseded by a later change, or unwatched.",
          unit: "none",
          width: 24,
          queries: [
            {
              expr: `sum by (via, result) (${grown(chosen("globalroute_failover_watches_total"), "1h")}) or vector(0)`,
              legend: "{{via}} {{result}}",
            },
          ],
        },
      ],
    },
  ],
};
