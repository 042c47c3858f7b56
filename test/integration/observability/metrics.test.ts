/** Our metrics as Prometheus and promtool read them, of a demo whose nearest cluster has broken. */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { requireComponent } from "../../support/component.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { checkMetrics, type Prometheus, startPrometheus } from "../../support/prometheus.ts";

const timelineAnswer = z.object({
  events: z.array(
    z.object({
      id: z.number(),
      kind: z.string(),
      object: z.string(),
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    }),
  ),
});

const hasPrometheus = requireComponent("prometheus", "prometheus") && requireComponent("prometheus", "promtool");

describe.skipIf(!hasPrometheus)("after a failover of the demo", () => {
  let demo: Demo;
  let prometheus: Prometheus;
  const events = async () => timelineAnswer.parse(await (await fetch(`${demo.admin}/v1/timeline`)).json()).events;
  /** Asks until there is something; Prometheus scrapes once a second. */
  async function until<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
    for (const deadline = performance.now() + 15_000; ; await setTimeout(200)) {
      const found = await ask();
      if (found.length > 0 || performance.now() > deadline) return found;
    }
  }

  beforeAll(async () => {
    demo = await startDemo();
    prometheus = await startPrometheus(new URL(demo.admin).host);
    await until(() => prometheus.query("globalroute_route_active"));
    await demo.act("down", "eu-west");
    await until(async () => ((await events()).filter(({ kind }) => kind === "FailoverPropagated").length >= 3 ? [true] : []));
  }, 60_000);
  afterAll(async () => {
    await prometheus?.stop();
    await demo?.stop();
  });

  test("promtool finds nothing wrong with the text format", async () => {
    const response = await fetch(`${demo.admin}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(checkMetrics(await response.text())).toEqual({ code: 0, output: "" });
  });

  test("Prometheus asks for OpenMetrics and takes all of it", async () => {
    const response = await fetch(`${demo.admin}/metrics`, { headers: { accept: "application/openmetrics-text;version=1.0.0" } });
    expect(response.headers.get("content-type")).toContain("application/openmetrics-text; version=1.0.0");
    const samples = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
    expect(await prometheus.target()).toMatchObject({ health: "up", lastError: "" });
    // the newest scrape may be of before the failover, which brought new series
    const scraped = async (): Promise<number | undefined> => (await prometheus.query("scrape_samples_scraped"))[0]?.value;
    await expect.poll(scraped, { timeout: 20_000, interval: 200 }).toBeGreaterThan(samples - 30);
  });

  test("an exemplar of each leg leads to the event of its failover", async () => {
    const stored = await until(async () => {
      const all = await prometheus.exemplars("globalroute_failover_leg_seconds_bucket");
      const legs = new Set(all.map(({ series }) => series.leg));
      return ["detect", "decide", "publish", "propagate"].every((leg) => legs.has(leg)) ? all : [];
    });
    const failovers = new Map((await events()).filter(({ kind }) => kind === "Failover").map((event) => [String(event.id), event]));
    expect(stored.length).toBeGreaterThanOrEqual(4);
    for (const { series, labels, value } of stored) {
      const event = failovers.get(labels.event_id ?? "");
      expect(event?.object).toBe(`GlobalRoute ${labels.route}`);
      if (series.leg === "detect") expect(value).toBe(event?.details.detectSeconds);
      if (series.leg === "decide") expect(value).toBe(event?.details.decideSeconds);
    }
    const [whole] = await prometheus.exemplars("globalroute_failover_duration_seconds_bucket");
    expect(whole?.value).toBe(failovers.get(whole?.labels.event_id ?? "")?.details.seconds);
  });

  test("the legs of a failover add up to what its events tell", async () => {
    const told = await events();
    const seen = told.find(({ kind, details }) => kind === "FailoverPropagated" && details.via === "self");
    const failover = told.find(({ id }) => id === seen?.details.failover);
    const { detectSeconds, decideSeconds, seconds } = z
      .object({ detectSeconds: z.number(), decideSeconds: z.number(), seconds: z.number() })
      .parse(failover?.details);
    expect(detectSeconds + decideSeconds).toBeCloseTo(seconds, 6);
    expect(Number(seen?.details.totalSeconds)).toBeCloseTo(seconds + Number(seen?.details.seconds), 2);
    expect(failover?.details.cause).toBe("probes");
  });

  test("who is served where has followed, one series for each route", async () => {
    const left = await until(() => prometheus.query('globalroute_cluster_population_share{cluster="eu-west"} == 0'));
    expect(left).toHaveLength(1);
    const active = await prometheus.query("globalroute_route_active");
    expect(active.map(({ metric }) => metric.cluster)).not.toContain("eu-west");
    expect(active.map(({ metric }) => metric.route).sort()).toEqual(["default/app", "default/eu", "default/shop"]);
    const [all] = await prometheus.query("sum(globalroute_cluster_population_share)");
    expect(all?.value).toBeCloseTo(1, 3);
    const [regret] = await prometheus.query('globalroute_regret_km{quantile="0.99"}');
    expect(regret?.value).toBeGreaterThan(100);
    const [moves] = await prometheus.query('sum(globalroute_failovers_total{from="eu-west"})');
    expect(moves?.value).toBe(3);
    expect(await prometheus.query("globalroute_build_info")).toMatchObject([{ value: 1, metric: { version: expect.any(String) } }]);
  });
});
