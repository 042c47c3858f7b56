/** A program that a test runs beside itself: its log is kept, and it ends with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface RunningProcess {
  readonly pid: number;
  /** stdout and stderr so far, in the order they came; of a long log the end. */
  readonly log: () => string;
  readonly hasEnded: () => boolean;
  /** @returns the exit code; null when a signal ended it. Sends SIGKILL when it has not ended after ten seconds. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const KEEP = 200_000;
const PATIENCE_MS = 10_000;

const running = new Set<ChildProcess>();
// A test file that is interrupted leaves nothing running.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** @param env is added to ours */
export function runProcess(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  running.add(child);
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-KEEP);
    });
  }
  child.on("error", (error) => {
    log += `${program}: ${error.message}\n`;
    running.delete(child);
  });
  child.on("exit", () => running.delete(child));
  const hasEnded = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    log: () => log,
    hasEnded,
    async stop(signal = "SIGTERM") {
      if (hasEnded()) return child.exitCode;
      const exit = once(child, "exit");
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await exit;
      clearTimeout(timer);
      return child.exitCode;
    },
  };
}
