/** Alerts on what decisions are made of: configuration, geo data, probes' own network, state, and the instances themselves; and on who is told. */
import { type Alert, AT, degradedFor } from "../alert.ts";
import { grown } from "../promql.ts";

const BY = "sum by (namespace, job, receiver)";
const told = (result: string): string => `${BY} (rate(globalroute_notifications_total{result="${result}"}[15m])) > 0`;
const lost = `${BY} (${grown('globalroute_notifications_total{result=~"failed|dropped"}', "1h")}) > 0`;

export const inputAlerts: readonly Alert[] = [
  {
    name: "GlobalRouteDown",
    severity: "critical",
    expr: "up == 0 and on (job, instance) last_over_time(globalroute_build_info[1d])",
    for: "2m",
    reads: ["up", "globalroute_build_info"],
    summary: `${AT} cannot be scraped`,
    description: "It is down, hangs, or cannot be reached from Prometheus. The others answer for it, if DNS names them.",
    runbook: "down",
  },
  {
    name: "GlobalRouteAbsent",
    severity: "critical",
    expr: "absent(globalroute_build_info)",
    for: "5m",
    reads: ["globalroute_build_info"],
    summary: "No instance of GlobalRoute is scraped",
    description: "Nothing that these alerts watch is known: either all instances are gone, or the scraping of them is.",
    runbook: "down",
  },
  degradedFor("config-rejected", "10m", {
    name: "GlobalRouteConfigRejected",
    severity: "warning",
    summary: `Objects have errors at ${AT}`,
    description: "What was valid before goes on serving; what was changed since then is not in force.",
    runbook: "config-rejected",
  }),
  degradedFor("inputs-held", "5m", {
    name: "GlobalRouteInputsHeld",
    severity: "warning",
    summary: `So much vanished at once that ${AT} keeps what there was`,
    description:
      "Routes, clusters, endpoints or zones that are no longer there go on being answered, until they return or somebody confirms that they are gone.",
    runbook: "inputs-held",
  }),
  degradedFor("compile-failed", "5m", {
    name: "GlobalRouteCompileFails",
    severity: "critical",
    summary: `${AT} cannot make a table of the newest inputs`,
    description: "The table before goes on serving: no change of configuration or geo data reaches clients. Failovers still do.",
    runbook: "compile-fails",
  }),
  degradedFor("last-good", "10m", {
    name: "GlobalRouteTableStale",
    severity: "warning",
    summary: `${AT} serves a table that it loaded from disk`,
    description: "Its configuration could not be read since it started. Health is probed and followed; changes of objects are not.",
    runbook: "table-stale",
  }),
  degradedFor("geo-stale|geo-rejected", "1h", {
    name: "GlobalRouteGeoStale",
    severity: "warning",
    summary: `Geo data at ${AT} are old or were refused ({{ $labels.reason }})`,
    description: "Networks that have moved since are sent to the cluster that is near where they were.",
    runbook: "geo-stale",
  }),
  degradedFor("vantage-suspect", "5m", {
    name: "GlobalRouteVantageSuspect",
    severity: "warning",
    summary: `${AT} does not believe its own probes`,
    description:
      "So much failed at once that its own network is the likelier cause. Real failures are not acted on until others see them too.",
    runbook: "vantage-suspect",
  }),
  degradedFor("state-unsaved", "15m", {
    name: "GlobalRouteStateUnsaved",
    severity: "warning",
    summary: `${AT} cannot write its state folder`,
    description: "It serves as before; after a restart it would begin from older inputs and judgements.",
    runbook: "state-unsaved",
  }),
  {
    name: "GlobalRouteNotificationsFail",
    severity: "warning",
    expr: `${lost} or (${told("retried")} unless ${told("sent")})`,
    for: "5m",
    reads: ["globalroute_notifications_total"],
    summary: "Notifications do not reach {{ $labels.receiver }}",
    description:
      "They were refused or given up within the hour, or are tried again and again: who relies on that receiver does not hear of failovers.",
    runbook: "notifications-fail",
  },
];
