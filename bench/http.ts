/**
 * `npm run bench:http`: our embedded proxy beside HAProxy, nginx, Envoy, Traefik, and Fastify with @fastify/http-proxy, each with one thread on one core. On the
 * other core are the load and an nginx that answers everything with 100 bytes. Connections are kept on both sides.
 *
 * Workloads: `small`: 64 connections that ask again at once. autocannon asks whoever answers at most half of what it can ask, wrk the others; who
 * asks whom is found out in the first round. `check`: wrk asks those of autocannon, too, so that it shows whether that matters. `half-load`: a
 * constant rate, half of what ours reached in the same round, for all; latencies count from when a request was due. A proxy that had not reached
 * a tenth more than that rate is left out.
 *
 * In every round all proxies are started anew, warmed up, and take turns in another order. `direct` is the upstream without a proxy: what the
 * load can do at most, and what a latency without a proxy is. Ratios are medians over rounds with a 95 % interval, above 1 = ours is better:
 * requests a second (`small/PEER`), CPU time of the proxy's process per request (`small-cpu/PEER`), p99 (`half-load-p99/PEER`). A run of `small` in
 * which the proxy had less than 93 % of its core is repeated, at most three times; the one with most counts, and `cpu` says how much it was.
 *
 * Flags: --rounds N, --seconds N (of each run), --proxies NAME,…, --only WORKLOAD,…, --json FILE.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../test/support/free-port.ts";
import { createCleanup } from "./dns/cleanup.ts";
import { findProgram } from "./dns/contender.ts";
import { median } from "./dns/statistics.ts";
import { type Comparison, compare, figuresOf, type Run } from "./dns/summary.ts";
import { autocannonCanAsk, runAutocannon } from "./http/autocannon.ts";
import type { Contender } from "./http/contender.ts";
import { ownProxy } from "./http/globalroute.ts";
import { type Asked, CONNECTIONS, pace, runOnce, saturate, type Values } from "./http/measure.ts";
import { INSTALL_PEERS, PEERS } from "./http/peers.ts";
import { type RunningProxy, startProxy, startUpstream } from "./http/running-proxy.ts";
import { turnsOf } from "./http/turns.ts";
import { runWrk } from "./http/wrk.ts";
import { type Figure, machineName, writeReport } from "./support/report.ts";

const OURS = "globalroute";
const DIRECT = "direct";
const HOST = "shop.example.org";
/** Seconds of load before anything is measured: compilers warm up. */
const WARM_UP = 3;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seconds: { type: "string", default: "3" },
    proxies: { type: "string" },
    only: { type: "string" },
    json: { type: "string" },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const wanted = (workload: string): boolean => flags.only === undefined || flags.only.split(",").includes(workload);
if (cpus().length < 2) throw new Error("bench:http needs two cores: one for the proxy, one for the load.");
if (findProgram("wrk") === undefined) throw new Error("wrk is missing, which asks. Run `npm run components -- wrk`.");

const cleanup = createCleanup();
const folder = mkdtempSync(join(tmpdir(), "globalroute-bench-"));
cleanup.add(() => rmSync(folder, { recursive: true, force: true }));

const all: readonly Contender[] = [ownProxy(OURS, await freePort(), await freePort()), ...PEERS];
const chosen = all.filter(({ name }) => name === OURS || flags.proxies === undefined || flags.proxies.split(",").includes(name));
const missing = chosen.filter((contender) => contender.program() === undefined);
const contenders = chosen.filter((contender) => !missing.includes(contender));

console.log(machineName());
console.log(`${rounds} rounds; runs of ${seconds} s over ${CONNECTIONS} connections; ${contenders.map(({ name }) => name).join(", ")}`);
if (missing.length > 0) console.log(`not measured: ${missing.map(({ name }) => name).join(", ")}. To install them: ${INSTALL_PEERS}`);

const runs: Run[] = [];
function record(round: number, workload: string, who: string, values: Values): void {
  runs.push({ round, workload, who, values });
  const of = (name: string, digits: number): string => (values[name] ?? Number.NaN).toFixed(digits);
  console.log(
    `${String(round).padStart(2)} ${workload.padEnd(9)} ${who.padEnd(18)} ${of("rps" in values ? "rps" : "rate", 0).padStart(6)}/s ${of("cpuMicros", 1).padStart(5)} µs/request` +
      `  CPU ${of("cpu", 2)}  p50 ${of("p50", 0)} p99 ${of("p99", 0)} µs  failed ${of("failed", 0)}`,
  );
}

const upstream = await startUpstream(HOST, folder, cleanup);
const asked = (proxy: RunningProxy | undefined): Asked =>
  proxy === undefined ? { host: HOST, port: upstream.upstreamPort } : { host: HOST, port: proxy.port, pid: proxy.pid };

