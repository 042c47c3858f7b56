/** A second opinion: the load generator that others use. On one core it ends near 160,000 queries a second, so it tells only slower servers apart. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CLIENT_CORE } from "../support/pinned-process.ts";
import { findProgram } from "./contender.ts";
import { processCpuSeconds } from "./process-cpu.ts";
import type { RunningServer } from "./running-server.ts";

export interface Dnsperf {
  readonly qps: number;
  readonly lost: number;
  /** Of its core, while dnsperf ran: well below 1 means that dnsperf was the limit. */
  readonly serverCpu: number;
}

export const hasDnsperf = (): boolean => findProgram("dnsperf") !== undefined;

/** @throws when dnsperf fails or prints something else than dnsperf 2 does */
export async function runDnsperf(server: RunningServer, queryFile: string, seconds: number): Promise<Dnsperf> {
  const args = [
    "-c",
    CLIENT_CORE,
    findProgram("dnsperf") ?? "dnsperf",
    "-B",
    "-d",
    queryFile,
    "-s",
    "127.0.0.1",
    "-p",
    String(server.port),
  ];
  const before = processCpuSeconds(server.pid);
  const started = performance.now();
  const { stdout } = await promisify(execFile)("taskset", [...args, "-c", "16", "-q", "512", "-l", String(seconds)]);
  const serverCpu = (processCpuSeconds(server.pid) - before) / ((performance.now() - started) / 1000);
  const value = (label: string): number => Number(new RegExp(`${label}:\\s+([\\d.]+)`).exec(stdout)?.[1]);
  const result = { qps: value("Queries per second"), lost: value("Queries lost"), serverCpu };
  if (Number.isNaN(result.qps)) throw new Error(`dnsperf printed no "Queries per second":\n${stdout}`);
  return result;
}
