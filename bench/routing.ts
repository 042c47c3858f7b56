/**
 * `npm run bench:routing`: what a decision costs, and what a table costs to build, to hold and to change.
 *
 * - decision: from a client's address to the addresses and TTL of its answer (place, choose, addresses, TTL): random clients of twenty
 *   busy routes, one of each kind of policy. decision-all: random clients of all routes, so that hardly any of it is in a cache.
 *   decision-v6: as decision, for IPv6.
 * - lpm: the longest-prefix match alone.
 * - The peer is `maxmind`'s `get` of the same clients, which finds a country and nothing else: `maxmind` as `maxmind.open` gives it, with
 *   a cache of decoded records; `maxmind-plain` without one. Its addresses are text made beforehand, ours numbers or bytes: either is
 *   one step from a DNS packet.
 * - compile: geo data in memory, then all routes to a table. flip: one cluster goes down; every route is evaluated and the new state
 *   written where all threads see it.
 *
 * Bytes: `table` adds up all typed arrays that a table reaches (geo data too), each buffer once; `names` is the growth of the JavaScript
 * heap by the compile, both ends after a garbage collection; `megabytes` is their sum.
 *
 * Flags: --routes N, --clusters N (at most 20), --weights N (sets of weights; times twenty kinds = policies), --rounds N, --count N,
 * --json FILE.
 */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import maxmind, { type CountryResponse, Reader } from "maxmind";
import { compileWorld, createGeoCache } from "../src/engine/world.ts";
import { defaultGeoFile, loadGeoFiles } from "../src/geo/geo-files.ts";
import { newLatencyMap } from "../src/geo/latency-model.ts";
import { leafOfV4, leafOfV6 } from "../src/geo/lookup.ts";
import type { EndpointHealth } from "../src/model/health.ts";
import { formatIp } from "../src/model/ip.ts";
import { choiceTtl, choose, chooseAddresses, newChoice, placeClientV4, placeClientV6 } from "../src/routing/choose.ts";
import { evaluateRoute, NEW_ROUTE, type RouteEvaluation, routeUnits } from "../src/routing/evaluate-route.ts";
import { writeRoute } from "../src/routing/live-state.ts";
import { ordersOf } from "../src/routing/orders.ts";
import { type Rival, timeInterleaved } from "./support/interleaved.ts";
import { type Figure, machineName, quantile, writeReport } from "./support/report.ts";
import { largeInventory } from "./support/routing-world.ts";

const { values: flags } = parseArgs({
  options: {
    routes: { type: "string", default: "10000" },
    clusters: { type: "string", default: "20" },
    weights: { type: "string", default: "5" },
    rounds: { type: "string", default: "25" },
    count: { type: "string", default: "200000" },
    json: { type: "string" },
  },
});
const rounds = Number(flags.rounds);
const count = Number(flags.count);

