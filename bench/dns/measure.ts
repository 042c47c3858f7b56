/** One run of the load generator against one server, repeated while something else took the server's core. */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { CLIENT_CORE } from "../support/pinned-process.ts";
import type { Cleanup } from "./cleanup.ts";
import type { LoadResult, LoadSpec } from "./load.ts";
import type { RunningServer } from "./running-server.ts";

/** In flight at saturation: 512. */
const SOCKETS = 16;
const WINDOW = 32;
const RERUNS = 3;

export interface LoadOptions {
  readonly queryFile: string;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface Meter {
  /**
   * As many queries as the server answers.
   *
   * @returns undefined when it had too little of its core in this run and three more
   */
  saturate(server: RunningServer, options: LoadOptions): Promise<LoadResult | undefined>;
  /** @param rate queries a second */
  pace(server: RunningServer, options: LoadOptions, rate: number): Promise<LoadResult>;
  /** Runs that were thrown away, and half seconds that were spent waiting for an idle machine. */
  readonly noise: { reruns: number; waits: number };
}

export interface MeterOptions {
  /** Share of its core that a server must have had in a run at saturation: with less something else was the limit. */
  readonly minServerCpu: number;
  /** Whether to wait for an idle machine before each run. */
  readonly isPatient: boolean;
}

export function createMeter(cleanup: Cleanup, { minServerCpu, isPatient }: MeterOptions): Meter {
  const noise = { reruns: 0, waits: 0 };
  let child: { kill(signal: "SIGKILL"): boolean } | undefined;
  cleanup.add(() => child?.kill("SIGKILL"));

  const load = async (server: RunningServer, spec: LoadOptions & { readonly rate?: number }): Promise<LoadResult> => {
    if (isPatient) noise.waits += await waitUntilIdle();
    const whole: LoadSpec = { port: server.port, pid: server.pid, sockets: SOCKETS, window: WINDOW, ...spec };
    const script = new URL("./load.ts", import.meta.url).pathname;
    const run = promisify(execFile)("taskset", ["-c", CLIENT_CORE, process.execPath, script, JSON.stringify(whole)]);
    child = run.child;
    return loadResult.parse(JSON.parse((await run).stdout));
  };

  return {
    noise,
    async saturate(server, options) {
      for (let run = 0; run <= RERUNS; run++) {
        const result = await load(server, options);
        if (result.serverCpuSeconds / result.seconds >= minServerCpu) return result;
        noise.reruns++;
      }
      return undefined;
    },
    pace: (server, options, rate) => load(server, { ...options, rate }),
  };
}

const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN); // JSON has no NaN

const loadResult: z.ZodType<LoadResult> = z.object({
  seconds: number,
  answered: number,
  lost: number,
  wrong: number,
  stray: number,
  serverCpuSeconds: number,
  idle: number,
  late: number,
  p50: number,
  p99: number,
  p999: number,
});

const IDLE = 0.9;
const LOOK_MS = 250;
const MAX_WAITS = 20;

/** Waits, up to ten seconds, until nothing else runs. @returns half seconds waited in vain */
async function waitUntilIdle(): Promise<number> {
  for (let waits = 0; ; waits++) {
    const before = cpuTimes();
    await setTimeout(LOOK_MS);
    const after = cpuTimes();
    if (waits === MAX_WAITS || (after.idle - before.idle) / (after.all - before.all) >= IDLE) return waits;
    await setTimeout(LOOK_MS);
  }
}

function cpuTimes(): { idle: number; all: number } {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, all };
}
