/** Our engine with its own prober, as it judges three clusters on loopback and tells an Envoy fleet who serves. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createMonitor } from "../../../health/monitor.ts";
import { systemPorts } from "../../../health/ports.ts";
import { createProber } from "../../../health/probes/prober.ts";
import { createCompiler } from "../../../src/engine/compiler.ts";
import { createEngine, type Engine } from "../../../src/engine/engine.ts";
import { createFolderSource } from "../../../src/engine/folder-source.ts";
import { createLastGoodStore } from "../../../src/engine/last-good.ts";
import { newLatencyMap } from "../../../src/geo/latency-model.ts";
import type { Inventory } from "../../../src/model/inventory.ts";
import { parseNetwork } from "../../../src/model/ip.ts";
import { ms } from "../../../src/model/units.ts";
import { createLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createTimeline } from "../../../src/observe/timeline.ts";
import { edgePlan, placeOfLocation } from "../../../src/proxy/edge-plan.ts";
import type { EdgeRoute } from "../../../src/proxy/envoy/edge-route.ts";
import { measuresOf } from "../../../src/routing/measure.ts";
import { policyOf } from "../../../src/routing/policy.ts";
import type { RoutingTable } from "../../../src/routing/table.ts";
import { tempFolder } from "../temp-folder.ts";
import { HOST, PLACE, SITES } from "./edge-scene.ts";
import { edgeSettings } from "./edge-settings.ts";

/** Dublin is nearest to {@link PLACE}. */
const REGIONS = { dublin: "eu-west-1", frankfurt: "eu-central-1", virginia: "us-east-1" } as const;
const EVENTS = 1_000;

const objects = (port: number): string =>
  [
    ...Object.entries(REGIONS).map(
      ([name, region]) => `kind: MemberCluster\nmetadata: {name: ${name}}\nspec: {location: {cloud: aws, region: ${region}}}`,
    ),
    `kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [${HOST}]
  backends:
${Object.entries(SITES)
  .map(([name, address]) => `  - {name: ${name}, cluster: ${name}, addresses: [${address}]}`)
  .join("\n")}
  health: {probe: {port: ${port}, path: /}, interval: 1s, timeout: 800ms, fall: 2, rise: 2}
  failover: {failback: {mode: Automatic, after: 1s}}`,
  ]
    .map((object) => `---\napiVersion: globalroute.dev/v1alpha1\n${object}\n`)
    .join("");

/** Inside a test. The route has the settings that every route has by default. @param update takes the one route whenever anybody's standing changed */
export async function startEdgeEngine(port: number, update: (routes: readonly EdgeRoute[]) => void): Promise<Engine> {
  const folder = await tempFolder();
  await writeFile(join(folder, "objects.yaml"), objects(port));
  const prober = createProber({ allow: [parseNetwork("127.0.21.0/24")!], refuse: [] });
  const ports = systemPorts(prober.probe);
  const setTimer = (delay: number, callback: () => void) => ports.setTimer(ms(delay), callback);
  const compiler = createCompiler();
  const timeline = createTimeline(EVENTS, Date.now);
  let served: { readonly table: RoutingTable; readonly inventory: Inventory } | undefined;
  const tell = (): void => {
    if (served !== undefined) update([edgeRouteOf(served.table, served.inventory, port)]);
  };
  const engine = createEngine({
    source: createFolderSource(folder, compiler.parse, setTimer, (error) => {
      throw error;
    }),
    publishers: [
      {
        publish(table, inventory) {
          served = { table, inventory };
          tell();
          return [];
        },
      },
    ],
    compiler,
    lastGood: createLastGoodStore(join(await tempFolder(), "last-good")),
    geoPaths: [],
    createMonitor: (events) => createMonitor({ ...events, vantage: "here", ports, references: [] }),
    population: new Map(),
    metrics: createMetrics(),
    timeline,
    log: createLog({ level: "error", pretty: true, write: (line) => process.stderr.write(line), now: Date.now }),
    now: Date.now,
    setTimer,
  });
  await engine.start();
  const unwatch = engine.view.health.watch(() => setImmediate(tell)); // its listeners are told before the table is
  onTestFinished(async () => {
    unwatch();
    await engine.stop();
    await prober.close();
    await compiler.close();
  });
  return engine;
}

function edgeRouteOf(table: RoutingTable, inventory: Inventory, port: number): EdgeRoute {
  const [route] = inventory.routes;
  const { clusters } = inventory;
  const policy = policyOf(route!, inventory, new Map(clusters.map(({ name }, i) => [name, i])), new Map());
  const place = placeOfLocation(clusters.find(({ name }) => name === "dublin")!.location);
  const plan = edgePlan({ table, route: route!, index: 0, policy, measures: measuresOf(clusters, newLatencyMap()), place });
  return { key: "default/shop", hosts: [HOST], settings: edgeSettings(port), plans: new Map([[PLACE, plan]]) };
}
