/** Recording rules: queries and lost queries by installation, and their ratio over each window. */
import { BURN_WINDOWS } from "./objectives.ts";

export interface Recording {
  readonly record: string;
  readonly expr: string;
}

const BY = "sum by (namespace, job)";
/**
 * What is counted as `dropped` are messages that are no queries, and what the rate limit stops: anybody can send those, so they are neither
 * queries nor lost here. What waited in vain for a signature of a name that exists is lost.
 */
const ASKED = `${BY} (rate(globalroute_dns_queries_total{rcode!="dropped"}[5m]))`;
const FAILED = `${BY} (rate(globalroute_dns_queries_total{rcode="SERVFAIL"}[5m]))`;
const GIVEN_UP = `${BY} (rate(globalroute_dns_deferred_dropped_total{lane="known"}[5m]))`;
/** A series for every job, so that one without losses has 0 and not nothing. */
const orNone = (expr: string): string => `(${expr} or 0 * ${BY} (globalroute_build_info))`;

const ratioOf = (window: string): string =>
  window === "5m"
    ? "job:globalroute_dns_errors:rate5m / clamp_min(job:globalroute_dns_queries:rate5m, 1e-9)"
    : `sum_over_time(job:globalroute_dns_errors:rate5m[${window}]) / clamp_min(sum_over_time(job:globalroute_dns_queries:rate5m[${window}]), 1e-9)`;

/** Long windows are made of the recorded rates: few series, whatever the world's size. */
export const recordings: readonly Recording[] = [
  { record: "job:globalroute_dns_queries:rate5m", expr: `${orNone(ASKED)} + ${orNone(GIVEN_UP)}` },
  { record: "job:globalroute_dns_errors:rate5m", expr: `${orNone(FAILED)} + ${orNone(GIVEN_UP)}` },
  ...[...BURN_WINDOWS, "30d"].map((window) => ({ record: `job:globalroute_dns_errors:ratio_rate${window}`, expr: ratioOf(window) })),
];
