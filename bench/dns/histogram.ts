/** Counts latencies by the microsecond. */

/** Everything from here on shares the last bucket; in a window of 65 ms a load generator has lost more than precision. */
const BUCKETS = 1 << 16;

export interface Histogram {
  readonly counts: Uint32Array;
}

export const newHistogram = (): Histogram => ({ counts: new Uint32Array(BUCKETS) });

/** @param times how often it was seen */
export function addLatency({ counts }: Histogram, microseconds: number, times = 1): void {
  counts[microseconds < 0 ? 0 : microseconds < BUCKETS ? Math.floor(microseconds) : BUCKETS - 1]! += times;
}

/**
 * @param share of the latencies, 0 to 1
 * @returns whole microseconds: the smallest bucket with at least this share at or below it. NaN when nothing was counted.
 */
export function latencyAt({ counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let left = Math.max(1, Math.ceil(share * total));
  return counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
}
