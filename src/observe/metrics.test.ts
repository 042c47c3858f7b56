import { expect, test } from "vitest";
import { evaluateFormula, metricsPage, sectionOf, seriesBudget } from "../../test/support/series-budget.ts";
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
  metrics.failover({ route: "default/shop", event: 7, from: "eu-west", to: "us-east", reason: "timeout", seconds: 2.4 });
  metrics.failover({ route: "default/shop", event: 9, from: "us-east", to: "eu-west", reason: "returned" });
  metrics.compile(0.07);
  metrics.dnsQueryDuration(0.00002);
  const lines = await samples(metrics);
  expect(lines).toEqual(
    expect.arrayContaining([
      'globalroute_probe_duration_seconds_bucket{le="0.01",cluster="eu-west",result="ok"} 0',
      'globalroute_probe_duration_seconds_bucket{le="0.025",cluster="eu-west",result="ok"} 1',
      'globalroute_probe_duration_seconds_count{cluster="eu-west",result="timeout"} 1',
      'globalroute_failovers_total{from="eu-west",to="us-east",reason="timeout"} 1',
      'globalroute_failovers_total{from="us-east",to="eu-west",reason="returned"} 1',
      "globalroute_failover_duration_seconds_count 1", // the return was no failover from a failed probe
      'globalroute_failover_duration_seconds_bucket{le="2"} 0',
      'globalroute_failover_duration_seconds_bucket{le="3"} 1',
      "globalroute_table_compile_seconds_sum 0.07",
      'globalroute_dns_query_duration_seconds_bucket{le="0.000025"} 1',
    ]),
  );
});

test("readings are taken at each scrape, and what is gone leaves no series", async () => {
  const labels = [
    { cluster: "eu-west", address: "192.0.2.1" },
    { cluster: "us-east", address: "198.51.100.1" },
  ];
  let endpoints = { labels, healthy: Uint8Array.of(1, 0) };
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
    answers: () => [{ cluster: "eu-west", count: queries }],
  });
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      "globalroute_table_version 7",
      "globalroute_table_age_seconds 34",
      "globalroute_geo_age_seconds 86400",
      "globalroute_scope_fallbacks 0",
      'globalroute_endpoint_healthy{cluster="eu-west",address="192.0.2.1"} 1',
      'globalroute_endpoint_healthy{cluster="us-east",address="198.51.100.1"} 0',
      'globalroute_degraded{reason="fail-open"} 1',
      'globalroute_degraded{reason="something-new"} 1',
      'globalroute_degraded{reason="geo-stale"} 0',
      'globalroute_dns_queries_total{rcode="NOERROR",type="A",transport="udp"} 3',
      'globalroute_decisions_total{mode="Usable"} 3',
      'globalroute_answers_total{cluster="eu-west"} 3',
    ]),
  );
  endpoints = { labels: labels.slice(0, 1), healthy: Uint8Array.of(1) };
  queries = 5;
  const later = await samples(metrics);
  expect(later).toContain('globalroute_dns_queries_total{rcode="NOERROR",type="A",transport="udp"} 5');
  expect(later.join()).not.toContain("us-east");
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

