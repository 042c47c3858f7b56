/** Distances and round trips of weighted clients, in three numbers. Pure. */
import type { Spread } from "./simulation.ts";

/**
 * @param samples any order; those of no weight count nothing
 * @returns zeros when nobody has any
 */
export function spreadOf(samples: readonly { readonly value: number; readonly weight: number }[]): Spread {
  const sorted = samples.filter(({ weight }) => weight > 0).sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return { mean: 0, p50: 0, p95: 0 };
  const mean = sorted.reduce((sum, { value, weight }) => sum + value * weight, 0) / total;
  return { mean: tenth(mean), p50: tenth(percentile(sorted, total * 0.5)), p95: tenth(percentile(sorted, total * 0.95)) };
}

/** The smallest value that so much of the weight does not exceed. */
function percentile(sorted: readonly { readonly value: number; readonly weight: number }[], wanted: number): number {
  let sum = 0;
  for (const { value, weight } of sorted) {
    sum += weight;
    if (sum >= wanted * (1 - 1e-12)) return value; // sums of shares fall short of the whole by rounding
  }
  return sorted.at(-1)!.value;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
