/** What HAProxy is told by a real engine that probes clusters itself, as it judges them. Inside a test. */
import { writeFile } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { createMonitor } from "../../../health/monitor.ts";
import { systemPorts } from "../../../health/ports.ts";
import { createProber } from "../../../health/probes/prober.ts";
import { createCompiler } from "../../../src/engine/compiler.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import { createLastGoodStore } from "../../../src/engine/last-good.ts";
import { newLatencyMap } from "../../../src/geo/latency-model.ts";
import type { Inventory, Route } from "../../../src/model/inventory.ts";
import { parseNetwork } from "../../../src/model/ip.ts";
import { ms } from "../../../src/model/units.ts";
import { createLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createTimeline } from "../../../src/observe/timeline.ts";
import { edgePlan } from "../../../src/proxy/edge-plan.ts";
import { edgeSettingsOf } from "../../../src/proxy/edge-settings.ts";
import { httpOf } from "../../../src/proxy/haproxy/http-rules.ts";
import type { HaproxyWorld } from "../../../src/proxy/haproxy/layout.ts";
import { measuresOf } from "../../../src/routing/measure.ts";
import { policyOf } from "../../../src/routing/policy.ts";
import type { RoutingTable } from "../../../src/routing/table.ts";
import { tempFolder } from "../temp-folder.ts";
import { COUNTRY_FILE } from "../world/compile-test-world.ts";

export interface JudgedWorld {
  /** What it says now. */
  readonly current: () => HaproxyWorld;
  /** Called back with what it says from then on, whenever that may have changed. */
  readonly follow: (listener: (world: HaproxyWorld) => void) => void;
}

/** @param inventory whose routes are probed over HTTP at loopback addresses, and tell no clients apart */
export async function judgeWorld(inventory: Inventory): Promise<JudgedWorld> {
  const folder = await tempFolder();
  const geoPath = `${folder}/geo.mmdb`;
  await writeFile(geoPath, COUNTRY_FILE);
  const compiler = createCompiler();
  const prober = createProber({ allow: [parseNetwork("127.0.0.0/8")!], refuse: [] });
  const ports = systemPorts(prober.probe);
  const setTimer = (delay: number, callback: () => void) => ports.setTimer(ms(delay), callback);
  let table: RoutingTable | undefined;
  let listener = (_: HaproxyWorld): void => {};
  const current = (): HaproxyWorld => ({
    routes: inventory.routes.map((route, i) => haproxyRouteOf(inventory, table!, route, i)),
    classes: [],
  });
  const tell = (): void => {
    if (table !== undefined) listener(current());
  };
  const engine = createEngine({
    source: { path: "test", read: async () => ({ inventory, problems: [] }), watch: () => {}, close: () => {} },
    publishers: [
      {
        publish(next) {
          table = next;
          tell();
          return [];
        },
      },
    ],
    ...{ compiler, lastGood: createLastGoodStore(`${folder}/last-good`), geoPaths: [geoPath], population: new Map() },
    createMonitor: (events) => createMonitor({ ...events, vantage: "here", ports }),
    metrics: createMetrics(),
    timeline: createTimeline(1000, Date.now),
    log: createLog({ level: "error", pretty: false, write: (line) => void process.stderr.write(line), now: Date.now }),
    ...{ now: Date.now, setTimer },
  });
  engine.view.health.watch(tell);
  onTestFinished(async () => {
    await engine.stop();
    await Promise.all([compiler.close(), prober.close()]);
  });
  await engine.start();
  return {
    current,
    follow: (next) => {
      listener = next;
      tell();
    },
  };
}

function haproxyRouteOf(inventory: Inventory, table: RoutingTable, route: Route, index: number): HaproxyWorld["routes"][number] {
  const policy = policyOf(route, inventory, new Map(inventory.clusters.map(({ name }, i) => [name, i])), new Map());
  const plan = edgePlan({ table, route, index, policy, measures: measuresOf(inventory.clusters, newLatencyMap()), place: {} });
  const { namespace, name, hosts, sticky } = route;
  const http = httpOf(edgeSettingsOf(route, ""));
  return { ...{ namespace, name, hosts, sticky, plan }, port: route.health.probe.port, ...(http === undefined ? {} : { http }) };
}
