/** What a soak must have shown. */
import type { SoakResult } from "./run-soak.ts";

/** Before this many readings, one a second, heaps still grow to their size. */
const WARM = 120;
/** Readings of which the least counts: between collections memory goes up and down by tens of megabytes. */
const WINDOW = 180;
/** Fewer windows say nothing. */
const ENOUGH = 5;
/** MiB a minute. */
const MOST_SLOPE = 1;

/** @returns what did not hold, and the slope of resident memory in MiB a minute; undefined when the run was too short to tell */
export function verdictOf(result: SoakResult): { readonly faults: readonly string[]; readonly slope: number | undefined } {
  const { counts, checked, changes, flips, wrongCount, dropped, resident, exitCode } = result;
  const settled = resident.slice(WARM);
  const least = Array.from({ length: Math.floor(settled.length / WINDOW) }, (_, i) =>
    Math.min(...settled.slice(WINDOW * i, WINDOW * (i + 1))),
  );
  const slope = least.length < ENOUGH ? undefined : slopeOf(least) * (60 / WINDOW / (1 << 20));
  const faults = [
    ...(wrongCount > 0 ? [`${wrongCount} answers were wrong`] : []),
    ...(counts.unanswered > dropped ? [`${counts.unanswered} questions over UDP had no answer, and the kernel dropped ${dropped}`] : []),
    ...(counts.tcpEnded > 0 ? [`${counts.tcpEnded} TCP connections were ended by the server`] : []),
    ...(checked < (counts.udp + counts.tcp) / 2 ? [`only ${checked} answers were checked`] : []),
    ...(changes < flips ? [`${flips} flips made only ${changes} changes of standing`] : []),
    ...(exitCode !== 0 ? [`the server ended with exit code ${exitCode}`] : []),
    ...(slope !== undefined && slope > MOST_SLOPE ? [`memory grew by ${slope.toFixed(2)} MiB a minute`] : []),
  ];
  return { faults, slope };
}

/** Least squares: by how much values grow from one to the next. */
function slopeOf(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return 0;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  let [up, across] = [0, 0];
  values.forEach((value, i) => {
    up += (i - middle) * (value - mean);
    across += (i - middle) ** 2;
  });
  return up / across;
}
