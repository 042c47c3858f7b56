/** What dashboards and alerts tell of replicas, vantages and API servers: their queries, asked of a Prometheus that has scraped real replicas. */
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alerts } from "../../src/cli/monitoring/rule-files.ts";
import { requireComponent } from "../support/component.ts";
import { panelsOf, readDashboards } from "../support/observability/dashboard-files.ts";
import { onKubernetesAlone } from "../support/observability/kubernetes-panels.ts";
import { runPanel, type Scene } from "../support/observability/run-panel.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import type { Controller } from "./support/controller.ts";
import { startReplicas } from "./support/replicas.ts";
import { publish } from "./support/story.ts";
import { startWorld, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") &&
  requireComponent("kubectl", "kubectl") &&
  requireComponent("dns-clients", "dig") &&
  requireComponent("prometheus", "prometheus");
/** Panels that a single server has no data for. */
const panels = readDashboards().flatMap((dashboard) =>
  panelsOf(dashboard).flatMap(({ title, targets }) =>
    targets
      .filter(({ expr }) => onKubernetesAlone(expr))
      .map(({ expr, instant }) => ({ title: `${dashboard.title}: ${title}`, expr, instant })),
  ),
);
const alertsHere = alerts.filter(({ onKubernetes }) => onKubernetes === true);

describe.skipIf(!isHere)("two replicas and three members, on a real Prometheus", () => {
  let world: World;
  let replicas: readonly Controller[];
  let prometheus: Prometheus;
  let scene: Scene;
  const has = async (expression: string): Promise<boolean> => (await prometheus.query(expression)).length > 0;
  async function until(what: string, expression: string): Promise<void> {
    for (const deadline = performance.now() + 30_000; !(await has(expression)); await setTimeout(200))
      if (performance.now() > deadline) throw new Error(`never: ${what}: ${expression}`);
  }

  beforeAll(async () => {
    const from = Date.now() / 1000;
    world = await startWorld();
    replicas = await startReplicas(world.hub, 2);
    prometheus = await startPrometheus(replicas.map(({ admin }) => new URL(admin).host));
    for (const replica of replicas.slice(0, 1)) await publish(world, replica, "shop");
    await until("one of them writes", "sum(globalroute_writer) == 1");
    await until("they hear each other", "sum(globalroute_peer_connected) == 2");
    await until("every member is read by both", "sum(globalroute_cluster_connected) >= 6");
    await setTimeout(2000);
    scene = { url: prometheus.url, from, to: Date.now() / 1000 };
  }, 240_000);
  afterAll(async () => {
    await prometheus?.stop();
    await Promise.all((replicas ?? []).map((replica) => replica.stop()));
    await world?.stop();
  });

  test("there are such panels and alerts", () => {
    expect(panels.length).toBeGreaterThanOrEqual(4);
    expect(alertsHere.length).toBeGreaterThanOrEqual(5);
  });

  test.each(panels)("$title", async ({ expr, instant }) => {
    const result = await runPanel(scene, expr, instant ? "instant" : "range");
    expect(result.error).toBeUndefined();
    expect(result.numbers, result.asked).toBeGreaterThan(0);
  });

  test.each(alertsHere)("$name reads what there is, and is silent", async ({ expr, reads }) => {
    for (const read of reads) expect(await has(read), read).toBe(true);
    expect(await prometheus.query(expr)).toEqual([]);
  });

  test("a replica that is gone is told of: no target, a lost peer, and a writer again", async () => {
    const gone = new URL(replicas[1]!.admin).host;
    await replicas[1]!.stop("SIGKILL");
    await until("its target is down", `up{instance="${gone}"} == 0 and on (job, instance) last_over_time(globalroute_build_info[1d])`);
    await until("the other misses it", 'globalroute_degraded{reason="peer-lost"} == 1');
    await until("somebody writes", "sum(globalroute_writer) == 1");
  });
});
