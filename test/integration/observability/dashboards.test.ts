/**
 * Every query of every dashboard, and every recording rule and alert, asked of a real Prometheus that has scraped a real server through
 * failovers: no panel is empty, no metric is missing, and what fires arrives at a real Alertmanager.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { metricNames } from "../../../src/cli/monitoring/promql.ts";
import { alerts } from "../../../src/cli/monitoring/rule-files.ts";
import { requireComponent } from "../../support/component.ts";
import { type Alertmanager, startAlertmanager } from "../../support/observability/alertmanager.ts";
import { panelsOf, RULES, readDashboards } from "../../support/observability/dashboard-files.ts";
import { onKubernetesAlone } from "../../support/observability/kubernetes-panels.ts";
import { type ObservedWorld, startObservedWorld } from "../../support/observability/observed-world.ts";
import { runPanel, type Scene } from "../../support/observability/run-panel.ts";
import { type Prometheus, startPrometheus } from "../../support/prometheus.ts";
import { listFiles, repository } from "../../support/source-tree.ts";

const rulesAnswer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(z.looseObject({ name: z.string(), type: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});

const isHere =
  requireComponent("prometheus", "prometheus") &&
  requireComponent("prometheus", "prometheus-alertmanager") &&
  requireComponent("bind", "named") &&
  requireComponent("dns-clients", "dig");
const SERVING = 'globalroute_cluster_population_share{cluster="eu-west"}';
const dashboards = readDashboards();
const proved = { panels: 0, alerts: 0 };
/** Metrics of queries that had nothing but the 0 that they show where nothing has happened. */
const unused = new Set<string>();

