/** The DNS server: queries, answers, time, abuse, signatures, copies, and the process that does it. */
import type { Dashboard } from "../dashboard.ts";
import { chosen } from "../promql.ts";
import { decisions, queriesByCode } from "./shared-panels.ts";

const OF = 'instance=~"$instance"';
const on = (name: string, more = ""): string => chosen(name, more === "" ? OF : `${OF},${more}`);
const perSecond = (name: string, by: string, more = ""): string =>
  `sum by (${by}) (rate(${on(name, more)}[$__rate_interval])) or vector(0)`;
const queryTime = (quantile: number): string =>
  `histogram_quantile(${quantile}, sum by (le) (rate(${on("globalroute_dns_query_duration_seconds_bucket")}[$__rate_interval])))`;

export const dns: Dashboard = {
  name: "dns",
  title: "DNS data plane",
  description: "Queries and answers, time to answer, abuse, signatures, copies of zones, tables, and the process.",
  from: "now-3h",
  variables: [{ name: "instance", label: "Instance", metric: "globalroute_build_info", of: "instance", multiple: true }],
  rows: [
    {
      title: "Queries",
      panels: [
        queriesByCode(8),
        {
          kind: "timeseries",
          title: "Queries by type",
          description: "DNS queries a second by type and transport; types that are not named are `other`.",
          unit: "reqps",
          width: 8,
          stacked: true,
          queries: [{ expr: perSecond("globalroute_dns_queries_total", "type, transport"), legend: "{{type}} {{transport}}" }],
        },
        {
          kind: "timeseries",
          title: "Queries by instance",
          description: "DNS queries a second of each instance: who does not answer is missed by clients at once.",
          unit: "reqps",
          width: 8,
          queries: [{ expr: perSecond("globalroute_dns_queries_total", "instance"), legend: "{{instance}}" }],
        },
        {
          kind: "timeseries",
          title: "Time to answer",
          description: "From socket to socket, of a sample of the queries: half, 99 % and 99.9 %.",
          unit: "s",
          width: 8,
          min: 0,
          nothing: "no queries",
          queries: [0.5, 0.99, 0.999].map((quantile) => ({ expr: queryTime(quantile), legend: `${quantile * 100} %` })),
        },
        {
          kind: "timeseries",
          title: "SERVFAIL and no answer",
          description:
            "Share of queries: SERVFAIL means that a route has nothing to answer with; dropped are malformed, limited or too many.",
          unit: "percentunit",
          width: 8,
          min: 0,
          queries: ["SERVFAIL", "dropped"].map((rcode) => ({
            expr: `(sum(rate(${on("globalroute_dns_queries_total", `rcode="${rcode}"`)}[$__rate_interval])) or vector(0)) / clamp_min(sum(rate(${on("globalroute_dns_queries_total")}[$__rate_interval])), 1e-9)`,
            legend: rcode,
          })),
        },
        decisions(8),
      ],
    },
    {
      title: "Abuse",
      panels: [
        {
          kind: "timeseries",
          title: "Rate limit",
          description: "Answers a second that the rate limit stopped: slipped are sent truncated, dropped not at all.",
          unit: "reqps",
          width: 12,
          queries: [{ expr: perSecond("globalroute_dns_rate_limited_total", "action"), legend: "{{action}}" }],
        },
        {
          kind: "timeseries",
          title: "Cookies",
          description: "Queries a second with a DNS cookie: many invalid ones come from somebody who forges addresses.",
          unit: "reqps",
          width: 12,
          queries: [{ expr: perSecond("globalroute_dns_cookies_total", "state"), legend: "{{state}}" }],
        },
      ],
    },
    {
      title: "Signed zones and copies",
      panels: [
        {
          kind: "timeseries",
          title: "Signing",
          description: "Signatures made a second on demand, queries that waited for one by lane, and those that were given up.",
          unit: "ops",
          width: 8,
          queries: [
            { expr: perSecond("globalroute_dns_signatures_total", ""), legend: "signatures" },
            { expr: perSecond("globalroute_dns_deferred_total", "lane"), legend: "waited {{lane}}" },
            { expr: perSecond("globalroute_dns_deferred_dropped_total", "lane, reason"), legend: "given up {{lane}} {{reason}}" },
          ],
        },
        {
          kind: "timeseries",
          title: "Time until signatures end",
          description: "Renewed when half of their seven days is left; below two days something is wrong.",
          unit: "s",
          width: 8,
          min: 0,
          nothing: "no signed zone",
          queries: [{ expr: `min by (zone) (${on("globalroute_rrsig_expiry_seconds")})`, legend: "{{zone}}" }],
        },
        {
          kind: "table",
          title: "Serials",
          description: "SOA serial of each zone and instance. With `transfer` it changes only when copies have to.",
          unit: "none",
          width: 8,
          nothing: "no zone answered here",
          queries: [{ expr: `max by (zone, instance) (${on("globalroute_zone_serial")})`, instant: true }],
          columns: { zone: "Zone", instance: "Instance", Value: "Serial" },
        },
        {
          kind: "timeseries",
          title: "Transfers",
          description: "Requests for copies a second, by zone, kind and what became of them.",
          unit: "ops",
          width: 12,
          queries: [{ expr: perSecond("globalroute_zone_transfers_total", "zone, type, result"), legend: "{{zone}} {{type}} {{result}}" }],
        },
        {
          kind: "timeseries",
          title: "Notifications of secondaries",
          description: "NOTIFY a second by zone and what became of it; timeouts are repeated.",
          unit: "ops",
          width: 12,
          queries: [{ expr: perSecond("globalroute_zone_notify_total", "zone, result"), legend: "{{zone}} {{result}}" }],
        },
      ],
    },
    {
      title: "Tables and inputs",
      panels: [
        {
          kind: "timeseries",
          title: "Age of table and geo data",
          description: "A table is compiled when configuration or geo data change: its age alone is no fault.",
          unit: "s",
          width: 8,
          min: 0,
          queries: [
            { expr: `max(${on("globalroute_table_age_seconds")})`, legend: "table" },
            { expr: `max(${on("globalroute_geo_age_seconds")})`, legend: "geo data" },
          ],
        },
        {
          kind: "timeseries",
          title: "Time to compile",
          description: "Mean of all tables since the start of each instance.",
          unit: "s",
          width: 8,
          min: 0,
          queries: [
            {
              expr: `sum(${on("globalroute_table_compile_seconds_sum")}) / clamp_min(sum(${on("globalroute_table_compile_seconds_count")}), 1)`,
              legend: "since the start",
            },
          ],
        },
        {
          kind: "timeseries",
          title: "Table version and scope fallbacks",
          description: "Tables since the start of each instance; policies whose client-subnet scopes are the geo database's own networks.",
          unit: "none",
          width: 8,
          min: 0,
          queries: [
            { expr: `max by (instance) (${on("globalroute_table_version")})`, legend: "version {{instance}}" },
            { expr: `max(${on("globalroute_scope_fallbacks")})`, legend: "scope fallbacks" },
          ],
        },
      ],
    },
    {
      title: "Process",
      panels: [
        {
          kind: "timeseries",
          title: "CPU",
          description: "Cores in use by each instance.",
          unit: "none",
          width: 8,
          min: 0,
          queries: [{ expr: `rate(${on("process_cpu_seconds_total")}[$__rate_interval])`, legend: "{{instance}}" }],
        },
        {
          kind: "timeseries",
          title: "Memory",
          description: "Resident memory of each instance.",
          unit: "bytes",
          width: 8,
          min: 0,
          queries: [{ expr: on("process_resident_memory_bytes"), legend: "{{instance}}" }],
        },
        {
          kind: "timeseries",
          title: "Event loop lag, 99 %",
          description:
            "Of the main thread, which probes and decides. Answers over UDP come from threads of their own and do not wait for it.",
          unit: "s",
          width: 8,
          min: 0,
          queries: [{ expr: on("nodejs_eventloop_lag_p99_seconds"), legend: "{{instance}}" }],
        },
        {
          kind: "table",
          title: "Versions",
          description: "Of each instance; two of them for long mean a rollout that has stopped half way.",
          unit: "none",
          width: 24,
          height: 6,
          queries: [{ expr: `max by (instance, version) (${on("globalroute_build_info")})`, instant: true }],
          columns: { instance: "Instance", version: "Version", Value: "Up" },
        },
      ],
    },
  ],
};
