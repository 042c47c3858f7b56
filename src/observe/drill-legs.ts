/** The figures of a drill over all of its routes. Pure. */
import type { DrillLeg, DrillMove } from "./drill-report.ts";

type Phase = DrillLeg["phase"];

/** Of each phase: `decide`, then `publish`, `propagate` and `total` by who it was seen at. */
export const drillLegs = (withdrawn: readonly DrillMove[], restored: readonly DrillMove[]): readonly DrillLeg[] => [
  ...legsOf("withdraw", withdrawn),
  ...legsOf("restore", restored),
];

function legsOf(phase: Phase, moves: readonly DrillMove[]): readonly DrillLeg[] {
  const decided = moves.flatMap(({ decideSeconds }) => (decideSeconds === undefined ? [] : [decideSeconds]));
  const published = moves.flatMap((move) => move.published.map(({ via, seconds }) => [via, seconds] as const));
  const propagated = moves.flatMap((move) => move.seen.map(({ via, seconds }) => [via, seconds] as const));
  const total = moves.flatMap((move) => move.seen.map(({ via, totalSeconds }) => [via, totalSeconds] as const));
  return [
    ...(decided.length === 0 ? [] : [figures(phase, "decide", "", decided)]),
    ...byVia(phase, "publish", published),
    ...byVia(phase, "propagate", propagated),
    ...byVia(phase, "total", total),
  ];
}

function byVia(phase: Phase, leg: DrillLeg["leg"], samples: readonly (readonly [via: string, seconds: number])[]): readonly DrillLeg[] {
  const grouped = new Map<string, number[]>();
  for (const [via, seconds] of samples) {
    const known = grouped.get(via);
    if (known === undefined) grouped.set(via, [seconds]);
    else known.push(seconds);
  }
  return [...grouped].sort(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)).map(([via, all]) => figures(phase, leg, via, all));
}

/** Near ones first: our own server, zones, resolvers. */
const placeOf = (via: string): number => (via === "self" ? 0 : via.startsWith("resolver ") ? 2 : 1);

function figures(phase: Phase, leg: DrillLeg["leg"], via: string, samples: readonly number[]): DrillLeg {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { phase, leg, via, routes: sorted.length, median: toMilliseconds(median), worst: toMilliseconds(sorted.at(-1)!) };
}

/** Seconds, to the millisecond: no clock here tells more. */
export const toMilliseconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;
