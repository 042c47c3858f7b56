/** Memory of another process, as Linux counts it. */
import { readFileSync, writeFileSync } from "node:fs";

export interface Memory {
  /** Resident, MiB. */
  readonly now: number;
  /** The most it was since {@link forgetPeak}, or ever. */
  readonly peak: number;
}

/** @throws when there is no such process */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const mebibytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

/** From now on the peak counts from what there is now (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
