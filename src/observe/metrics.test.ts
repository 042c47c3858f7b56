import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEGRADED_REASONS } from "./metric-readings.ts";
import { createMetrics } from "./metrics.ts";

/** The scrape's sample lines, without comments. */
const samples = async (metrics: ReturnType<typeof createMetrics>): Promise<readonly string[]> =>
  (await metrics.expose()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("each instance counts for itself", async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.guardHold("withdrawal");
  one.guardHold("withdrawal");
  expect(await samples(one)).toContain('globalroute_guard_holds_total{rule="withdrawal"} 2');
  expect((await samples(other)).join()).not.toContain("globalroute_guard_holds_total{");
});

test("probes, failovers and compiles are observed in seconds, in the bucket that holds them", async () => {
  const metrics = createMetrics();
  metrics.probe("eu-west", "ok", 0.02);
  metrics.probe("eu-west", "timeout", 0.8);
  metrics.failover({ route: "default/shop", from: "eu-west", to: "us-east", reason: "timeout", seconds: 2.4 });
  metrics.failover({ route: "default/shop", from: "us-east", to: "eu-west", reason: "returned" });
  metrics.compile(0.07);
  metrics.dnsQueryDuration(0.00002);
  const lines = await samples(metrics);
  expect(lines).toEqual(
    expect.arrayContaining([
      'globalroute_probe_duration_seconds_bucket{le="0.01",cluster="eu-west",result="ok"} 0',
      'globalroute_probe_duration_seconds_bucket{le="0.025",cluster="eu-west",result="ok"} 1',
      'globalroute_probe_duration_seconds_count{cluster="eu-west",result="timeout"} 1',
      'globalroute_failovers_total{route="default/shop",from="eu-west",to="us-east",reason="timeout"} 1',
      'globalroute_failovers_total{route="default/shop",from="us-east",to="eu-west",reason="returned"} 1',
      "globalroute_failover_duration_seconds_count 1", // the return was no failover from a failed probe
      'globalroute_failover_duration_seconds_bucket{le="2"} 0',
      'globalroute_failover_duration_seconds_bucket{le="3"} 1',
      "globalroute_table_compile_seconds_sum 0.07",
      'globalroute_dns_query_duration_seconds_bucket{le="0.000025"} 1',
    ]),
  );
});

test("readings are taken at each scrape, and what is gone leaves no series", async () => {
  let endpoints = [
    { cluster: "eu-west", address: "192.0.2.1", healthy: true },
    { cluster: "us-east", address: "198.51.100.1", route: "default/shop", healthy: false },
  ];
  let queries = 3;
  const metrics = createMetrics();
  metrics.attach({ geoAgeSeconds: () => 86_400 });
  metrics.attach({
    table: () => ({ version: 7, ageSeconds: 34 }),
    scopeFallbacks: () => 0,
    endpoints: () => endpoints,
    degraded: () => ["fail-open", "something-new"],
    dnsQueries: () => [{ rcode: "NOERROR", type: "A", transport: "udp", count: queries }],
    decisions: () => [{ mode: "Usable", count: queries }],
  });
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      "globalroute_table_version 7",
      "globalroute_table_age_seconds 34",
      "globalroute_geo_age_seconds 86400",
      "globalroute_scope_fallbacks 0",
      'globalroute_endpoint_healthy{cluster="eu-west",address="192.0.2.1"} 1',
      'globalroute_endpoint_healthy{cluster="us-east",address="198.51.100.1",route="default/shop"} 0',
      'globalroute_degraded{reason="fail-open"} 1',
      'globalroute_degraded{reason="something-new"} 1',
      'globalroute_degraded{reason="geo-stale"} 0',
      'globalroute_dns_queries_total{rcode="NOERROR",type="A",transport="udp"} 3',
      'globalroute_decisions_total{mode="Usable"} 3',
    ]),
  );
  endpoints = endpoints.slice(0, 1);
  queries = 5;
  const later = await samples(metrics);
  expect(later).toContain('globalroute_dns_queries_total{rcode="NOERROR",type="A",transport="udp"} 5');
  expect(later.join()).not.toContain("us-east");
});

test.each([[[true, false]], [[false, true]]])("an address that is probed in two ways is as good as the worse: %j", async (healths) => {
  const metrics = createMetrics();
  metrics.attach({ endpoints: () => healths.map((healthy) => ({ cluster: "eu-west", address: "192.0.2.1:80", healthy })) });
  expect(await samples(metrics)).toContain('globalroute_endpoint_healthy{cluster="eu-west",address="192.0.2.1:80"} 0');
});

test("a reading that nobody gives exports nothing, not a zero that looks like an answer", async () => {
  const lines = await samples(createMetrics());
  expect(lines.filter((line) => /_version|_age_|_degraded|scope_fallbacks/.test(line))).toEqual([]);
});

test("process metrics come without those that promtool refuses", () => {
  const names = createMetrics({ processMetrics: true }).names();
  expect(names).toContain("process_resident_memory_bytes");
  expect(names).toContain("nodejs_eventloop_lag_p99_seconds");
  expect(names.filter((name) => name.startsWith("nodejs_active_") && name.endsWith("_total"))).toEqual([]);
});

const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");

test("docs/metrics.md lists exactly the metrics that there are", () => {
  expect([...page.matchAll(/^\| `(globalroute_\w+)`/gm)].map(([, name]) => name).sort()).toEqual(createMetrics().names());
});

test("docs/metrics.md lists exactly the reasons of degradation that there are", () => {
  expect([...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason).sort()).toEqual([...DEGRADED_REASONS].sort());
});
