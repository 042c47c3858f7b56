/**
 * A route's policy as a tree of choices, each of which a provider can make by one policy of records. Free of health, addresses and names.
 * Pure.
 *
 * ```
 * Clients ──► Clients ──► Chain ────────► Near ──► Shares ──► Backend
 * subnets     places      priorities,     order    weights    its addresses
 *                         standbys
 * ```
 * A step with one way to go is left out.
 */

import type { Place } from "../../src/geo/geo-table.ts";
import type { Inventory, Route } from "../../src/model/inventory.ts";
import { awsRegionOf, tellableRules } from "../../src/model/native-policy.ts";
import { type Rank, rankMembers } from "../../src/routing/plan.ts";
import { type Policy, policyOf } from "../../src/routing/policy.ts";
import { type PolicyOf, type SetPolicy, sameValue } from "../record-set.ts";
import { type PlaceClass, placeClasses, subnetClasses, widerClass } from "./client-classes.ts";

export type Node =
  | { readonly kind: "Backend"; readonly member: number }
  | { readonly kind: "Shares"; readonly ways: readonly Way<PolicyOf<"Weighted">>[] }
  | { readonly kind: "Near"; readonly ways: readonly Way<PolicyOf<"GeoProximity" | "Latency">>[] }
  /** The next one serves when nothing of the first is healthy. */
  | { readonly kind: "Chain"; readonly first: Node; readonly next: Node }
  /** By what is known of the client. Health changes nothing here: a rule is never left. */
  | { readonly kind: "Clients"; readonly ways: readonly Way<PolicyOf<"Geo" | "Subnets">>[] };

export interface Way<By extends SetPolicy> {
  readonly by: By;
  readonly to: Node;
}

export type TreeInventory = Pick<Inventory, "clusters">;

/**
 * @param isThere whether a backend, by position, has addresses of the family that the tree is for
 * @returns undefined when some client would have nothing to go to: then nobody can be told from others without leaving a rule
 */
export function treeOf(route: Route, { clusters }: TreeInventory, isThere: (member: number) => boolean): Node | undefined {
  const rules = tellableRules(route.rules);
  const subnets = [...new Set(rules.flatMap(({ clients }) => clients.subnets))].sort();
  const clusterIndex = new Map(clusters.map(({ name }, i) => [name, i]));
  const subnetIndex = new Map(subnets.map((subnet, i) => [subnet, i]));
  const policy = policyOf({ ...route, rules }, { clusters } as Inventory, clusterIndex, subnetIndex);
  const spots = policy.members.map(({ cluster, bias }) => spotOf(clusters[cluster]!, bias));

  const serving = (place: Place): Node | undefined =>
    chain(rankMembers(policy, place).ranks.flatMap((rank) => steps(policy, spots, thereOf(rank, isThere))));
  const classes = placeClasses(rules);
  const byPlace = (within: readonly number[]): Node | undefined => {
    const to = new Map(classes.map((one) => [one, serving({ ...one.place, subnets: within })]));
    const isNeedless = (one: PlaceClass): boolean => {
      const wider = widerClass(classes, one);
      return wider !== undefined && sameValue(to.get(wider), to.get(one));
    };
    const ways = classes.map((one) => ({ by: one.by, to: to.get(one), isNeedless: isNeedless(one) }));
    if (ways.some((way) => way.to === undefined)) return undefined;
    return clientsOf(ways.flatMap((way) => (way.isNeedless ? [] : [{ by: way.by, to: way.to! }])));
  };
  const ways: Way<PolicyOf<"Subnets">>[] = [];
  for (const { subnets: own, within } of subnetClasses(subnets)) {
    const to = byPlace(within);
    if (to === undefined) return undefined;
    const isNeedless = within.length === 1 && sameValue(ways[0]?.to, to); // in no other, and served like everybody else
    if (isNeedless) continue;
    const same = ways.findIndex((way) => way.by.subnets.length > 0 && sameValue(way.to, to));
    if (same < 0) ways.push({ by: { kind: "Subnets", subnets: own }, to });
    else ways[same] = { by: { kind: "Subnets", subnets: [...ways[same]!.by.subnets, ...own].sort() }, to };
  }
  return clientsOf(ways);
}

const thereOf = ({ weighted, standby }: Rank, isThere: (member: number) => boolean): Rank => ({
  weighted: weighted.filter(isThere),
  standby: standby.filter(isThere),
});

/** Where a member is, as a provider is told. */
interface Spot {
  readonly near: PolicyOf<"GeoProximity">;
  readonly region: string | undefined;
}

/** Of degrees the provider takes two decimals: a kilometre. */
const hundredths = (degrees: number): number => Math.round(degrees * 100) / 100;

function spotOf(cluster: Inventory["clusters"][number], bias: number): Spot {
  const { latitude, longitude } = cluster.location;
  return {
    near: { kind: "GeoProximity", latitude: hundredths(latitude), longitude: hundredths(longitude), bias },
    region: awsRegionOf(cluster),
  };
}

/** What one rank is tried by, in order. */
function steps(policy: Policy, spots: readonly Spot[], { weighted, standby }: Rank): readonly Node[] {
  const rest = standby.length === 0 ? [] : [shares(policy, standby)];
  if (weighted.length === 0) return rest;
  if (policy.order === "Weighted") return [shares(policy, weighted), ...rest];
  if (policy.order === "Priority") return [...weighted.map((member): Node => ({ kind: "Backend", member })), ...rest];
  const isFast = policy.order === "Latency" && weighted.every((member) => spots[member]!.region !== undefined);
  const spotted = Map.groupBy(weighted, (member) => JSON.stringify(isFast ? spots[member]!.region : spots[member]!.near));
  const near = Array.from(spotted.values(), (members): Way<PolicyOf<"GeoProximity" | "Latency">> => {
    const spot = spots[members[0]!]!;
    return { by: isFast ? { kind: "Latency", region: spot.region! } : spot.near, to: shares(policy, members) };
  });
  return [near.length === 1 ? near[0]!.to : { kind: "Near", ways: near }, ...rest];
}

/** Weights of a provider are whole numbers up to this. */
const HEAVIEST = 255;

function shares({ members }: Policy, positions: readonly number[]): Node {
  if (positions.length === 1) return { kind: "Backend", member: positions[0]! };
  // Standbys share as if all weighed the same.
  const weights = positions.map((position) => members[position]!.weight || 1);
  const divisor = weights.every(Number.isInteger) ? weights.reduce(greatestCommonDivisor) : 1;
  const heaviest = Math.max(...weights);
  const isExact = weights.every(Number.isInteger) && heaviest / divisor <= HEAVIEST;
  const scaled = weights.map((weight) => (isExact ? weight / divisor : Math.max(1, Math.round((weight / heaviest) * HEAVIEST))));
  return {
    kind: "Shares",
    ways: positions.map((member, i) => ({ by: { kind: "Weighted", weight: scaled[i]! }, to: { kind: "Backend", member } })),
  };
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

function chain(nodes: readonly Node[]): Node | undefined {
  const [first, ...more] = nodes;
  if (first === undefined) return undefined;
  const next = chain(more);
  return next === undefined ? first : { kind: "Chain", first, next };
}

const clientsOf = (ways: readonly Way<PolicyOf<"Geo" | "Subnets">>[]): Node =>
  ways.length === 1 ? ways[0]!.to : { kind: "Clients", ways };