setFlagsFromString("--expose_gc");
const collectGarbage: unknown = runInNewContext("gc");
function heapUsed(): number {
  if (typeof collectGarbage === "function") collectGarbage();
  return process.memoryUsage().heapUsed;
}
const MEGABYTE = 1e6;
const NOW = 1_800_000_000_000;
const figures: Figure[] = [];
const figure = (workload: string, values: Readonly<Record<string, number>>, who = "globalroute"): void => {
  figures.push({ workload, who, values });
  const text = Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(value < 100 ? 2 : 0)}`);
  console.log(`${workload.padEnd(12)} ${who.padEnd(12)} ${text.join("  ")}`);
};

console.log(machineName());
console.log(`${flags.routes} routes × ${flags.clusters} clusters; median of ${rounds} rounds of ${count} operations each\n`);

// compile
const inventory = largeInventory({ routes: Number(flags.routes), clusters: Number(flags.clusters), weightSets: Number(flags.weights) });
const files = await loadGeoFiles([]);
const cache = createGeoCache();
const geoStarted = performance.now();
const geo = cache.table(files, inventory);
const geoSeconds = (performance.now() - geoStarted) / 1000;
const heapBefore = heapUsed();
const compileStarted = performance.now();
const { table, scopeFallbacks } = compileWorld(inventory, geo, newLatencyMap(), 1, NOW);
const compileSeconds = (performance.now() - compileStarted) / 1000;
const names = heapUsed() - heapBefore;
const arrays = bytesReached(table);
figure("geo", { seconds: geoSeconds, megabytes: bytesReached(geo) / MEGABYTE });
figure("compile", {
  seconds: compileSeconds,
  megabytes: (arrays + names) / MEGABYTE,
  table: arrays / MEGABYTE,
  names: names / MEGABYTE,
  policies: table.hot.policyPartition.length,
  partitions: table.partitions.length,
  scopeFallbacks,
});

/** Bytes of all typed arrays that a value reaches, each buffer once. */
function bytesReached(value: unknown): number {
  const buffers = new Set<ArrayBufferLike>();
  const seen = new Set<object>();
  const visit = (one: unknown): void => {
    if (typeof one !== "object" || one === null || seen.has(one)) return;
    if (ArrayBuffer.isView(one)) buffers.add(one.buffer);
    else {
      seen.add(one);
      for (const inner of Object.values(one)) visit(inner);
    }
  };
  visit(value);
  return [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
}

// flip
const healthy: EndpointHealth = {
  health: "Healthy",
  since: 0,
  reason: "ok",
  proven: false,
  votes: 1,
  firstSign: 0,
  nextChange: NOW + 10_000,
};
const refused: EndpointHealth = { ...healthy, health: "Unhealthy", reason: "refused", proven: true };
const victim = 1;
const victims = new Set(inventory.routes.flatMap(({ backends }) => backends[victim]!.addresses));
const units = inventory.routes.map(routeUnits);
let evaluations: RouteEvaluation[] = [];
function evaluateAll(down: boolean, now: number): number {
  const started = performance.now();
  evaluations = inventory.routes.map((route, index) => {
    const evaluation = evaluateRoute({
      route,
      units: units[index]!,
      memory: evaluations[index]?.memory ?? NEW_ROUTE,
      orders: ordersOf(route, inventory, now),
      health: (address) => (down && victims.has(address) ? refused : healthy),
      warming: false,
      now,
    });
    writeRoute(table, index, evaluation);
    return evaluation;
  });
  return performance.now() - started;
}
evaluateAll(false, NOW);
const flips = Array.from({ length: Math.max(5, Math.ceil(rounds / 3)) }, (_, i) => {
  const before = table.state.sequence[0]!;
  const milliseconds = evaluateAll(i % 2 === 0, NOW + 1_000_000 * (i + 1));
  if (table.state.sequence[0]! - before !== inventory.routes.length) throw new Error("not every route was written");
  return milliseconds;
}).sort((a, b) => a - b);
figure("flip", {
  milliseconds: quantile(flips, 0.5),
  p90: quantile(flips, 0.9),
  microsecondsPerRoute: (1000 * quantile(flips, 0.5)) / inventory.routes.length,
});
evaluateAll(false, NOW + 1e9);

// decision and lpm
const CLIENTS = 1 << 16;
let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 0x1_0000_0000;
};
const v4 = Uint32Array.from({ length: CLIENTS }, () => 0x0100_0000 + Math.floor(random() * 0xdeff_ffff)); // 1.0.0.0 to 223.255.255.255
const v6 = Uint8Array.from({ length: 16 * CLIENTS }, (_, i) =>
  i % 16 === 0 ? 0x20 + Math.floor(random() * 0x10) : Math.floor(random() * 256),
); // 2000::/4, most of it in use
const v4Text = Array.from(v4, (ip) => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`);
const v6Text = Array.from({ length: CLIENTS }, (_, i) => formatIp({ family: 6, bytes: v6.subarray(16 * i, 16 * i + 16) }));
const everyRoute = Uint32Array.from({ length: CLIENTS }, () => Math.floor(random() * inventory.routes.length));
const busyRoutes = everyRoute.map((route) => route % 20);
const randoms = Float64Array.from({ length: CLIENTS }, random);
const mask = CLIENTS - 1;

