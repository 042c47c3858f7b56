/**
 * The probing side of `bench/probes.ts`: one workload in a process of its own, so that its CPU time and memory are its own. Takes its
 * {@link LoadSpec} as JSON in the first argument and prints {@link LoadResult} as JSON.
 */
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { createMonitor } from "../../health/monitor.ts";
import { type Probe, systemPorts } from "../../health/ports.ts";
import { createProber } from "../../health/probes/prober.ts";
import { type Endpoint, endpointKey } from "../../src/model/health.ts";
import { parseNetwork } from "../../src/model/ip.ts";
import { ms } from "../../src/model/units.ts";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { quantile } from "./report.ts";

export interface LoadSpec {
  readonly workload: "http" | "https" | "tls-fresh";
  /** Our probes, or the same requests through node:http under our scheduler. */
  readonly who: "globalroute" | "node-http";
  readonly port: number;
  readonly endpoints: number;
  readonly intervalMs: number;
  readonly seconds: number;
}

export type LoadResult = Readonly<Record<string, number>>;

/** Probes under way at a time when measuring how many fit into a second. */
const CLOSED_LOOP = 32;
/** New endpoints a second during the warm-up. */
const FIRST_PER_SECOND = 400;
/** A gap of this many intervals between two probes of one endpoint has lost a round: into its slot a new one may wait 1.6. */
const LOST_ROUND = 1.7;

const spec: LoadSpec = JSON.parse(process.argv[2] ?? "{}");
const { ca } = readCertificates();
const loopback = parseNetwork("127.0.0.0/8");
const prober = createProber({ allow: loopback === undefined ? [] : [loopback], refuse: [], ca });

function endpointOf(i: number): Endpoint {
  const address = `127.${1 + (i >> 14)}.${(i >> 7) & 127}.${(i & 127) + 1}`;
  const probe: Endpoint["probe"] = {
    type: spec.workload === "tls-fresh" ? "TLS" : "HTTP",
    scheme: spec.workload === "http" ? "HTTP" : "HTTPS",
    port: spec.port,
    path: "/healthz",
    host: "shop.example.org",
    service: "",
    expect: { status: [{ from: 200, to: 399 }] },
    verify: true,
  };
  const policy: Endpoint["policy"] = { interval: ms(spec.intervalMs), timeout: ms(2000), rise: 2, fall: 3, quorum: { type: "Majority" } };
  return { key: endpointKey(address, probe, policy), cluster: `c${i % 20}`, address, probe, policy };
}

/** The peer: what one would write with node:http, an agent, a timeout and no more. */
function nodeProbe(): Probe {
  const secure = spec.workload === "https";
  const agent = secure ? new SecureAgent({ keepAlive: true, maxSockets: 1, ca }) : new PlainAgent({ keepAlive: false });
  const request = secure ? secureRequest : plainRequest;
  return ({ address, probe }, { timeout }) =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const finish = (ok: boolean): void => {
        clearTimeout(timer);
        resolve({ ok, reason: ok ? "ok" : "timeout", latency: ms(performance.now() - startedAt) });
      };
      const options = { host: address, port: probe.port, path: probe.path, headers: { host: probe.host }, agent, servername: probe.host };
      const asked = request(options, (response) => {
        response.resume();
        response.once("end", () => finish(response.statusCode === 200));
      });
      const timer = setTimeout(() => asked.destroy(), timeout);
      asked.once("error", () => finish(false));
      asked.end();
    });
}

async function measureSchedule(): Promise<LoadResult> {
  const lateness: number[] = [];
  const latency: number[] = [];
  const previous = new Map<string, number>();
  let isMeasured = false;
  let failed = 0;
  let lostRounds = 0;
  const monitor = createMonitor({
    vantage: "bench",
    ports: systemPorts(spec.who === "globalroute" ? prober.probe : nodeProbe()),
    onObservation: (observation, note) => {
      const startedAt = observation.at - observation.latency;
      const gap = startedAt - (previous.get(observation.endpoint) ?? Number.NaN);
      previous.set(observation.endpoint, startedAt);
      if (!isMeasured) return;
      lateness.push(note.lateness);
      latency.push(observation.latency);
      if (!observation.ok) failed++;
      if (gap > LOST_ROUND * spec.intervalMs) lostRounds += Math.round(gap / spec.intervalMs) - 1;
    },
  });
  // The target and this process may share one machine: connections that are kept are opened no faster than both can shake hands.
  const endpoints = Array.from({ length: spec.endpoints }, (_, i) => endpointOf(i));
  for (let count = FIRST_PER_SECOND; count < endpoints.length; count += FIRST_PER_SECOND) {
    monitor.setEndpoints(endpoints.slice(0, count));
    await sleep(1000);
  }
  monitor.setEndpoints(endpoints);
  await sleep(spec.intervalMs + 2000);
  const before = process.cpuUsage();
  const startedAt = performance.now();
  isMeasured = true;
  await sleep(spec.seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const elapsed = (performance.now() - startedAt) / 1000;
  isMeasured = false;
  const silent = spec.endpoints - [...previous.values()].filter((at) => Date.now() - at < LOST_ROUND * spec.intervalMs).length;
  monitor.close();
  const sortedLateness = Float64Array.from(lateness).sort();
  const sortedLatency = Float64Array.from(latency).sort();
  return {
    probes: lateness.length,
    perSecond: lateness.length / elapsed,
    failed,
    lost: lostRounds + silent,
    latenessP50Ms: quantile(sortedLateness, 0.5),
    latenessP99Ms: quantile(sortedLateness, 0.99),
    latenessMaxMs: quantile(sortedLateness, 1),
    latencyP99Ms: quantile(sortedLatency, 0.99),
    cores: (user + system) / 1e6 / elapsed,
    cpuMicrosPerProbe: (user + system) / lateness.length,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

/** As many fresh handshakes, verified, as fit. */
async function measureHandshakes(): Promise<LoadResult> {
  const { signal } = new AbortController();
  const endpoints = Array.from({ length: spec.endpoints }, (_, i) => endpointOf(i));
  let next = 0;
  let done = 0;
  let failed = 0;
  const runFor = async (seconds: number): Promise<void> => {
    const end = performance.now() + seconds * 1000;
    const worker = async (): Promise<void> => {
      while (performance.now() < end) {
        const result = await prober.probe(endpoints[next++ % endpoints.length]!, { timeout: ms(10_000), signal });
        done++;
        if (!result.ok) failed++;
      }
    };
    await Promise.all(Array.from({ length: CLOSED_LOOP }, worker));
  };
  await runFor(2);
  done = 0;
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await runFor(spec.seconds);
  const { user, system } = process.cpuUsage(before);
  const elapsed = (performance.now() - startedAt) / 1000;
  return {
    probes: done,
    failed,
    perSecond: done / elapsed,
    cores: (user + system) / 1e6 / elapsed,
    cpuMicrosPerProbe: (user + system) / done,
    perCoreSecond: done / ((user + system) / 1e6),
  };
}

const sleep = (delay: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delay));

const result = spec.workload === "tls-fresh" ? await measureHandshakes() : await measureSchedule();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
