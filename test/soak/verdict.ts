/** What a soak must have shown. */
import type { SoakResult } from "./run-soak.ts";

/** Of readings, one a second, the least of so many counts: between collections memory goes up and down by tens of megabytes. */
const WINDOW = 60;
/** Windows in which heaps and caches still grow to their size. */
const WARM = 5;
/** Fewer windows in the last third say nothing. */
const ENOUGH = 8;
/** MiB a minute in the last third: what is filled stays filled, and only a leak goes on. */
const MOST_SLOPE = 1;
/** Of what it was when warm: a leak too slow for the slope shows here in a run of hours. */
const MOST_GROWTH = 1.1;
const MIB = 1 << 20;

/** Of resident memory. */
export interface MemoryVerdict {
  /** MiB after the fifth minute, and at the end. */
  readonly warm: number;
  readonly last: number;
  /** MiB a minute in the last third, and from the third minute on, which has the growth of heaps and caches in it. */
  readonly slope: number;
  readonly wholeSlope: number;
}

/** @returns what did not hold; `memory` is undefined when the run was too short to tell */
export function verdictOf(result: SoakResult): { readonly faults: readonly string[]; readonly memory: MemoryVerdict | undefined } {
  const { counts, checked, changes, flips, wrongCount, dropped, resident, exitCode } = result;
  const memory = memoryOf(resident);
  const faults = [
    ...(wrongCount > 0 ? [`${wrongCount} answers were wrong`] : []),
    ...(counts.unanswered > dropped ? [`${counts.unanswered} questions over UDP had no answer, and the kernel dropped ${dropped}`] : []),
    ...(counts.tcpEnded > 0 ? [`${counts.tcpEnded} TCP connections were ended by the server`] : []),
    ...(checked < (counts.udp + counts.tcp) / 2 ? [`only ${checked} answers were checked`] : []),
    ...(changes < flips ? [`${flips} flips made only ${changes} changes of standing`] : []),
    ...(exitCode !== 0 ? [`the server ended with exit code ${exitCode}`] : []),
    ...(memory !== undefined && memory.slope > MOST_SLOPE
      ? [`memory grew by ${memory.slope.toFixed(2)} MiB a minute in the last third`]
      : []),
    ...(memory !== undefined && memory.last > MOST_GROWTH * memory.warm
      ? [`memory grew from ${memory.warm.toFixed(0)} MiB when warm to ${memory.last.toFixed(0)} MiB`]
      : []),
  ];
  return { faults, memory };
}

/** @param resident bytes, each second */
function memoryOf(resident: readonly number[]): MemoryVerdict | undefined {
  const least = Array.from(
    { length: Math.floor(resident.length / WINDOW) },
    (_, i) => Math.min(...resident.slice(WINDOW * i, WINDOW * (i + 1))) / MIB,
  );
  const lastThird = least.slice(Math.ceil((2 * least.length) / 3));
  if (lastThird.length < ENOUGH) return undefined;
  return { warm: least[WARM]!, last: least.at(-1)!, slope: slopeOf(lastThird), wholeSlope: slopeOf(least.slice(2)) };
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
