/** A policy: what of a route decides who is sent where, free of names, health and addresses, so that many routes share one. */
import type { Place, PlaceNeeds } from "../geo/geo-table.ts";
import type { Inventory, Route, Rule } from "../model/inventory.ts";
import { hashText } from "./hash.ts";

export interface Policy {
  readonly order: Route["order"];
  /** In the unit of the order (km or ms); 0 = only ties share a tier. */
  readonly tolerance: number;
  readonly rules: readonly PolicyRule[];
  /** Position = position of the backend in its route. */
  readonly members: readonly PolicyMember[];
}

export interface PolicyMember {
  /** Index into the inventory's clusters. */
  readonly cluster: number;
  /** Backend × cluster, both percent, never rounded; 0 = warm standby. Where all of a priority are 0, each is 1. */
  readonly weight: number;
  readonly priority: number;
  readonly bias: number;
  readonly hash: number;
}

export interface PolicyRule extends RuleClients {
  readonly name: string;
  readonly mode: Rule["mode"];
  /** Cluster indices. */
  readonly to: readonly number[];
}

/** What of a rule says whom it is about. */
export interface RuleClients {
  readonly unknownPlace: Rule["unknownPlace"];
  readonly continents: readonly string[];
  readonly countries: readonly string[];
  readonly subdivisions: readonly string[];
  /** Ascending, as are `subnets`: a rule may name a hundred thousand. */
  readonly asns: readonly number[];
  /** Indices into the geo table's subnets. */
  readonly subnets: readonly number[];
}

/** The networks named by any rule, each once, in a stable order: what the geo table is built with. */
export function ruleSubnets(inventory: Inventory): readonly string[] {
  return [...new Set(inventory.routes.flatMap((route) => route.rules.flatMap((rule) => rule.clients.subnets)))].sort();
}

/** Which attributes of a client any route can tell apart. Country and continent are always kept: people read them. */
export function placeNeeds(inventory: Inventory): PlaceNeeds {
  const rules = inventory.routes.flatMap((route) => route.rules);
  return {
    continent: true,
    country: true,
    subdivision: rules.some((rule) => rule.clients.subdivisions.length > 0),
    asn: rules.some((rule) => rule.clients.asns.length > 0),
    coordinates: inventory.routes.some((route) => route.order === "Nearest" || route.order === "Latency"),
  };
}

/**
 * @param clusterIndex name → index in the inventory; every cluster that the route names must be in it
 * @param subnetIndex  CIDR → index in the geo table
 */
export function policyOf(
  route: Route,
  inventory: Inventory,
  clusterIndex: ReadonlyMap<string, number>,
  subnetIndex: ReadonlyMap<string, number>,
): Policy {
  const seen = new Map<string, number>();
  const weights = effectiveWeights(route, inventory, clusterIndex);
  const weighted = new Set(route.backends.filter((_, i) => weights[i]! > 0).map((backend) => backend.priority));
  const members = route.backends.map((backend, i): PolicyMember => {
    const nth = seen.get(backend.cluster) ?? 0; // two backends of one cluster (blue and green) must not own the same slots
    seen.set(backend.cluster, nth + 1);
    return {
      cluster: clusterIndex.get(backend.cluster)!,
      weight: weighted.has(backend.priority) ? weights[i]! : 1, // all weights of a priority 0 = equal (Route 53)
      priority: backend.priority,
      bias: backend.bias,
      hash: hashText(`${backend.cluster}#${nth}`),
    };
  });
  const rules = route.rules.map(
    (rule): PolicyRule => ({
      name: rule.name,
      mode: rule.mode,
      ...ruleClients(rule, subnetIndex),
      to: rule.to.map((name) => clusterIndex.get(name)!),
    }),
  );
  return { order: route.order, tolerance: route.tolerance.distanceKm ?? route.tolerance.latencyMs ?? 0, rules, members };
}

/** @param subnetIndex CIDR → index in the geo table */
export const ruleClients = ({ unknownPlace, clients }: Rule, subnetIndex: ReadonlyMap<string, number>): RuleClients => ({
  unknownPlace,
  continents: clients.continents,
  countries: clients.countries,
  subdivisions: clients.subdivisions,
  asns: clients.asns.toSorted((a, b) => a - b),
  subnets: clients.subnets.map((subnet) => subnetIndex.get(subnet)!).sort((a, b) => a - b),
});

/** By which a member shares its tier with the others, above 0. Standbys share alike; a tier never mixes them with weighted members. */
export const tierWeight = ({ weight }: PolicyMember): number => weight || 1;

/** Backend × cluster, both percent, by position; 0 = warm standby. */
export const effectiveWeights = (route: Route, inventory: Inventory, clusterIndex: ReadonlyMap<string, number>): readonly number[] =>
  route.backends.map((backend) => backend.weight * inventory.clusters[clusterIndex.get(backend.cluster)!]!.weight);

export type Match = "yes" | "no" | "unknown";

/** Whether a client of this place matches a rule. `unknown`: the rule asks for something that is not known of the client. */
export function matchRule(rule: RuleClients, place: Place): Match {
  if (place.continent !== undefined && rule.continents.includes(place.continent)) return "yes";
  if (place.country !== undefined && rule.countries.includes(place.country)) return "yes";
  if (place.subdivisions?.some((code) => rule.subdivisions.includes(code))) return "yes";
  if (place.asn !== undefined && holds(rule.asns, place.asn)) return "yes";
  if (namesNetworkOf(rule, place)) return "yes";
  if (rule.continents.length > 0 && place.continent === undefined) return "unknown";
  if (rule.countries.length > 0 && place.country === undefined) return "unknown";
  if (rule.asns.length > 0 && place.asn === undefined) return "unknown";
  if (place.subdivisions === undefined && rule.subdivisions.some((code) => couldBeIn(code, place.country))) return "unknown";
  return "no";
}

/** Whether a rule names a network that holds a client of this place. */
export const namesNetworkOf = (rule: RuleClients, { subnets }: Place): boolean =>
  subnets?.some((subnet) => holds(rule.subnets, subnet)) ?? false;

/** By halves. */
function holds(ascending: readonly number[], wanted: number): boolean {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === wanted;
}

const couldBeIn = (subdivision: string, country: string | undefined): boolean =>
  country === undefined || subdivision.startsWith(`${country}-`);
