/** Starts and stops contenders, each pinned to one core. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import { openUdp } from "../../test/support/dns-client.ts";
import type { Cleanup } from "./cleanup.ts";
import type { Contender } from "./contender.ts";
import { ONE_NAME } from "./steering.ts";

/** A contender with its configuration written. */
export interface Configured {
  readonly contender: Contender;
  readonly folder: string;
  readonly port: number;
  readonly args: readonly string[];
}

export interface RunningServer {
  readonly contender: Contender;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export const SERVER_CORE = "0";
export const CLIENT_CORE = "1";

const PATIENCE_MS = 60_000;
const STOP_MS = 5_000;

/**
 * @returns once it answers
 * @param patience ms
 * @throws with the end of its log when it does not within a minute, or the patience given
 */
export async function startServer(
  { contender, folder, port, args }: Configured,
  cleanup: Cleanup,
  patience = PATIENCE_MS,
): Promise<RunningServer> {
  const logFile = join(folder, "log");
  const log = openSync(logFile, "w");
  const child = spawn("taskset", ["-c", SERVER_CORE, contender.program() ?? contender.name, ...args], { stdio: ["ignore", log, log] });
  closeSync(log);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${contender.name}: taskset cannot be started; it is part of util-linux.`);
  const ended = once(child, "exit");
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  cleanup.add(() => {
    if (isRunning()) process.kill(pid, "SIGKILL");
  });
  const started = performance.now();
  while (!((await answers(port)) && (await contender.isReady()))) {
    if (isRunning() && performance.now() - started < patience) {
      await setTimeout(50);
      continue;
    }
    child.kill("SIGKILL");
    throw new Error(`${contender.name} does not answer (exit code ${child.exitCode}). Its log ends:\n${tail(logFile)}`);
  }
  return {
    contender,
    port,
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

async function answers(port: number): Promise<boolean> {
  const client = await openUdp({ address: "127.0.0.1", port });
  try {
    const answer = await client.ask(encodeQuery({ id: 1, name: ONE_NAME, type: 1 }), 200);
    return (answer[3]! & 15) === 0 && answer[7]! > 0;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
