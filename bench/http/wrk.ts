/** wrk asks whoever is too fast for autocannon. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../dns/contender.ts";
import { CLIENT_CORE } from "../support/pinned-process.ts";
import type { FullLoad, LoadResult } from "./full-load.ts";

/** Connections that are silent for two seconds count as failed. */
export async function runWrk({ url, host, connections, seconds }: FullLoad): Promise<LoadResult> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-H", `Host: ${host}`, url];
  const { stdout } = await promisify(execFile)("taskset", ["-c", CLIENT_CORE, findProgram("wrk") ?? "wrk", ...args]);
  return parseWrk(stdout);
}

const MICROSECONDS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 };

/**
 * What `wrk --latency` prints at its end.
 *
 * @throws when there is no line of requests, or no latencies
 */
export function parseWrk(text: string): LoadResult {
  const [, requests, duration, unit = ""] = /(\d+) requests in ([\d.]+)(us|ms|s|m|h),/.exec(text) ?? [];
  if (requests === undefined) throw new Error(`wrk printed no line "N requests in …":\n${text}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const statuses = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0";
  return {
    seconds: (Number(duration) * (MICROSECONDS[unit] ?? Number.NaN)) / 1e6,
    requests: Number(requests),
    failed: [...errors, statuses].reduce((sum, count) => sum + Number(count), 0),
    p50: latency(text, 50),
    p99: latency(text, 99),
  };
}

function latency(text: string, percent: number): number {
  const [, value, unit = ""] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m|h) *$`, "m").exec(text) ?? [];
  if (value === undefined) throw new Error(`wrk printed no latency for ${percent} %:\n${text}`);
  return Number(value) * (MICROSECONDS[unit] ?? Number.NaN);
}
