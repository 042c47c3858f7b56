/** Alerts on what clients get: answers, none, late, or from clusters that are not healthy. */
import { type Alert, AT, degradedFor } from "../alert.ts";
import { BURN_RATES, TARGET } from "../objectives.ts";

const LOST = Number((1 - TARGET).toFixed(6));
const ratio = (window: string): string => `job:globalroute_dns_errors:ratio_rate${window}`;
const burning = (speed: keyof typeof BURN_RATES): string =>
  BURN_RATES[speed]
    .map(({ rate, long, short }) => {
      const limit = Number((rate * LOST).toFixed(6));
      return `(${ratio(long)} > ${limit} and ${ratio(short)} > ${limit})`;
    })
    .join(" or ");
const windows = (speed: keyof typeof BURN_RATES): readonly string[] =>
  BURN_RATES[speed].flatMap(({ long, short }) => [ratio(long), ratio(short)]);

const share = (rcode: string): string =>
  `sum by (namespace, job) (rate(globalroute_dns_queries_total{rcode="${rcode}"}[5m])) / clamp_min(sum by (namespace, job) (rate(globalroute_dns_queries_total[5m])), 1e-9)`;
const latency = "histogram_quantile(0.99, sum by (namespace, job, le) (rate(globalroute_dns_query_duration_seconds_bucket[5m])))";
const limited =
  "sum by (namespace, job) (rate(globalroute_dns_rate_limited_total[5m])) / clamp_min(sum by (namespace, job) (rate(globalroute_dns_queries_total[5m])), 1e-9)";

export const answerAlerts: readonly Alert[] = [
  {
    name: "GlobalRouteAnswersNothing",
    severity: "critical",
    expr: 'sum by (namespace, job) (rate(globalroute_decisions_total{mode="Nothing"}[5m])) > 0',
    for: "2m",
    reads: ["globalroute_decisions_total"],
    summary: "{{ $labels.job }} answers clients of a route with SERVFAIL",
    description: "Such answers a second: {{ $value | humanize }}. These clients reach no cluster at all.",
    runbook: "answers-nothing",
  },
  degradedFor("fail-open", "1m", {
    name: "GlobalRouteFailsOpen",
    severity: "critical",
    summary: `A route has no healthy backend at ${AT}`,
    description:
      "It answers with those that it has, as if they were healthy. Their clients reach what does not work, unless the probes are wrong.",
    runbook: "fails-open",
  }),
  degradedFor("withdrawal-held", "2m", {
    name: "GlobalRouteWithdrawalHeld",
    severity: "critical",
    summary: `More backends have failed than may be withdrawn at once, at ${AT}`,
    description:
      "Unhealthy backends stay in answers, because withdrawing them too would leave the others with more than they were allowed to get.",
    runbook: "withdrawal-held",
  }),
  {
    name: "GlobalRouteAvailabilityBurnsFast",
    severity: "critical",
    expr: burning("fast"),
    for: "2m",
    reads: windows("fast"),
    summary: "{{ $labels.job }} loses DNS queries at a rate that ends the month's error budget within days",
    description: "{{ $value | humanizePercentage }} of the queries of the longer window got SERVFAIL or no answer; 0.1 % may in 30 days.",
    runbook: "availability",
  },
  {
    name: "GlobalRouteAvailabilityBurnsSlowly",
    severity: "warning",
    expr: burning("slow"),
    for: "15m",
    reads: windows("slow"),
    summary: "{{ $labels.job }} loses more DNS queries than the month's error budget allows",
    description: "{{ $value | humanizePercentage }} of the queries of the longer window got SERVFAIL or no answer; 0.1 % may in 30 days.",
    runbook: "availability",
  },
  {
    name: "GlobalRouteServfail",
    severity: "warning",
    expr: `${share("SERVFAIL")} > 0.01`,
    for: "5m",
    reads: ["globalroute_dns_queries_total"],
    summary: "{{ $labels.job }} answers many queries with SERVFAIL",
    description: "{{ $value | humanizePercentage }} of queries; resolvers try again and then fail their clients.",
    runbook: "servfail",
  },
  {
    name: "GlobalRouteDropsMessages",
    severity: "warning",
    expr: `${share("dropped")} > 0.1`,
    for: "10m",
    reads: ["globalroute_dns_queries_total"],
    summary: "{{ $labels.job }} gives many messages no answer",
    description:
      "{{ $value | humanizePercentage }} of messages are malformed, no queries, or stopped by the rate limit: somebody sends what no resolver sends.",
    runbook: "drops-messages",
  },
  {
    name: "GlobalRouteRateLimits",
    severity: "warning",
    expr: `${limited} > 0.05`,
    for: "10m",
    reads: ["globalroute_dns_rate_limited_total", "globalroute_dns_queries_total"],
    summary: "The rate limit of {{ $labels.job }} stops many answers",
    description:
      "{{ $value | humanizePercentage }} of answers. Resolvers that are slipped come again over TCP; others behind the same network may wait.",
    runbook: "rate-limits",
  },
  {
    name: "GlobalRouteSigningOverloaded",
    severity: "warning",
    expr: 'sum by (namespace, job, instance) (rate(globalroute_dns_deferred_dropped_total{lane="known"}[5m])) > 0.1',
    for: "5m",
    reads: ['globalroute_dns_deferred_dropped_total{lane="known"}'],
    summary: `Queries of signed zones wait in vain for a signature at ${AT}`,
    description: "Queries a second for names that exist and got no answer: {{ $value | humanize }}.",
    runbook: "signing-overloaded",
  },
  {
    name: "GlobalRouteAnswersSlowly",
    severity: "warning",
    expr: `${latency} > 0.005`,
    for: "10m",
    reads: [latency],
    summary: "DNS answers of {{ $labels.job }} take long",
    description: "One in a hundred takes {{ $value | humanizeDuration }} or more inside the server; a tenth of a millisecond is usual.",
    runbook: "answers-slowly",
  },
  {
    name: "GlobalRouteSignaturesEnd",
    severity: "critical",
    expr: "min by (namespace, job, instance, zone) (globalroute_rrsig_expiry_seconds) < 2 * 86400",
    for: "10m",
    reads: ["globalroute_rrsig_expiry_seconds"],
    summary: "Signatures of {{ $labels.zone }} are not renewed",
    description:
      "The first ends in {{ $value | humanizeDuration }}; then validating resolvers answer SERVFAIL. They are renewed with three and a half days left.",
    runbook: "signatures-end",
  },
  {
    name: "GlobalRouteSecondaryUnreached",
    severity: "warning",
    expr: 'sum by (namespace, job, zone) (rate(globalroute_zone_notify_total{result!="acknowledged"}[15m])) > 0 unless sum by (namespace, job, zone) (rate(globalroute_zone_notify_total{result="acknowledged"}[15m])) > 0',
    for: "15m",
    reads: ["globalroute_zone_notify_total"],
    summary: "No holder of a copy of {{ $labels.zone }} acknowledges changes",
    description:
      "Secondaries learn of a failover only when they ask by themselves, and some of their clients are sent to what has failed until then.",
    runbook: "secondary-unreached",
  },
];
