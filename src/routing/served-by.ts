/** Who is served where: for every place that the table knows, the cluster that answers, weighted by the people who live there. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import { chooseBySlot, newChoice } from "./choose.ts";
import type { RoutingTable } from "./table.ts";

export interface Served {
  readonly cluster: string;
  /** Share of the population whose answers name the cluster, 0..1. */
  readonly population: number;
  /** Countries most of whose people are served by it, most populous first. */
  readonly countries: readonly string[];
}

/** Slots tried in all plans of a route together; a route of one plan has every slot tried. */
const TRIES = 1 << 16;
const MOST_TRIES = 4096;
const LEAST_TRIES = 64;

/** @param population country → people; a country without an entry counts nothing */
export function servedBy(table: RoutingTable, route: number, family: 0 | 1, population: ReadonlyMap<string, number>): Served[] {
  const { hot, geo } = table;
  const placesPerCountry = countPlaces(geo);
  const policy = hot.routePolicy[route]!;
  const partition = table.partitions[hot.policyPartition[policy]!]!;
  const tries = Math.min(MOST_TRIES, Math.max(LEAST_TRIES, Math.floor(TRIES / partition.classes)));
  const byPlan = new Map<number, ReadonlyMap<number, number>>();
  const people = new Map<number, number>();
  const byCountry = new Map<string, Map<number, number>>();
  geo.places.forEach(({ country }, place) => {
    if (country === undefined) return;
    const weight = (population.get(country) ?? 0) / placesPerCountry.get(country)!;
    if (weight === 0) return;
    const own = byCountry.get(country) ?? new Map<number, number>();
    byCountry.set(country, own);
    const plan = hot.policyPlans[policy]! + partition.classOfPlace[place]!;
    const shares = byPlan.get(plan) ?? planShares(table, route, family, plan, tries);
    byPlan.set(plan, shares);
    for (const [cluster, share] of shares) {
      people.set(cluster, (people.get(cluster) ?? 0) + weight * share);
      own.set(cluster, (own.get(cluster) ?? 0) + weight * share);
    }
  });
  const total = [...people.values()].reduce((sum, value) => sum + value, 0);
  const most = new Map([...byCountry].map(([country, own]) => [country, [...own].sort((a, b) => b[1] - a[1])[0]?.[0]]));
  return [...people]
    .map(([cluster, value]) => ({
      cluster: table.names.clusters[cluster]!,
      population: value / total,
      countries: [...most]
        .filter(([, by]) => by === cluster)
        .map(([country]) => country)
        .sort((a, b) => (population.get(b) ?? 0) - (population.get(a) ?? 0)),
    }))
    .sort((a, b) => b.population - a.population || a.cluster.localeCompare(b.cluster));
}

/** Cluster index → share of a plan's answers, 0..1. @param tries slots that are looked at, evenly spread */
export function planShares(table: RoutingTable, route: number, family: 0 | 1, plan: number, tries: number): ReadonlyMap<number, number> {
  const choice = newChoice();
  choice.plan = plan;
  const shares = new Map<number, number>();
  for (let i = 0; i < tries; i++) {
    choice.slotHash = (((i + 0.5) / tries) * 0x1_0000_0000) | 0;
    chooseBySlot(table, route, family, choice);
    if (choice.backend < 0) continue;
    const { cluster } = table.names.backends[choice.backend]!;
    shares.set(cluster, (shares.get(cluster) ?? 0) + 1 / tries);
  }
  return shares;
}

function countPlaces(geo: GeoTable): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { country } of geo.places) if (country !== undefined) counts.set(country, (counts.get(country) ?? 0) + 1);
  return counts;
}
