/** What the rounds of a benchmark add up to: a median, and how far it may be trusted. Pure; the same rounds give the same figures. */

/** The middle value; of an even number the mean of the middle two. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 10_000;

/**
 * The median with its 95 % interval by the percentile bootstrap: 10,000 times as many values are drawn from `values`, with repetition, by
 * a generator of fixed seed; the interval holds the middle 95 % of their medians.
 *
 * @returns NaN for all three when there are no values
 */
export function medianInterval(values: readonly number[]): Interval {
  if (values.length === 0) return { median: Number.NaN, low: Number.NaN, high: Number.NaN };
  const random = seededRandom(20_260_000);
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(() => values[Math.floor(random() * values.length)]!)));
  medians.sort((a, b) => a - b);
  return { median: median(values), low: medians[Math.floor(0.025 * RESAMPLES)]!, high: medians[Math.ceil(0.975 * RESAMPLES) - 1]! };
}

/** Repeatable dice (mulberry32): [0, 1), the same sequence for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
