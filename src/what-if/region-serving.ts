/** Who serves each country, before and after: what a map shows. Pure. */
import type { Answer } from "./answer-book.ts";
import type { Flow } from "./decide-all.ts";
import type { Spot } from "./spots.ts";

export interface RegionServing {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly weight: number;
  /** Cluster → share of the country's clients, 0..1. */
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

/** @returns the heaviest first; clients of unknown country are left out */
export function regionServing(flows: readonly Flow[], spots: readonly Spot[]): readonly RegionServing[] {
  const regions = new Map<string, { weight: number; readonly before: Map<string, number>; readonly after: Map<string, number> }>();
  for (const { spot, before, after, weight } of flows) {
    const { country } = spots[spot]!;
    if (country === undefined) continue;
    const region = regions.get(country) ?? { weight: 0, before: new Map(), after: new Map() };
    regions.set(country, region);
    region.weight += weight;
    add(region.before, before, weight);
    add(region.after, after, weight);
  }
  return [...regions]
    .sort(([a, one], [b, other]) => other.weight - one.weight || (a < b ? -1 : 1))
    .map(([country, { weight, before, after }]) => ({ country, weight, before: shares(before, weight), after: shares(after, weight) }));
}

function add(into: Map<string, number>, { clusters }: Answer, weight: number): void {
  for (const { name, share } of clusters) into.set(name, (into.get(name) ?? 0) + share * weight);
}

const shares = (weights: ReadonlyMap<string, number>, total: number): ReadonlyMap<string, number> =>
  new Map([...weights].map(([cluster, weight]) => [cluster, total === 0 ? 0 : weight / total]));