const limits: number[] = [];
for (let run = 0; run < 3; run++) limits.push((await saturate(asked(undefined), seconds, runAutocannon)).rps ?? 0);
const limit = median(limits);
console.log(`autocannon asks ${limit.toFixed(0)} requests a second of nobody but the upstream, which it shares its core with`);
/** Proxies that it asks. */
const slow = new Set<string>();

for (let round = 0; round < rounds; round++) {
  const proxies: RunningProxy[] = [];
  for (const contender of contenders) proxies.push(await startProxy(contender, upstream, { folder, round }, cleanup));
  const turns = turnsOf([undefined, ...proxies], round);
  for (const proxy of proxies) {
    const { rps = 0 } = await runOnce(asked(proxy), WARM_UP, runWrk);
    if (round === 0 && autocannonCanAsk(rps, limit)) slow.add(proxy.name);
  }
  if (round === 0) console.log(`it asks ${[...slow].join(", ") || "nobody"}, and wrk asks the others`);
  const reached = new Map<string, number>();
  for (const proxy of turns) {
    const name = proxy?.name ?? DIRECT;
    const values = await saturate(asked(proxy), seconds, slow.has(name) ? runAutocannon : runWrk);
    reached.set(name, values.rps ?? 0);
    if (wanted("small")) record(round, "small", name, values);
    if (wanted("check") && slow.has(name)) record(round, "check", name, await saturate(asked(proxy), seconds, runWrk));
  }
  const rate = Math.floor((reached.get(OURS) ?? 0) / 2);
  for (const proxy of wanted("half-load") ? turns : []) {
    const name = proxy?.name ?? DIRECT;
    if ((reached.get(name) ?? 0) < 1.1 * rate) continue; // its queue would only grow
    record(round, "half-load", name, await pace(asked(proxy), { rate, seconds }, cleanup));
  }
  await Promise.all(proxies.map((proxy) => proxy.stop()));
}
await upstream.stop();

// What it adds up to.
const figures = figuresOf(runs);
console.log("\nmedians\nworkload   proxy               runs  requests/s  CPU µs/request   CPU    p50    p99 µs  failed   MiB");
for (const { workload, who, values } of figures) {
  const of = (name: string, digits: number, width: number): string => (values[name] ?? Number.NaN).toFixed(digits).padStart(width);
  console.log(
    `${workload.padEnd(10)} ${who.padEnd(18)} ${of("runs", 0, 5)} ${of("rps" in values ? "rps" : "rate", 0, 11)} ${of("cpuMicros", 1, 15)} ${of("cpu", 2, 5)} ${of("p50", 0, 6)} ${of("p99", 0, 9)} ${of("failed", 0, 7)} ${of("memoryMiB", 0, 5)}`,
  );
}

const ratios: Record<string, number> = {};
const ratioFigures: Figure[] = [];
const tell = (key: string, { peer, pairs, ratio }: Comparison): void => {
  if (peer === DIRECT) return;
  ratios[`${key}/${peer}`] = ratio.median;
  ratioFigures.push({ workload: `ratio ${key}`, who: peer, values: { pairs, ...ratio } });
  const digits = [ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(3));
  console.log(`  ${`${key}/${peer}`.padEnd(36)} ${digits[0]}  [${digits[1]}, ${digits[2]}]  ${pairs} pairs`);
};
console.log(
  "\nratios, requests a second (small), CPU per request (small-cpu) and p99 (half-load-p99): median [95 % interval], above 1 = ours is better",
);
for (const one of compare(runs, { workload: "small", ours: OURS, value: "rps", better: "more" })) tell("small", one);
for (const one of compare(runs, { workload: "small", ours: OURS, value: "cpuMicros", better: "less" })) tell("small-cpu", one);
for (const one of compare(runs, { workload: "half-load", ours: OURS, value: "p99", better: "less" })) tell("half-load-p99", one);
console.log("\nautocannon beside wrk, asking the same proxy: requests a second and CPU per request; 1 = it does not matter who asks");
for (const name of slow) {
  const pairs = runs
    .filter(({ who, workload }) => who === name && (workload === "small" || workload === "check"))
    .map(({ workload, ...run }) => ({ ...run, workload: name, who: workload }));
  for (const value of ["rps", "cpuMicros"])
    for (const { ratio } of compare(pairs, { workload: name, ours: "small", value, better: "more" }))
      console.log(`  ${`${name} ${value}`.padEnd(36)} ${ratio.median.toFixed(3)}  [${ratio.low.toFixed(3)}, ${ratio.high.toFixed(3)}]`);
}
const failed = runs.filter(({ values }) => (values.failed ?? 0) > 0);
if (failed.length > 0) console.log(`\nFAILED REQUESTS in ${failed.length} runs, see above`);
if (flags.json !== undefined) writeReport(flags.json, { bench: "http", ratios, figures: [...figures, ...ratioFigures] });
cleanup.run();
