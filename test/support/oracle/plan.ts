/**
 * Who may serve a client and in which order (docs/decisions.md), by reading every rule and sorting every candidate. Imports
 * nothing of what it judges.
 */
import type { Backend, Inventory, Route, Rule } from "../../../src/model/inventory.ts";
import { type OraclePlace, oracleKm } from "./geo.ts";

export interface OraclePlan {
  /** Backend positions; best tier first, those of a tier in listed order. */
  readonly tiers: readonly (readonly number[])[];
  /** Effective weight by position; the standbys of one tier weigh 1 each. */
  readonly weights: readonly number[];
  /** True when a Require rule took backends away. */
  readonly isRestricted: boolean;
}

/** Round trips by client continent before anything was measured: access line, and ms for 100 km. */
const LINES: Readonly<Record<string, readonly [number, number]>> = {
  AF: [10, 2.2],
  AN: [10, 2.2],
  AS: [8, 2],
  EU: [5, 1.6],
  NA: [5, 1.6],
  OC: [7, 1.9],
  SA: [8, 2.1],
};

/** @param subnets what `place.subnets` counts */
export function oraclePlan(inventory: Inventory, route: Route, place: OraclePlace, subnets: readonly string[]): OraclePlan {
  const positions = route.backends.map((_, i) => i);
  const backend = (i: number): Backend => route.backends[i]!;
  const product = (i: number): number => backend(i).weight * inventory.clusters.find(({ name }) => name === backend(i).cluster)!.weight;
  const isAllZero = (priority: number) => positions.every((i) => backend(i).priority !== priority || product(i) === 0);
  const weight = (i: number): number => (isAllZero(backend(i).priority) ? 1 : product(i));

  let allowed = positions;
  let prefer: Rule | undefined;
  for (const rule of route.rules) {
    if (!oracleMatches(rule, place, subnets)) continue;
    if (rule.mode === "Require") allowed = allowed.filter((i) => rule.to.includes(backend(i).cluster));
    else prefer ??= rule;
  }

  const groups: number[][] = [];
  const isPreferred = (i: number): boolean => prefer === undefined || prefer.to.includes(backend(i).cluster);
  for (const preferred of [true, false]) {
    for (const priority of [...new Set(positions.map((i) => backend(i).priority))].toSorted((a, b) => a - b)) {
      const same = allowed.filter((i) => isPreferred(i) === preferred && backend(i).priority === priority);
      groups.push(
        ...tiersOf(
          inventory,
          route,
          place,
          same.filter((i) => weight(i) > 0),
        ),
      );
      groups.push(same.filter((i) => weight(i) === 0));
    }
  }
  return {
    tiers: groups.filter((tier) => tier.length > 0),
    weights: positions.map((i) => weight(i) || 1),
    isRestricted: allowed.length < positions.length,
  };
}

function tiersOf(inventory: Inventory, route: Route, place: OraclePlace, positions: readonly number[]): number[][] {
  if (route.order === "Weighted") return [[...positions]];
  if (route.order === "Priority") return positions.map((i) => [i]);
  const { latitude, longitude } = place;
  if (latitude === undefined || longitude === undefined) return [[...positions]];
  const cost = (i: number): number => {
    const { location } = inventory.clusters.find(({ name }) => name === route.backends[i]!.cluster)!;
    const km = oracleKm(latitude, longitude, location.latitude, location.longitude);
    const value = route.order === "Nearest" ? km : milliseconds(place.continent, km);
    const { bias } = route.backends[i]!;
    return bias > 0 ? value * (1 - bias / 100) : value / (1 + bias / 100);
  };
  const tolerance = route.tolerance.distanceKm ?? route.tolerance.latencyMs ?? 0;
  let left = [...positions];
  const tiers: number[][] = [];
  while (left.length > 0) {
    const best = Math.min(...left.map(cost));
    const tier = left.filter((i) => cost(i) <= best + tolerance);
    left = left.filter((i) => !tier.includes(i));
    tiers.push(tier);
  }
  return tiers;
}

function milliseconds(continent: string | undefined, km: number): number {
  const all = Object.values(LINES);
  const mean = (part: 0 | 1): number => all.reduce((sum, line) => sum + line[part], 0) / all.length;
  const [a, f] = (continent === undefined ? undefined : LINES[continent]) ?? [mean(0), mean(1)];
  return a + (f * km) / 100;
}

/** Whether a rule holds for a client of a place. */
export function oracleMatches(rule: Rule, place: OraclePlace, subnets: readonly string[]): boolean {
  const { continents, countries, subdivisions, asns, subnets: networks } = rule.clients;
  const yes =
    (place.continent !== undefined && continents.includes(place.continent)) ||
    (place.country !== undefined && countries.includes(place.country)) ||
    (place.subdivisions ?? []).some((code) => subdivisions.includes(code)) ||
    (place.asn !== undefined && asns.includes(place.asn)) ||
    (place.subnets ?? []).some((index) => networks.includes(subnets[index]!));
  if (yes) return true;
  const possible = subdivisions.filter((code) => place.country === undefined || code.split("-")[0] === place.country);
  const isUnknown =
    (continents.length > 0 && place.continent === undefined) ||
    (countries.length > 0 && place.country === undefined) ||
    (asns.length > 0 && place.asn === undefined) ||
    (possible.length > 0 && place.subdivisions === undefined);
  return isUnknown && rule.unknownPlace === "Apply";
}
