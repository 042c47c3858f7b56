/** What every benchmark says of itself, on the terminal and in `--json FILE`. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

export interface Figure {
  readonly workload: string;
  /** `globalroute`, or the peer's name. */
  readonly who: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface BenchReport {
  readonly bench: string;
  /** `workload/peer`; above 1 means ours is better. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
}

/** Writes the report with the commit and the machine it was made on. */
export function writeReport(file: string, report: BenchReport): void {
  const { bench, ratios, figures } = report;
  writeFileSync(file, `${JSON.stringify({ bench, commit: commitName(), machine: machineName(), ratios, figures }, undefined, 2)}\n`);
}

export const machineName = (): string => {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1) ?? "?";
  return `${cpus().length} × ${cpu?.model ?? "unknown CPU"}, ${memory} GiB, Linux ${release()}, Node ${process.version}, load ${load}`;
};

function commitName(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
