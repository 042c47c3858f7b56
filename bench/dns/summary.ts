/** What the runs of all rounds say about each server, and about ours beside each peer. Pure. */
import type { Figure } from "../support/report.ts";
import { type Interval, median, medianInterval } from "./statistics.ts";

/** One run that counted. */
export interface Run {
  readonly round: number;
  /** Such as `ecs`; for an open loop `ecs@40k` or `ecs@half`. */
  readonly workload: string;
  readonly who: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface Comparison {
  readonly workload: string;
  readonly peer: string;
  readonly pairs: number;
  /** The peer's value by ours for what should be small, ours by the peer's for what should be large: above 1 = ours is better. */
  readonly ratio: Interval;
}

/** Medians over the rounds of all values, one figure for each workload and server. */
export function figuresOf(runs: readonly Run[]): readonly Figure[] {
  return distinct(runs.map(({ workload }) => workload)).flatMap((workload) =>
    distinct(runs.filter((run) => run.workload === workload).map(({ who }) => who)).map((who): Figure => {
      const mine = runs.filter((run) => run.workload === workload && run.who === who);
      const names = Object.keys(mine[0]?.values ?? {});
      const medians = names.map((name) => [name, median(mine.map(({ values }) => values[name] ?? Number.NaN))] as const);
      return { workload, who, values: { runs: mine.length, ...Object.fromEntries(medians) } };
    }),
  );
}

/**
 * Pairs of one round: machines drift, and what is compared must have been measured together.
 *
 * @param value of {@link Run.values}
 * @param better whether less or more of it is better
 * @returns one comparison for each peer with which `ours` has a pair
 */
export function compare(
  runs: readonly Run[],
  {
    workload,
    ours,
    value,
    better,
  }: { readonly workload: string; readonly ours: string; readonly value: string; readonly better: "less" | "more" },
): readonly Comparison[] {
  const here = runs.filter((run) => run.workload === workload);
  return distinct(here.map(({ who }) => who))
    .filter((who) => who !== ours)
    .flatMap((peer): Comparison[] => {
      const ratios = here
        .filter(({ who }) => who === peer)
        .flatMap((theirs) => {
          const mine = here.find(({ who, round }) => who === ours && round === theirs.round);
          if (mine === undefined) return [];
          const ratio = mine.values[value]! / theirs.values[value]!;
          return Number.isFinite(ratio) && ratio > 0 ? [better === "more" ? ratio : 1 / ratio] : []; // a run without any answer has no p99
        });
      return ratios.length === 0 ? [] : [{ workload, peer, pairs: ratios.length, ratio: medianInterval(ratios) }];
    });
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
