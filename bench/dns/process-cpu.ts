/** CPU time of another process, as Linux counts it. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * User and system time of all threads that the process has now.
 *
 * @returns seconds, to the nanosecond; threads that have ended are not in it
 * @throws when there is no such process
 */
export function processCpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]); // ticks of /proc/PID/stat: 10 ms
  }
  return nanoseconds / 1e9;
}

/** Resident memory in MiB, the most that the process ever had. */
export function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}
