/** Starts and stops programs, each pinned to one core. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Cleanup } from "../dns/cleanup.ts";

export const SERVER_CORE = "0";
export const CLIENT_CORE = "1";

export interface PinnedProgram {
  /** For messages. */
  readonly name: string;
  readonly core: typeof SERVER_CORE | typeof CLIENT_CORE;
  readonly program: string;
  readonly args: readonly string[];
  /** Beside our own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets all that it prints. */
  readonly logFile: string;
}

export interface PinnedProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

const STOP_MS = 5_000;

/**
 * @param isReady  asked again and again until it is
 * @param patience ms
 * @throws with the end of its log when it ends or is not ready within that time
 */
export async function startPinned(
  { name, core, program, args, environment, logFile }: PinnedProgram,
  isReady: () => Promise<boolean>,
  cleanup: Cleanup,
  patience: number,
): Promise<PinnedProcess> {
  const log = openSync(logFile, "w");
  const env = { ...process.env, ...environment };
  const child = spawn("taskset", ["-c", core, program, ...args], { stdio: ["ignore", log, log], env });
  closeSync(log);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${name}: taskset cannot be started; it is part of util-linux.`);
  const ended = once(child, "exit");
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  cleanup.add(() => {
    if (isRunning()) process.kill(pid, "SIGKILL");
  });
  const started = performance.now();
  while (!(await isReady())) {
    if (isRunning() && performance.now() - started < patience) {
      await setTimeout(50);
      continue;
    }
    child.kill("SIGKILL");
    throw new Error(`${name} does not answer (exit code ${child.exitCode}). Its log ends:\n${tail(logFile)}`);
  }
  return {
    pid,
    async stop() {
      if (!isRunning()) return;
      child.kill("SIGTERM");
      const timer = new AbortController();
      await Promise.race([ended, setTimeout(STOP_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
      if (isRunning()) {
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}

const tail = (file: string): string => readFileSync(file, "utf8").split("\n").slice(-15).join("\n");
