/**
 * `npm run bench:dns`: our server beside gdnsd, Knot, PowerDNS (all with the same geo data and the same answers) and BIND (without geo data), each
 * with one thread on one core, queried from the other core.
 *
 * Workloads: `ecs`: one name, each query with a client subnet of its own. `plain`: one name, no EDNS. `names`: 10,000 names, client subnets.
 * `latency`: as `ecs`, paced: 40,000 queries a second, and half of what the server answered in the `ecs` run of the same round.
 *
 * In every round all servers are started anew, warmed up, and take turns in alternating order; `latency` in every second round. What counts is
 * CPU time of the server's process per answered query, and queries a second at saturation; ratios are medians over rounds with a 95 %
 * interval, above 1 = ours is better.
 *
 * As root ours takes its queries by AF_XDP (`--dns-xdp lo`), in a network namespace that the run makes itself; `sockets` is ours without that.
 * There nobody's packets pass by its program: it is started, measured and stopped before the others of its round are, or after them. The
 * kernel cuts the load generator's pieces of memory into datagrams before they reach the interface, which costs the generator's core the same
 * for all. With --no-xdp, and for others than root, ours is by sockets, and all run on this machine's own `lo`.
 *
 * Flags: --no-xdp, --rounds N, --seconds N (of each run), --only WORKLOAD,…, --servers NAME,…, --min-cpu SHARE (of its core that a
 * server must have had, or the run is repeated, at most three times), --no-wait (for an idle machine before each run), --no-dnsperf, --json FILE.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../test/support/free-port.ts";
import { checkAnswers, type Question } from "./dns/answer-mix.ts";
import { createCleanup } from "./dns/cleanup.ts";
import type { Contender, World } from "./dns/contender.ts";
import { buildCountryDatabase } from "./dns/country-database.ts";
import { hasDnsperf, runDnsperf } from "./dns/dnsperf.ts";
import { ownServer } from "./dns/globalroute.ts";
import type { LoadResult } from "./dns/load.ts";
import { createMeter } from "./dns/measure.ts";
import { INSTALL_PEERS, PEERS } from "./dns/peers.ts";
import { peakMemory } from "./dns/process-cpu.ts";
import { encodeQueryFile, QUERIES, readQueryFile } from "./dns/query-file.ts";
import { type Configured, type RunningServer, startServer } from "./dns/running-server.ts";
import { raiseSocketBuffers } from "./dns/socket-buffers.ts";
import { DATACENTERS, datacenterOf, drawClients, MANY_NAMES, ONE_NAME } from "./dns/steering.ts";
import { type Comparison, compare, figuresOf, type Run } from "./dns/summary.ts";
import { type Figure, machineName, writeReport } from "./support/report.ts";

const OURS = "globalroute";
const IN_NAMESPACE = "GLOBALROUTE_BENCH_NAMESPACE";
const PACE = 40_000;
/** Every server that was just started answers so many queries a second for so many seconds before anything is measured: compilers and caches warm up. */
const WARM_UP = 3;
const WARM_UP_RATE = 100_000;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    servers: { type: "string" },
    dnsperf: { type: "boolean", default: true },
    "min-cpu": { type: "string", default: "0.93" },
    wait: { type: "boolean", default: true },
    xdp: { type: "boolean", default: process.getuid?.() === 0 },
    json: { type: "string" },
  },
  allowNegative: true,
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const only = flags.only?.split(",");
const wanted = (workload: string): boolean => only === undefined || only.includes(workload);
if (cpus().length < 2) throw new Error("bench:dns needs two cores: one for the server, one for the load.");

