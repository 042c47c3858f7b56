/** Answers per second by cluster, from counts that only grow: the mean of the last seconds. */

import type { AnswerReading } from "../observe/metric-readings.ts";

export interface AnswerRates {
  /** To be called at regular intervals. */
  readonly tick: () => void;
  /** Cluster → answers per second; empty until there are two readings. */
  readonly read: () => ReadonlyMap<string, number>;
}

export interface AnswerRatesInput {
  /** Answers from the start, under the numbers of `createMeters`. */
  readonly counts: () => Float64Array;
  /** Number → cluster. */
  readonly names: readonly string[];
  /** Milliseconds. */
  readonly now: () => number;
}

/** Readings that are kept: the mean is over one interval less. */
const READINGS = 6;

export function createAnswerRates({ counts, names, now }: AnswerRatesInput): AnswerRates {
  const readings: { readonly at: number; readonly counts: Float64Array }[] = [];
  return {
    tick() {
      readings.push({ at: now(), counts: counts() });
      if (readings.length > READINGS) readings.shift();
    },
    read() {
      const [first, last] = [readings[0], readings.at(-1)];
      if (first === undefined || last === undefined || last.at <= first.at) return new Map();
      const seconds = (last.at - first.at) / 1000;
      return new Map(
        names.flatMap((name, i) => (i === 0 ? [] : [[name, Math.max(0, last.counts[i]! - first.counts[i]!) / seconds] as const])),
      );
    },
  };
}

/** Answers from the start; what has no number of its own has no name either, and is left out. @param names number → cluster */
export const answersByCluster = (names: readonly string[], counts: Float64Array): AnswerReading[] =>
  names.flatMap((cluster, i) => (i === 0 ? [] : [{ cluster, count: counts[i]! }]));
