/**
 * `npm run bench:probes`: can one process probe thousands of endpoints on time? Endpoints are loopback addresses, answered by another
 * process; each workload runs in a process of its own, after a warm-up in which everybody is connected.
 *
 * - http: plain HTTP, a new connection for each probe
 * - https: HTTPS over kept connections
 * - tls-fresh: new, verified TLS handshakes, as many as fit
 *
 * Flags: --endpoints N, --interval SECONDS, --seconds N, --workload NAME (one alone), --json FILE.
 *
 * The peer `node-http` sends the same requests through node:http(s) under the same scheduler; the ratio compares CPU time per probe.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { parseArgs } from "node:util";
import type { LoadResult, LoadSpec } from "./support/probe-load.ts";
import { type Figure, machineName, writeReport } from "./support/report.ts";

const { values: flags } = parseArgs({
  options: {
    endpoints: { type: "string", default: "10000" },
    interval: { type: "string", default: "10" },
    seconds: { type: "string", default: "60" },
    workload: { type: "string" },
    json: { type: "string" },
  },
});
const shape = { endpoints: Number(flags.endpoints), intervalMs: 1000 * Number(flags.interval), seconds: Number(flags.seconds) };

const scriptPath = (name: string): string => new URL(`./support/${name}.ts`, import.meta.url).pathname;

/** The first line that a process prints, as JSON. */
function firstLine<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(JSON.parse(text));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${child.spawnargs.join(" ")} ended with ${code} before it answered`)));
  });
}

const start = (name: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [scriptPath(name), ...args], { stdio: ["ignore", "pipe", "inherit"] });

const target = start("probe-target");
try {
  const ports = await firstLine<{ http: number; https: number }>(target);
  console.log(machineName());
  console.log(`${shape.endpoints} endpoints, each every ${shape.intervalMs / 1000} s, measured for ${shape.seconds} s\n`);
  const figures: Figure[] = [];
  const isWanted = (workload: LoadSpec["workload"]): boolean => flags.workload === undefined || flags.workload === workload;
  const run = async (workload: LoadSpec["workload"], who: LoadSpec["who"]): Promise<LoadResult> => {
    const spec: LoadSpec = { workload, who, port: workload === "http" ? ports.http : ports.https, ...shape };
    const seconds = workload === "tls-fresh" ? Math.min(15, shape.seconds) : shape.seconds;
    const values = await firstLine<LoadResult>(start("probe-load", JSON.stringify({ ...spec, seconds })));
    figures.push({ workload, who, values });
    console.log(`${workload} ${who}`);
    for (const [name, value] of Object.entries(values)) console.log(`  ${name.padEnd(18)} ${value.toFixed(value < 10 ? 2 : 0)}`);
    return values;
  };
  const ratios: Record<string, number> = {};
  for (const workload of ["http", "https"] as const) {
    if (!isWanted(workload)) continue;
    const ours = await run(workload, "globalroute");
    const peer = await run(workload, "node-http");
    ratios[`${workload}/node-http`] = (peer.cpuMicrosPerProbe ?? Number.NaN) / (ours.cpuMicrosPerProbe ?? Number.NaN);
  }
  if (isWanted("tls-fresh")) await run("tls-fresh", "globalroute");
  for (const [key, ratio] of Object.entries(ratios))
    console.log(`ratio ${key}: ${ratio.toFixed(2)} (CPU time per probe; above 1 = ours is cheaper)`);
  if (flags.json !== undefined) writeReport(flags.json, { bench: "probes", ratios, figures });
} finally {
  target.kill();
}