const cleanup = createCleanup();
if (flags.xdp && process.env[IN_NAMESPACE] === undefined) {
  raiseSocketBuffers(cleanup); // for all namespaces
  const inside = `ip link set lo up gso_max_segs 1; cd /proc/sys/net/ipv4/conf/lo; echo 1 > route_localnet; echo 1 > accept_local; cd "$OLDPWD"; exec "$@"`;
  const command = ["--net", "sh", "-c", inside, "sh", process.execPath, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", command, { stdio: "inherit", env: { ...process.env, [IN_NAMESPACE]: "1" } });
  cleanup.run();
  process.exit(status ?? 1);
}
const folder = mkdtempSync(join(tmpdir(), "globalroute-bench-"));
cleanup.add(() => rmSync(folder, { recursive: true, force: true }));

// The world, its query files, and who takes part.
const database = buildCountryDatabase();
const databaseFile = join(folder, "countries.mmdb");
writeFileSync(databaseFile, database.file);
const clients = drawClients(QUERIES, 1, (address) => database.countryOf(address) !== undefined);
const files = new Map(
  Object.entries({
    ecs: encodeQueryFile({ names: [ONE_NAME], clients }),
    plain: encodeQueryFile({ names: [ONE_NAME] }),
    names: encodeQueryFile({ names: MANY_NAMES, clients }),
  }).map(([workload, bytes]) => {
    const path = join(folder, `${workload}.queries`);
    writeFileSync(path, bytes);
    return [workload, { path, bytes }] as const;
  }),
);
const probeTarget = createServer((socket) => socket.destroy()).listen(0, "0.0.0.0");
await new Promise((resolve) => probeTarget.once("listening", resolve));
const probed = probeTarget.address();
const world: World = {
  databaseFile,
  countries: database.countries,
  probePort: probed !== null && typeof probed === "object" ? probed.port : 0,
};
const contenders: readonly Contender[] = [
  ownServer(OURS, flags.xdp ? "xdp" : "fast", await freePort()),
  ...(flags.xdp ? [ownServer("sockets", "fast", await freePort())] : []),
  ownServer("dgram", "dgram", await freePort()),
  ...PEERS,
].filter(({ name }) => flags.servers === undefined || name === OURS || flags.servers.split(",").includes(name));
const missing = contenders.filter((contender) => contender.program() === undefined);
const configured: Configured[] = [];
for (const contender of contenders) {
  if (missing.includes(contender)) continue;
  const [port, own] = [await freePort(), join(folder, contender.name)];
  mkdirSync(own);
  configured.push({ contender, folder: own, port, args: contender.configure(world, own, port) });
}

console.log(machineName());
console.log(flags.xdp ? `${OURS}: AF_XDP on lo of a network namespace; sockets: the same without AF_XDP` : `${OURS}: by sockets`);
console.log(`${rounds} rounds; runs of ${seconds} s; ${configured.map(({ contender }) => contender.name).join(", ")}`);
if (missing.length > 0) console.log(`not measured: ${missing.map(({ name }) => name).join(", ")}. To install them: ${INSTALL_PEERS}`);
if (!raiseSocketBuffers(cleanup)) console.log("net.core.rmem_default stays as it is (root may raise it): servers may drop bursts.");

const meter = createMeter(cleanup, { minServerCpu: Number(flags["min-cpu"]), isPatient: flags.wait });
const runs: Run[] = [];
const perQuery = (load: LoadResult, server: RunningServer): Readonly<Record<string, number>> => ({
  qps: load.answered / load.seconds,
  cpuMicros: (1e6 * load.serverCpuSeconds) / load.answered,
  serverCpu: load.serverCpuSeconds / load.seconds,
  p50: load.p50,
  p99: load.p99,
  p999: load.p999,
  lost: load.lost,
  wrong: load.wrong,
  stray: load.stray,
  late: load.late,
  clientIdle: load.idle,
  memoryMiB: peakMemory(server.pid),
});
const log = ({ round, workload, who, values }: Run): void => {
  const of = (name: string, digits: number): string => (values[name] ?? Number.NaN).toFixed(digits);
  console.log(
    `${String(round).padStart(2)} ${workload.padEnd(9)} ${who.padEnd(12)} ${of("qps", 0).padStart(7)}/s ${of("cpuMicros", 2).padStart(6)} µs/query  CPU ${of("serverCpu", 2)}` +
      `  p50 ${of("p50", 0)} p99 ${of("p99", 0)} µs  lost ${of("lost", 0)} wrong ${of("wrong", 0)}  client idle ${of("clientIdle", 2)} late ${of("late", 3)}`,
  );
};
const record = (run: Run): void => {
  runs.push(run);
  log(run);
};

async function measureRound(round: number, servers: readonly RunningServer[]): Promise<void> {
  const order = round % 2 === 0 ? servers : servers.toReversed();
  const saturated = new Map<string, number>();
  const warm = files.get("ecs")?.path ?? "";
  for (const server of order) await meter.pace(server, { queryFile: warm, warmupSeconds: 0, seconds: WARM_UP }, WARM_UP_RATE);
  for (const [workload, { path }] of files) {
    if (!wanted(workload) && !(workload === "ecs" && wanted("latency"))) continue;
    for (const server of order) {
      const load = await meter.saturate(server, { queryFile: path, warmupSeconds: 1, seconds });
      if (load === undefined) {
        console.log(`${round} ${workload} ${server.contender.name}: no run in which it had its core to itself`);
        continue;
      }
      if (workload === "ecs") saturated.set(server.contender.name, load.answered / load.seconds);
      record({ round, workload, who: server.contender.name, values: perQuery(load, server) });
    }
  }
  if (!wanted("latency") || round % 2 === 1) return;
  const queryFile = files.get("ecs")?.path ?? "";
  for (const pace of ["40k", "half"]) {
    for (const server of order) {
      const who = server.contender.name;
      const rate = pace === "40k" ? PACE : (saturated.get(who) ?? 0) / 2;
      if (rate === 0) continue;
      const load = await meter.pace(server, { queryFile, warmupSeconds: 1, seconds }, rate);
      record({ round, workload: `ecs@${pace}`, who, values: { rate, ...perQuery(load, server) } });
    }
  }
}

/** The first queries of each file with the answer that a geo server must give; one answer for all is all that BIND can do. */
function questions(workload: string, count: number, isGeo: boolean): readonly Question[] {
  const { bytes, length } = readQueryFile(files.get(workload)?.bytes ?? new Uint8Array(0));
  return Array.from({ length: count }, (_, id) => {
    const country = isGeo && workload !== "plain" ? database.countryOf(clients[id]!) : undefined;
    return {
      message: bytes.slice(id * length, (id + 1) * length),
      expected: (country === undefined ? DATACENTERS[0]! : datacenterOf(country)).address,
    };
  });
}

async function checkEverybody(servers: readonly RunningServer[]): Promise<void> {
  for (const { contender, port } of servers) {
    for (const [workload, count] of Object.entries({ ecs: 1000, plain: 1, names: 1000 })) {
      const { different, asked, example } = await checkAnswers(port, questions(workload, count, contender.isGeo));
      if (different > 0) console.log(`DIFFERENT ANSWERS: ${contender.name}, ${workload}: ${different} of ${asked}, such as ${example}`);
    }
  }
}

/** Servers that run at the same time. */
const isOurs = ({ contender }: Configured): boolean => contender.name === OURS;
const groups = flags.xdp ? [configured.filter(isOurs), configured.filter((one) => !isOurs(one))] : [configured];
const second: Figure[] = [];
for (let round = 0; round < rounds; round++) {
  for (const group of round % 2 === 0 ? groups : groups.toReversed()) {
    const servers: RunningServer[] = [];
    for (const one of group) servers.push(await startServer(one, cleanup));
    if (round === 0) await checkEverybody(servers);
    await measureRound(round, servers);
    if (round === rounds - 1 && flags.dnsperf && hasDnsperf()) {
      for (const server of servers) {
        const { qps, lost, serverCpu } = await runDnsperf(server, files.get("ecs")?.path ?? "", seconds);
        second.push({ workload: "ecs dnsperf", who: server.contender.name, values: { qps, lost, serverCpu } });
      }
    }
    await Promise.all(servers.map((server) => server.stop()));
  }
}
probeTarget.close();

// What it adds up to.
const figures = figuresOf(runs);
console.log("\nmedians\nworkload     server        runs   queries/s  CPU µs/query    p50    p99 µs   lost   MiB");
for (const { workload, who, values } of figures) {
  const of = (name: string, digits: number, width: number): string => (values[name] ?? Number.NaN).toFixed(digits).padStart(width);
  console.log(
    `${workload.padEnd(12)} ${who.padEnd(12)} ${of("runs", 0, 5)} ${of("qps", 0, 11)} ${of("cpuMicros", 2, 13)} ${of("p50", 0, 6)} ${of("p99", 0, 9)} ${of("lost", 0, 6)} ${of("memoryMiB", 0, 5)}`,
  );
}
for (const { who, values } of second)
  console.log(`dnsperf      ${who.padEnd(12)} ${values.qps?.toFixed(0).padStart(17)}   server CPU ${values.serverCpu?.toFixed(2)}`);

const ratios: Record<string, number> = {};
const ratioFigures: Figure[] = [];
const tell = (key: string, { peer, pairs, ratio }: Comparison): void => {
  ratios[`${key}/${peer}`] = ratio.median;
  ratioFigures.push({ workload: `ratio ${key}`, who: peer, values: { pairs, ...ratio } });
  const digits = [ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(3));
  console.log(`  ${`${key}/${peer}`.padEnd(24)} ${digits[0]}  [${digits[1]}, ${digits[2]}]  ${pairs} pairs`);
};
console.log(
  "\nratios, CPU per query (KEY), queries a second (KEY-qps) and p99 (p99-KEY): median [95 % interval], above 1 = ours is better",
);
for (const workload of ["ecs", "plain", "names"]) {
  for (const one of compare(runs, { workload, ours: OURS, value: "cpuMicros", better: "less" })) tell(workload, one);
  for (const one of compare(runs, { workload, ours: OURS, value: "qps", better: "more" })) tell(`${workload}-qps`, one);
}
for (const pace of ["40k", "half"]) {
  for (const one of compare(runs, { workload: `ecs@${pace}`, ours: OURS, value: "p99", better: "less" })) tell(`p99-${pace}`, one);
}
const wrong = runs.filter(({ values }) => (values.wrong ?? 0) > 0);
if (wrong.length > 0) console.log(`\nWRONG ANSWERS in ${wrong.length} runs, see above`);
const { reruns, waits } = meter.noise;
console.log(`\n${reruns} runs with less than ${flags["min-cpu"]} of a core thrown away; ${waits} half seconds waited for an idle machine`);
if (flags.json !== undefined) writeReport(flags.json, { bench: "dns", ratios, figures: [...figures, ...second, ...ratioFigures] });
cleanup.run();