describe.skipIf(!isHere)("on a real Prometheus, after failovers", () => {
  let world: ObservedWorld;
  let prometheus: Prometheus;
  let alertmanager: Alertmanager;
  let scene: Scene;

  async function until(what: string, holds: () => Promise<boolean>, seconds = 30): Promise<void> {
    for (const deadline = performance.now() + seconds * 1000; !(await holds()); await setTimeout(100))
      if (performance.now() > deadline) throw new Error(`never: ${what}\n${world.log().slice(-4000)}`);
  }
  const has = async (expression: string): Promise<boolean> => (await prometheus.query(expression)).length > 0;

  /** What the server itself says now; 0 for what it does not have. */
  async function exposed(series: string): Promise<number> {
    const text = await (await fetch(`${world.admin}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  beforeAll(async () => {
    const began = Date.now() / 1000;
    alertmanager = await startAlertmanager(join(repository, "docs/grafana/alertmanager.yml"));
    world = await startObservedWorld(alertmanager.address);
    const rules = listFiles([RULES]).map((path) => join(repository, path));
    prometheus = await startPrometheus(new URL(world.admin).host, rules, alertmanager.address);
    await until("every site was found healthy", () => has("sum(globalroute_endpoint_healthy) >= 5"));
    await until("both zones elsewhere were written", () => has("count(globalroute_provider_sync_age_seconds) == 2"));
    await until("that was scraped some times before anything happens", () =>
      has("min(count_over_time(globalroute_provider_sync_age_seconds[1m])) >= 4"),
    );
    // Each time again as soon as it is back: within its damping window, which is not the time for a detour by Prometheus.
    for (let turn = 1; (await exposed('globalroute_flaps_total{cluster="eu-west"}')) < 3; turn++) {
      if (turn > 10) throw new Error(`eu-west never flapped thrice\n${world.log().slice(-4000)}`);
      world.set("eu-west", false);
      await until("eu-west was left", async () => (await exposed(SERVING)) === 0);
      if (turn === 1) await until("the leaving was seen", () => has('globalroute_failover_leg_seconds_count{leg="propagate"}'));
      world.set("eu-west", true);
      await until("eu-west serves again", async () => (await exposed(SERVING)) > 0);
    }
    world.drill("ap-northeast", 2);
    await until("notifications went out, and could not", () =>
      has('globalroute_notifications_total{result="sent"} and on () globalroute_notifications_total{result="retried"}'),
    );
    await until("the drill was counted", () => has("globalroute_drills_total"));
    await until("copies were given and announced", () => has("globalroute_zone_notify_total and on () globalroute_zone_transfers_total"));
    const last =
      "globalroute_notifications_total|globalroute_zone_notify_total|globalroute_zone_transfers_total|globalroute_flaps_total|globalroute_drills_total";
    await until("what came last was scraped some times", () => has(`min(count_over_time({__name__=~"${last}"}[1m])) >= 4`));
    scene = { url: prometheus.url, from: began, to: Date.now() / 1000, route: "default/shop-net" };
  }, 90_000);
  afterAll(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await world?.stop();
    process.stderr.write(`${proved.panels} panels, ${proved.alerts} alerts proved\n`);
  });

  describe.each(dashboards)("$title", (dashboard) => {
    test("its choices have values", async () => {
      for (const { name, type, definition } of dashboard.templating.list) {
        if (type !== "query") continue;
        const [, metric = "", label = ""] = /^label_values\((\w+).*, (\w+)\)$/.exec(definition ?? "") ?? [];
        const values = new Set((await prometheus.query(metric)).map((series) => series.metric[label]));
        if (name === "namespace") continue; // of Kubernetes alone; without it every query has to work all the same
        expect(
          [...values].filter((value) => value !== undefined),
          `${name}: ${definition}`,
        ).not.toEqual([]);
      }
    });

    test("its failovers are annotated", async () => {
      const [failovers] = dashboard.annotations.list.filter(({ name }) => name === "Failovers");
      const result = await runPanel(scene, failovers?.expr ?? "", "range");
      expect(result.error).toBeUndefined();
      expect(result.numbers).toBeGreaterThan(0);
    });

    test.each(panelsOf(dashboard))("$id $title", async (panel) => {
      for (const { expr, instant, refId } of panel.targets) {
        const result = await runPanel(scene, expr, instant ? "instant" : "range");
        expect(result.error, `${refId}: ${expr}`).toBeUndefined();
        if (onKubernetesAlone(expr)) continue;
        expect(result.numbers, `${refId} has no data: ${result.asked}`).toBeGreaterThan(0);
        const counted = expr.replace(/ or vector\([01]\)$/, "");
        if (counted === expr) continue;
        const { numbers } = await runPanel(scene, counted, instant ? "instant" : "range");
        if (numbers === 0) for (const name of metricNames(expr)) unused.add(name);
      }
      proved.panels++;
    });
  });

  test("Prometheus evaluates every rule without an error", async () => {
    const { data } = rulesAnswer.parse(await (await fetch(`${prometheus.url}/api/v1/rules`)).json());
    const rules = data.groups.flatMap(({ rules }) => rules);
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    expect(
      rules
        .filter(({ type }) => type === "alerting")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(alerts.map(({ name }) => name).sort());
    for (const { name } of rules.filter(({ type }) => type === "recording")) expect(await has(name), name).toBe(true);
  });

  test.each(alerts)("$name reads what there is", async ({ expr, reads, onKubernetes }) => {
    expect([...new Set(reads.flatMap(metricNames))].sort()).toEqual(metricNames(expr));
    for (const read of reads) if (onKubernetes !== true || read.includes("globalroute_degraded")) expect(await has(read), read).toBe(true);
    proved.alerts++;
  });

  test("what fires arrives at Alertmanager, with values and a runbook", async () => {
    await until("the alert", async () => (await alertmanager.alerts()).some(({ labels }) => labels.alertname === "GlobalRouteFlaps"), 20);
    const alert = (await alertmanager.alerts()).find(({ labels }) => labels.alertname === "GlobalRouteFlaps");
    expect(alert).toMatchObject({ labels: { severity: "warning", cluster: "eu-west", job: "globalroute" } });
    expect(alert?.annotations.summary).toBe("eu-west comes and goes");
    expect(alert?.annotations.description).toMatch(/^Times within an hour .*: [3-6]\. /);
    expect(alert?.annotations.runbook_url).toBe("docs/runbooks/flaps.md");
  });

  test("every metric that is named exists, and every metric of the reference is looked at", async () => {
    const reference = new Set(
      [...readFileSync(join(repository, "docs/metrics.md"), "utf8").matchAll(/`(globalroute_[a-z0-9_]+)`/g)].map(([, name]) => name ?? ""),
    );
    const expressions = [
      ...dashboards.flatMap(panelsOf).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...alerts.map(({ expr }) => expr),
    ];
    const base = (name: string): string => (reference.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ""));
    const named = new Set(
      expressions
        .flatMap(metricNames)
        .filter((name) => name.startsWith("globalroute_"))
        .map(base),
    );
    expect([...named].filter((name) => !reference.has(name))).toEqual([]);
    expect([...reference].filter((name) => !named.has(name)).sort()).toEqual([]);
  });

  test("what had nothing to count is what should not happen", () => {
    const rare = ["globalroute_guard_holds_total", "globalroute_provider_errors_total"]; // though a busy machine's probes may time out
    expect([...unused].filter((name) => !rare.includes(name))).toEqual([]);
  });

  test("nothing was left out of the count", () => {
    expect(proved.panels).toBe(dashboards.flatMap(panelsOf).length);
    expect(proved.alerts).toBe(alerts.length);
    expect(proved.panels).toBeGreaterThan(80);
    expect(proved.alerts).toBeGreaterThan(35);
  });
});
