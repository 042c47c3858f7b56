/** A process that stands still, as one does whose machine hangs. */
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Resolves when none of its threads runs any more: on a busy machine a SIGSTOP takes as long as an answer does. */
export async function pauseProcess(child: ChildProcess): Promise<void> {
  child.kill("SIGSTOP");
  while (!isPaused(child.pid!)) await setTimeout(1);
}

// the name may hold blanks and brackets; the state follows behind its last bracket
const isPaused = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every((thread) =>
    /^T/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ").at(-1)!),
  );