const cached = await maxmind.open<CountryResponse>(defaultGeoFile());
const plain = new Reader<CountryResponse>(readFileSync(defaultGeoFile()));
const maxmindGet = (name: string, reader: Reader<CountryResponse>, texts: readonly string[]): Rival => ({
  name,
  run(operations) {
    let found = 0;
    for (let i = 0; i < operations; i++) if (reader.get(texts[i & mask]!) !== null) found++;
    return found;
  },
});
const choice = newChoice();
const addresses = new Uint32Array(64);
const decideV4 = (name: string, routes: Uint32Array): Rival => ({
  name,
  run(operations) {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const route = routes[i & mask]!;
      placeClientV4(table, route, v4[i & mask]!, 32, choice);
      choose(table, route, 0, randoms[i & mask]!, choice);
      sum += addresses[chooseAddresses(table, route, 0, choice, addresses) - 1]! + choiceTtl(table, route, choice, NOW);
    }
    return sum;
  },
});
const decideV6 = (name: string, routes: Uint32Array): Rival => ({
  name,
  run(operations) {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      const route = routes[i & mask]!;
      placeClientV6(table, route, v6, 16 * (i & mask), 128, choice);
      choose(table, route, 1, randoms[i & mask]!, choice);
      sum += addresses[chooseAddresses(table, route, 1, choice, addresses) - 1]! + choiceTtl(table, route, choice, NOW);
    }
    return sum;
  },
});
const { timings, checksum } = timeInterleaved(
  [
    decideV4("decision", busyRoutes),
    decideV4("decision-all", everyRoute),
    decideV6("decision-v6", busyRoutes),
    {
      name: "lpm",
      run(operations) {
        let sum = 0;
        for (let i = 0; i < operations; i++) sum += leafOfV4(table.geo, v4[i & mask]!);
        return sum;
      },
    },
    {
      name: "lpm-v6",
      run(operations) {
        let sum = 0;
        for (let i = 0; i < operations; i++) sum += leafOfV6(table.geo, v6, 16 * (i & mask));
        return sum;
      },
    },
    maxmindGet("get maxmind", cached, v4Text),
    maxmindGet("get maxmind-plain", plain, v4Text),
    maxmindGet("get-v6 maxmind", cached, v6Text),
    maxmindGet("get-v6 maxmind-plain", plain, v6Text),
  ],
  rounds,
  count,
);
const nanoseconds = (name: string): number => timings.get(name)!.median;
for (const [name, { median, p10, p90 }] of timings) {
  const [workload = "", who = "globalroute"] = name.split(" ");
  figure(workload, { nanoseconds: median, p10, p90 }, who);
}
const ratios = Object.fromEntries(
  ["decision", "decision-all", "decision-v6", "lpm", "lpm-v6"].flatMap((workload) =>
    ["maxmind", "maxmind-plain"].map((peer) => {
      const get = workload.endsWith("-v6") ? "get-v6" : "get";
      return [`${workload}/${peer}`, nanoseconds(`${get} ${peer}`) / nanoseconds(workload)] as const;
    }),
  ),
);
console.log("\nratios, time of maxmind.get to ours (goal for a decision: 8)");
for (const [name, ratio] of Object.entries(ratios)) console.log(`  ${name.padEnd(28)} ${ratio.toFixed(1)}`);
console.log(`goal for the table: below 200 megabytes; checksum ${Math.floor(checksum)}`);
if (flags.json !== undefined) writeReport(flags.json, { bench: "routing", ratios, figures });
