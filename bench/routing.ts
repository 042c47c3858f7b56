/**
 * `npm run bench:routing`: what an answer and its decision cost, and what a table costs to build, to hold and to change.
 *
 * - answer: a whole DNS answer in one buffer (decode, find the name, place, choose, write). `one`, `busy`, `all`: for one route, twenty busy
 *   ones (one of each kind of policy), or all at random, so that hardly any of it is in a cache. `ecs`: the query names a client subnet (/24,
 *   /56); `plain`: the client is who asks. step: the parts of answer-busy-ecs, each with all before it, and a word-by-word copy of the query.
 * - decision: from a client's address to the addresses and TTL of its answer (place, choose, addresses, TTL).
 * - lpm: the longest-prefix match alone.
 * - Clients are random addresses; `-networks`: of random networks of the geo file; `-v6` are of random networks too.
 * - The peer is `maxmind`'s `get` of the same clients, which finds a country and nothing else: `maxmind` as `maxmind.open` gives it, with
 *   a cache of decoded records; `maxmind-plain` without one. Its addresses are text made beforehand, ours numbers or bytes: either is
 *   one step from a DNS packet. `previous` is ours of another commit, in a process of its own.
 * - compile: geo data in memory, then all routes to a table. flip: one cluster goes down; every route is evaluated and the new state
 *   written where all threads see it. city: a made-up city file, ASN file and 100,000 rule networks to a table, in the compile worker.
 *
 * Times are CPU times. Bytes: `table` adds up all typed arrays that a table reaches (geo data too), each buffer once; `names` is the growth
 * of the JavaScript heap by the compile, both ends after a garbage collection; `megabytes` is their sum.
 *
 * Flags: --routes N, --clusters N (at most 20), --weights N (sets of weights; times twenty kinds = policies), --rounds N, --against REF
 * (a commit to compare with), --no-city, --json FILE.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createCompiler } from "../src/engine/compiler.ts";
import { compileWorld, createGeoCache } from "../src/engine/world.ts";
import { loadGeoFiles } from "../src/geo/geo-files.ts";
import { newLatencyMap } from "../src/geo/latency-model.ts";
import type { EndpointHealth } from "../src/model/health.ts";
import type { Rule } from "../src/model/inventory.ts";
import { evaluateRoute, NEW_ROUTE, type RouteEvaluation, routeUnits } from "../src/routing/evaluate-route.ts";
import { writeRoute } from "../src/routing/live-state.ts";
import { ordersOf } from "../src/routing/orders.ts";
import { asnFile, CITY_SIZE, cityFile, ruleNetworks } from "./support/city-files.ts";
import { interleave, type Run } from "./support/interleaved.ts";
import { type Figure, machineName, quantile, writeReport } from "./support/report.ts";
import type { LoadSpec, Ready, RunRequest } from "./support/routing-load.ts";
import { largeInventory } from "./support/routing-world.ts";
import { ROOT, sourcesOf } from "./support/sources.ts";

const { values: flags } = parseArgs({
  options: {
    routes: { type: "string", default: "10000" },
    clusters: { type: "string", default: "20" },
    weights: { type: "string", default: "5" },
    rounds: { type: "string", default: "15" },
    against: { type: "string" },
    city: { type: "boolean", default: true },
    json: { type: "string" },
  },
  allowNegative: true,
});
const rounds = Number(flags.rounds);

setFlagsFromString("--expose_gc");
const collectGarbage: unknown = runInNewContext("gc");
function heapUsed(): number {
  if (typeof collectGarbage === "function") collectGarbage();
  return process.memoryUsage().heapUsed;
}
const MEGABYTE = 1e6;
const RULE_NETWORKS = 100_000;
const NOW = 1_800_000_000_000;
const figures: Figure[] = [];
const figure = (workload: string, values: Readonly<Record<string, number>>, who = "globalroute"): void => {
  figures.push({ workload, who, values });
  const text = Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(value < 100 ? 2 : 0)}`);
  console.log(`${workload.padEnd(12)} ${who.padEnd(12)} ${text.join("  ")}`);
};

console.log(machineName());
console.log(`${flags.routes} routes × ${flags.clusters} clusters; median of ${rounds} rounds\n`);

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

// city
if (flags.city) await measureCity();

/** Builds a table of city, provider and rule networks as the engine does, while this thread watches its own clock. */
async function measureCity(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-city-"));
  const compiler = createCompiler();
  try {
    const paths = [join(folder, "city.mmdb"), join(folder, "asn.mmdb")] as const;
    writeFileSync(paths[0], cityFile(CITY_SIZE));
    writeFileSync(paths[1], asnFile(CITY_SIZE));
    const rule: Rule = {
      name: "partners",
      mode: "Prefer",
      unknownPlace: "Skip",
      to: [inventory.clusters[0]!.name],
      clients: { continents: [], countries: [], subdivisions: [], asns: [1000, 2000, 3000], subnets: ruleNetworks(RULE_NETWORKS) },
    };
    const few = largeInventory({ routes: 20, clusters: Number(flags.clusters), weightSets: 1 });
    const routes = few.routes.map((route, i) => (i === 0 ? { ...route, rules: [rule] } : route));
    const loadStarted = performance.now();
    await compiler.loadGeo(paths);
    const loadSeconds = (performance.now() - loadStarted) / 1000;
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const { compiled, seconds } = await compiler.compile({ ...few, routes }, newLatencyMap(), 1, NOW);
    await new Promise((resolve) => setImmediate(resolve));
    delay.disable();
    const { geo, partitions } = compiled.table;
    figure("city", {
      loadSeconds,
      seconds,
      mainThreadStallMs: delay.max / 1e6,
      megabytes: bytesReached(compiled.table) / MEGABYTE,
      geo: bytesReached(geo) / MEGABYTE,
      networks: geo.leafPlace.length,
      places: geo.places.length,
      partitions: partitions.length,
      scopeFallbacks: compiled.scopeFallbacks,
    });
  } finally {
    await compiler.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

// answers, decisions, look-ups
const previous = flags.against === undefined ? undefined : sourcesOf(flags.against);
const sides = await Promise.all([openSide("globalroute", ROOT), ...(previous === undefined ? [] : [openSide("previous", previous.root)])]);
try {
  await measureAnswers();
} finally {
  for (const { close } of sides) close();
  previous?.close();
}

interface Side {
  readonly who: string;
  readonly workloads: readonly string[];
  readonly run: (workload: string) => Promise<Run>;
  readonly close: () => void;
}

async function openSide(who: string, root: string): Promise<Side> {
  const spec: LoadSpec = { root, routes: inventory.routes.length, clusters: inventory.clusters.length, weightSets: Number(flags.weights) };
  const child = fork(join(ROOT, "bench/support/routing-load.ts"), [JSON.stringify(spec)]);
  const next = async <T>(): Promise<T> => {
    const stop = new AbortController();
    const ended = once(child, "exit", { signal: stop.signal }).then(([code]) => {
      throw new Error(`the process that measures ${who} ended with code ${code}`);
    });
    const [message]: T[] = await Promise.race([once(child, "message", { signal: stop.signal }), ended]);
    stop.abort();
    ended.catch(() => undefined);
    return message!;
  };
  const { workloads } = await next<Ready>();
  return {
    who,
    workloads,
    run: (workload) => {
      const reply = next<Run>();
      const request: RunRequest = { workload };
      child.send(request);
      return reply;
    },
    close: () => child.kill(),
  };
}

async function measureAnswers(): Promise<void> {
  const turns = sides.flatMap(({ who, workloads, run }, i) =>
    workloads
      .filter((workload) => i === 0 || !workload.includes(" "))
      .map((workload) => ({ name: workload.includes(" ") ? workload : `${workload} ${who}`, take: () => run(workload) })),
  );
  turns.sort((a, b) => a.name.localeCompare(b.name)); // rivals next to each other
  const { timings, checksum } = await interleave(turns, rounds);
  const median = (name: string): number | undefined => timings.get(name)?.median;
  for (const [name, { median: nanoseconds, p10, p90 }] of timings) {
    const [workload = "", who = ""] = name.split(" ");
    figure(workload, { nanoseconds, p10, p90 }, who);
  }
  printSteps(median);
  const ratios: Record<string, number> = {};
  for (const workload of sides[0]!.workloads.filter((name) => !name.includes(" ") && !name.startsWith("step-"))) {
    const ours = median(`${workload} globalroute`)!;
    const get = workload.endsWith("-v6") ? "get-v6" : workload.endsWith("-networks") ? "get-networks" : "get";
    for (const [peer, name] of [
      ["maxmind", `${get} maxmind`],
      ["maxmind-plain", `${get} maxmind-plain`],
      ["previous", `${workload} previous`],
    ] as const) {
      const theirs = median(name);
      if (theirs !== undefined) ratios[`${workload}/${peer}`] = theirs / ours;
    }
  }
  const against = previous === undefined ? "" : `; previous = ${previous.commit}`;
  console.log(`\nratios, the peer's time to ours (goal for decision/maxmind-plain: 8)${against}`);
  for (const [name, ratio] of Object.entries(ratios)) console.log(`  ${name.padEnd(36)} ${ratio.toFixed(2)}`);
  console.log(`goal for the table: below 200 megabytes; checksum ${Math.floor(checksum)}`);
  if (flags.json !== undefined) writeReport(flags.json, { bench: "routing", ratios, figures });
}

/** Each step was timed with all before it; what it takes itself is the difference. */
function printSteps(median: (name: string) => number | undefined): void {
  const steps = ["step-copy", "step-decode", "step-find", "step-place", "step-choose", "answer-busy-ecs"];
  const own = steps.slice(1).map((step, i) => {
    const taken = median(`${step} globalroute`)! - median(`${steps[i]} globalroute`)!;
    return [step === "answer-busy-ecs" ? "write" : step.slice("step-".length), taken] as const;
  });
  figure("steps", Object.fromEntries(own));
}
