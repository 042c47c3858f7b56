/** One run of load against one proxy. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { Cleanup } from "../dns/cleanup.ts";
import { peakMemory, processCpuSeconds } from "../dns/process-cpu.ts";
import { CLIENT_CORE } from "../support/pinned-process.ts";
import type { Generator, LoadResult } from "./full-load.ts";
import type { PacedResult, PacedSpec } from "./paced-load.ts";

/** Open at once, each with one request under way. */
export const CONNECTIONS = 64;

/** Who is asked; without a process nobody's processor time is taken. */
export interface Asked {
  readonly port: number;
  readonly host: string;
  readonly pid?: number;
}

export type Values = Readonly<Record<string, number>>;

/** Shares of its core that a proxy should have had when it was asked as much as it can answer: with less, something else was the limit. */
const ENOUGH_CPU = 0.93;
const RERUNS = 3;

/** As many requests as are answered: of up to four runs the first in which the proxy had its core to itself, or the one in which it had most of it. */
export async function saturate(asked: Asked, seconds: number, generator: Generator): Promise<Values> {
  let best = await runOnce(asked, seconds, generator);
  for (let run = 0; run < RERUNS && best.cpu < ENOUGH_CPU; run++) {
    const next = await runOnce(asked, seconds, generator);
    if (next.cpu > best.cpu) best = next;
  }
  return best;
}

/** @returns `rps`, `p50`, `p99` (µs), `failed`, `cpuMicros` of the proxy's per request, `cpu` as a share of its core, `memoryMiB` at most */
export async function runOnce(
  { port, host, pid }: Asked,
  seconds: number,
  generator: Generator,
): Promise<Values & { readonly cpu: number }> {
  const cpu = (): number => (pid === undefined ? Number.NaN : processCpuSeconds(pid));
  const before = cpu();
  const load = await generator({ url: `http://127.0.0.1:${port}/`, host, connections: CONNECTIONS, seconds });
  const spent = cpu() - before;
  return { ...rates(load), cpuMicros: (1e6 * spent) / load.requests, cpu: spent / load.seconds, memoryMiB: memory(pid) };
}

const rates = ({ requests, seconds, failed, p50, p99 }: LoadResult): Values => ({ rps: requests / seconds, p50, p99, failed });

const memory = (pid: number | undefined): number => (pid === undefined ? Number.NaN : peakMemory(pid));

const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN); // JSON has no NaN
const pacedResult: z.ZodType<PacedResult> = z.object({ due: number, answered: number, p50: number, p99: number, p999: number });

/** @param rate requests a second */
export async function pace(
  { port, host, pid }: Asked,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
  cleanup: Cleanup,
): Promise<Values> {
  const spec: PacedSpec = { port, host, connections: CONNECTIONS, rate, warmupSeconds: 1, seconds };
  const script = fileURLToPath(new URL("./paced-load.ts", import.meta.url));
  // behind the upstream, which must not wait for somebody who never sleeps
  const run = promisify(execFile)("nice", ["-n", "10", "taskset", "-c", CLIENT_CORE, process.execPath, script, JSON.stringify(spec)]);
  cleanup.add(() => run.child.kill("SIGKILL"));
  const before = pid === undefined ? Number.NaN : processCpuSeconds(pid);
  const { due, answered, p50, p99, p999 } = pacedResult.parse(JSON.parse((await run).stdout));
  const spent = pid === undefined ? Number.NaN : processCpuSeconds(pid) - before;
  return { rate, p50, p99, p999, failed: due - answered, cpu: spent / (1 + seconds) };
}
