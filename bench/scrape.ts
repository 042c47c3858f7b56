/**
 * `npm run bench:scrape`: what a scrape of a large world holds, what it costs, and whether who asks for names notices.
 *
 * One `serve` with 2,000 routes × 10 clusters, each backend an address of its own, all probed and healthy; pinned to one core with its DNS thread,
 * the load generator to the other. Series are counted by metric against the budget in docs/metrics.md. Then DNS is asked at a fixed rate in
 * short windows, by turns with a scrape every second and without any, in alternating order; the ratio is that of the medians of p99.
 *
 * Flags: --routes N, --clusters N (at most 10), --rounds N, --seconds N, --rate QUERIES, --json FILE.
 * Exit codes: 0 all within the budget, 1 a metric has more series than that.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { z } from "zod";
import { launcher } from "../test/support/demo.ts";
import { freePort } from "../test/support/free-port.ts";
import { evaluateFormula, metricsPage, seriesBudget } from "../test/support/series-budget.ts";
import { createCleanup } from "./dns/cleanup.ts";
import type { Contender } from "./dns/contender.ts";
import type { LoadResult } from "./dns/load.ts";
import { createMeter } from "./dns/measure.ts";
import { processCpuSeconds } from "./dns/process-cpu.ts";
import { encodeQueryFile } from "./dns/query-file.ts";
import { type RunningServer, startServer } from "./dns/running-server.ts";
import { median } from "./dns/statistics.ts";
import { ONE_NAME, ZONE } from "./dns/steering.ts";
import { CLIENT_CORE } from "./support/pinned-process.ts";
import { machineName, writeReport } from "./support/report.ts";

const { values: flags } = parseArgs({
  options: {
    routes: { type: "string", default: "2000" },
    clusters: { type: "string", default: "10" },
    rounds: { type: "string", default: "10" },
    seconds: { type: "string", default: "5" },
    rate: { type: "string", default: "5000" },
    json: { type: "string" },
  },
});
const [routes, clusters, rounds, seconds, rate] = [flags.routes, flags.clusters, flags.rounds, flags.seconds, flags.rate].map(Number) as [
  number,
  number,
  number,
  number,
  number,
];
const REGIONS = ["eu-west-1", "us-east-1", "ap-northeast-1", "sa-east-1", "eu-central-1", "us-west-2", "ap-southeast-1", "ap-southeast-2"];
const MORE_REGIONS = ["ap-south-1", "eu-north-1"];
const names = [...REGIONS, ...MORE_REGIONS].slice(0, clusters);
const SCRAPE_EVERY = 1000;
/** Until all endpoints have been probed, ms. */
const PATIENCE = 240_000;

// The probed port is this process itself: its work belongs to the load's core too.
execFileSync("taskset", ["-acp", CLIENT_CORE, String(process.pid)]);

const cleanup = createCleanup();
const folder = mkdtempSync(join(tmpdir(), "globalroute-bench-"));
cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
const target = createServer((socket) => socket.end().on("error", () => undefined)).listen({ port: 0, host: "0.0.0.0", backlog: 4096 });
cleanup.add(() => target.close());
await new Promise((resolve) => target.once("listening", resolve));
const bound = target.address();
if (bound === null || typeof bound === "string") throw new Error("the probed port is not open");
const { port: probePort } = bound;

const adminPort = await freePort();
const metricsUrl = `http://127.0.0.1:${adminPort}/metrics`;
const statusAnswer = z.object({ clusters: z.array(z.object({ endpoints: z.object({ healthy: z.number(), total: z.number() }) })) });

const contender: Contender = {
  name: "globalroute",
  isGeo: true,
  program: () => process.execPath,
  async isReady() {
    const response = await fetch(`http://127.0.0.1:${adminPort}/v1/status`).catch(() => undefined);
    if (response?.ok !== true) return false;
    const status = statusAnswer.parse(await response.json());
    const [healthy, total] = status.clusters.reduce(([a, b], { endpoints }) => [a + endpoints.healthy, b + endpoints.total], [0, 0]);
    return total === routes * clusters && healthy === total;
  },
  configure(_world, own, port) {
    const config = join(own, "config");
    mkdirSync(config);
    writeFileSync(join(config, "objects.yaml"), objects());
    return [
      ...[launcher, "serve", "--config", config, "--state", join(own, "state"), "--listen", `127.0.0.1:${port}`],
      ...["--admin", `127.0.0.1:${adminPort}`, "--probe-allow", "127.0.0.0/8", "--log-level", "error", "--json"],
      ...["--dns-workers", "1", "--rate-limit", "1000000", "--rate-limit-source", "1000000", "--rate-limit-exempt", "none"],
    ];
  },
};

function objects(): string {
  const all: string[] = [];
  const write = (kind: string, name: string, spec: object): void => {
    all.push(JSON.stringify({ apiVersion: "globalroute.dev/v1alpha1", kind, metadata: { name }, spec })); // JSON is YAML
  };
  write("DNSZone", "bench", { domain: ZONE, provider: { type: "Embedded", embedded: { nameservers: ["ns1.example.net"] } } });
  for (const region of names) write("MemberCluster", region, { location: { cloud: "aws", region } });
  for (let route = 0; route < routes; route++) {
    write("GlobalRoute", `route-${route}`, {
      hosts: route === 0 ? [ONE_NAME, "r00000.example.org"] : [`r${String(route).padStart(5, "0")}.example.org`],
      ttl: { min: "60s", max: "60s" },
      backends: names.map((cluster, i) => ({ name: cluster, cluster, addresses: [`127.${16 + i}.${route >> 8}.${route & 255}`] })),
      routing: { order: route % 10 === 0 ? "Weighted" : "Nearest" },
      health: { probe: { type: "TCP", port: probePort }, interval: "30s", timeout: "10s" },
    });
  }
  return all.join("\n---\n");
}

