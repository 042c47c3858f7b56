/** Who is served where, country by country: the map of one route, cheap enough to be drawn anew whenever a standing changes. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Partition } from "../geo/partition.ts";
import { planShares } from "./served-by.ts";
import { ROUTE_OFFERS_A, RouteRow, type RoutingTable, Standing } from "./table.ts";

/** A country's clients by the class of their plan. */
export interface CountryClasses {
  /** Its position in the list of countries. */
  readonly country: number;
  /** Class of the partition → share of the country's places, 0..1. */
  readonly classes: readonly (readonly [cls: number, share: number])[];
}

/** Position of a country → shares of clusters (their indices in the table), 0..1, largest first. A country of which nothing is known, or to which nobody answers, is absent. */
export type ServedCountries = ReadonlyMap<number, readonly (readonly [cluster: number, share: number])[]>;

/** Slots tried in each plan: most have one cluster for all of them; shares of several come out within about 3 %. */
const FEW_TRIES = 64;
const TRIES = 1024;

/** @param positions ISO 3166-1 code → position in the list of countries */
export function countryClasses(
  { places }: Pick<GeoTable, "places">,
  { classOfPlace }: Pick<Partition, "classOfPlace">,
  positions: ReadonlyMap<string, number>,
): readonly CountryClasses[] {
  const counts = new Map<number, Map<number, number>>();
  places.forEach(({ country }, place) => {
    const position = country === undefined ? undefined : positions.get(country);
    if (position === undefined) return;
    const own = counts.get(position) ?? new Map<number, number>();
    counts.set(position, own);
    const cls = classOfPlace[place]!;
    own.set(cls, (own.get(cls) ?? 0) + 1);
  });
  return [...counts].map(([country, own]) => {
    const all = [...own.values()].reduce((sum, count) => sum + count, 0);
    return { country, classes: [...own].map(([cls, count]) => [cls, count / all] as const) };
  });
}

/** The family by which a route is drawn: A where it is offered. */
export const drawnFamily = ({ hot }: Pick<RoutingTable, "hot">, route: number): 0 | 1 =>
  (hot.routeFlags[route]! & ROUTE_OFFERS_A) !== 0 ? 0 : 1;

/** Routes of one key are served alike: same policy, same standings, same slots given away. */
export function servingKey(table: RoutingTable, route: number): string {
  const { hot, state, names } = table;
  const { standing } = state;
  const family = drawnFamily(table, route);
  const first = hot.routeBackends[route]!;
  const end = hot.routeBackends[route + 1]!;
  const rows: string[] = [`${hot.routePolicy[route]} ${hot.routeRows[route * RouteRow.Length + RouteRow.FlagsAndTrickle]} ${family}`];
  let isServed = false;
  for (let backend = first; backend < end; backend++) {
    const row = backend * 2 + family;
    isServed ||= standing[row] === Standing.Usable;
    rows.push(`${names.backends[backend]!.cluster}:${standing[row]}:${state.keep[row]}`);
  }
  // Only a route that nobody serves asks who served last.
  if (!isServed) for (let backend = first; backend < end; backend++) rows.push(`${state.lastUsable[backend * 2 + family]}`);
  return rows.join(" ");
}

/** @param countries {@link countryClasses} of the route's own partition */
export function servedCountries(table: RoutingTable, route: number, countries: readonly CountryClasses[]): ServedCountries {
  const family = drawnFamily(table, route);
  const plans = table.hot.policyPlans[table.hot.routePolicy[route]!]!;
  const byClass = new Map<number, ReadonlyMap<number, number>>();
  const served = new Map<number, readonly (readonly [number, number])[]>();
  for (const { country, classes } of countries) {
    const shares = new Map<number, number>();
    for (const [cls, part] of classes) {
      const known = byClass.get(cls) ?? classShares(table, route, family, plans + cls);
      byClass.set(cls, known);
      for (const [cluster, share] of known) shares.set(cluster, (shares.get(cluster) ?? 0) + part * share);
    }
    if (shares.size > 0)
      served.set(
        country,
        [...shares].sort((a, b) => b[1] - a[1] || a[0] - b[0]),
      );
  }
  return served;
}

/** Cluster → share of a plan's answers. */
function classShares(table: RoutingTable, route: number, family: 0 | 1, plan: number): ReadonlyMap<number, number> {
  const few = planShares(table, route, family, plan, FEW_TRIES);
  return few.size > 1 ? planShares(table, route, family, plan, TRIES) : few;
}