test("only OpenMetrics shows the exemplars of a failover, with the newest route and event of a bucket", async () => {
  const metrics = createMetrics({ now: () => 1_700_000_000_500 });
  const long = { route: `default/${"x".repeat(253)}`, event: 12_345 };
  metrics.failoverLeg("detect", "", 0.4, { route: "default/old", event: 3 });
  metrics.failoverLeg("detect", "", 0.5, { route: "default/shop", event: 7 });
  metrics.failoverLeg("propagate", "resolver 192.0.2.53", 700, long);
  metrics.failover({ ...long, from: "eu-west", to: "us-east", reason: "timeout", seconds: 2.4 });
  expect(await metrics.expose()).not.toContain("# {");
  const text = await metrics.expose("OpenMetrics");
  const detect = 'globalroute_failover_leg_seconds_bucket{le="0.5",leg="detect",via=""} 2';
  expect(text).toContain(`${detect} # {route="default/shop",event_id="7"} 0.5 1700000000.500\n`);
  // OpenMetrics allows 128 characters to names and values together.
  const [, clipped = ""] = /le="\+Inf",leg="propagate"[^#]*# \{route="(.*?)"/.exec(text) ?? [];
  expect([...`route${clipped}event_id12345`]).toHaveLength(128);
  expect(text).toContain(`globalroute_failover_duration_seconds_bucket{le="3.0"} 1 # {route="${clipped}",event_id="12345"} 2.4`);
  expect(text).toMatch(/# TYPE globalroute_failovers counter\nglobalroute_failovers_total\{/);
  expect(text.endsWith("\n# EOF\n")).toBe(true);
});

test("while a long text is written others have their turn, and no histogram is cut in two", async () => {
  let turns = 0;
  const metrics: ReturnType<typeof createMetrics> = createMetrics({
    async breathe() {
      turns++;
      metrics.probe("eu-west", "ok", 0.02); // what happens meanwhile
    },
  });
  for (let i = 0; i < 200; i++) metrics.probe(`cluster-${i}`, "ok", 0.02);
  const labels = Array.from({ length: 3000 }, (_, i) => ({ cluster: "eu-west", address: `${i}` }));
  metrics.attach({ endpoints: () => ({ labels, healthy: new Uint8Array(labels.length) }) });
  const lines = await samples(metrics);
  const atFirst = turns;
  expect(atFirst).toBeGreaterThan(8);
  await samples(metrics);
  expect(turns - atFirst).toBeLessThan(atFirst); // what is kept takes no time
  const total = (suffix: string) =>
    lines.find((line) => line.startsWith(`globalroute_probe_duration_seconds_${suffix}{`) && line.includes('"eu-west"'));
  const last = lines.findLast((line) => line.startsWith("globalroute_probe_duration_seconds_bucket{") && line.includes('"eu-west"'));
  expect(last?.split(" ")[1]).toBe(total("count")?.split(" ")[1]);
});

const page = metricsPage();

test("docs/metrics.md lists exactly the metrics that there are, with their types and labels", () => {
  const rows = [...page.split("\n## ")[0]!.matchAll(/^\| `(globalroute_\w+)` \| (\w+) \|([^|]*)\| \S/gm)];
  const listed = rows.map(([, name, kind, labels = ""]) => ({
    name,
    kind,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, one]) => one),
  }));
  expect(listed).toEqual(
    createMetrics()
      .families()
      .map(({ name, kind, labels }) => ({ name, kind, labels })),
  );
});

test("docs/metrics.md says for each metric how many series there can be, and adds them up", () => {
  const world: Readonly<Record<string, number>> = { R: 2000, C: 10, E: 20_000, Z: 1, K: 0, P: 0, V: 0, N: 0, F: 0, T: 0 };
  const rows = seriesBudget(page);
  for (const { name, formula, example } of rows) expect([name, evaluateFormula(formula, world)]).toEqual([name, example]);
  expect(rows.map(({ name }) => name)).toEqual(
    createMetrics()
      .families()
      .map(({ name }) => name),
  );
  const sum = rows.reduce((total, { example }) => total + example, 0);
  expect(sectionOf(page, "Series")).toContain(`Together at most ${sum.toLocaleString("en-GB")} in that world`);
  // A histogram has its buckets, +Inf, a sum and a count for each series of labels.
  const ones = { R: 1, C: 1, E: 1, Z: 1, K: 1, P: 1, V: 0, N: 1, F: 1, T: 1 };
  for (const { name, buckets } of createMetrics().families()) {
    const formula = rows.find((row) => row.name === name)?.formula ?? "";
    if (buckets !== undefined) expect([name, evaluateFormula(formula, ones) % (buckets.length + 3)]).toEqual([name, 0]);
  }
});

test("docs/metrics.md lists exactly the reasons of degradation that there are", () => {
  expect([...sectionOf(page, "Reasons of degradation").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason).sort()).toEqual(
    [...DEGRADED_REASONS].sort(),
  );
});