const scrape = async (accept = "application/openmetrics-text;version=1.0.0"): Promise<{ text: string; milliseconds: number }> => {
  const began = performance.now();
  const text = await (await fetch(metricsUrl, { headers: { accept } })).text();
  return { text, milliseconds: performance.now() - began };
};

/**
 * Scrapes again and again and reads nothing of it, as a process of its own on the load's core that stands back behind everybody: a
 * Prometheus is elsewhere, and what its reading costs the load generator would else be taken for what DNS feels.
 */
function startScraper(): { readonly stop: () => Promise<void> } {
  const headers = JSON.stringify({ accept: "application/openmetrics-text;version=1.0.0" });
  const script = `setInterval(() => require("node:http").get("${metricsUrl}", { headers: ${headers} }, (r) => r.resume()), ${SCRAPE_EVERY})`;
  const child = spawn("nice", ["-n", "19", "taskset", "-c", CLIENT_CORE, process.execPath, "-e", script], { stdio: "ignore" });
  return {
    async stop() {
      const exit = once(child, "exit");
      child.kill();
      await exit;
    },
  };
}

/** Series by metric, in the text format. */
function countSeries(text: string): ReadonlyMap<string, number> {
  const families = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", kind = ""]) => [name, kind]));
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const sample = /^[^{ ]+/.exec(line)?.[0] ?? "";
    const family = families.has(sample) ? sample : sample.replace(/_(bucket|sum|count)$/, "");
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  return counts;
}

async function measureDns(server: RunningServer, queryFile: string, isScraped: boolean): Promise<LoadResult> {
  const scraper = isScraped ? startScraper() : undefined;
  const result = await meter.pace(server, { queryFile, warmupSeconds: 1, seconds }, rate);
  await scraper?.stop();
  return result;
}

console.log(`${machineName()}\n${routes} routes × ${clusters} clusters\n`);
mkdirSync(join(folder, "server"));
const port = await freePort();
const args = contender.configure({ databaseFile: "", countries: [], probePort }, join(folder, "server"), port);
const server = await startServer({ contender, folder: join(folder, "server"), port, args }, cleanup, PATIENCE);
const meter = createMeter(cleanup, { minServerCpu: 0, isPatient: false });

const first = await scrape("text/plain");
const world = { R: routes, C: clusters, E: routes * clusters, Z: 1, K: 0, P: 0, V: 0, N: 0 };
const counts = countSeries(first.text);
const over = seriesBudget(metricsPage()).flatMap(({ name, formula }) => {
  const [found, budget] = [counts.get(name) ?? 0, evaluateFormula(formula, world)];
  console.log(`${name.padEnd(46)} ${String(found).padStart(6)} of ${String(budget).padStart(6)}  ${formula}`);
  return found > budget ? [name] : [];
});
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
console.log(
  `\n${total} series in ${(first.text.length / 2 ** 20).toFixed(1)} MiB; over budget: ${over.length === 0 ? "none" : over.join(", ")}`,
);

const before = processCpuSeconds(server.pid);
const times: number[] = [];
for (let i = 0; i < 20; i++) times.push((await scrape()).milliseconds);
const cpu = (1000 * (processCpuSeconds(server.pid) - before)) / times.length;
console.log(
  `a scrape: ${first.milliseconds.toFixed(0)} ms the first, then median ${median(times).toFixed(0)} ms, most ${Math.max(...times).toFixed(0)} ms; ${cpu.toFixed(0)} ms of CPU\n`,
);

const queryFile = join(folder, "queries");
writeFileSync(
  queryFile,
  encodeQueryFile({ names: Array.from({ length: routes }, (_, i) => `r${String(i).padStart(5, "0")}.example.org`) }),
);
const results: Record<"with" | "without", LoadResult[]> = { with: [], without: [] };
for (let round = -1; round < rounds; round++) {
  const order = round % 2 === 0 ? (["with", "without"] as const) : (["without", "with"] as const);
  for (const which of order) {
    const result = await measureDns(server, queryFile, which === "with");
    if (round >= 0) results[which].push(result);
  }
}
await server.stop();
const of = (which: "with" | "without", read: (result: LoadResult) => number): number => median(results[which].map(read));
for (const which of ["without", "with"] as const) {
  const lost = results[which].reduce((sum, result) => sum + result.lost + result.wrong, 0);
  const [p50, p99, p999] = [of(which, ({ p50 }) => p50), of(which, ({ p99 }) => p99), of(which, ({ p999 }) => p999)];
  console.log(`${which.padEnd(7)} scrapes: p50 ${p50} µs, p99 ${p99} µs, p99.9 ${p999} µs, lost or wrong ${lost}`);
}
const ratio = of("with", ({ p99 }) => p99) / of("without", ({ p99 }) => p99);
console.log(
  `p99 with a scrape a second / without: ${ratio.toFixed(2)} (median of ${rounds} rounds of ${seconds} s at ${rate} queries a second)`,
);
if (flags.json !== undefined) {
  const figure = (which: "with" | "without") => ({
    workload: `${which} scrapes`,
    who: "globalroute",
    values: { p50: of(which, ({ p50 }) => p50), p99: of(which, ({ p99 }) => p99), p999: of(which, ({ p999 }) => p999) },
  });
  const scraped = {
    workload: "scrape",
    who: "globalroute",
    values: { series: total, median: median(times), cpu, first: first.milliseconds },
  };
  writeReport(flags.json, {
    bench: "scrape",
    ratios: { "p99/unscraped": 1 / ratio },
    figures: [scraped, figure("without"), figure("with")],
  });
}
cleanup.run();
process.exit(over.length === 0 ? 0 : 1);
