/** What of a route goes into a table whatever the other routes are. Pure. */
import type { Inventory, Route } from "../model/inventory.ts";
import { type Ip, parseIp } from "../model/ip.ts";
import { hashText } from "./hash.ts";
import { effectiveWeights, type Policy, policyOf } from "./policy.ts";
import { FULL, ROUTE_HOLD_LAST, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, ROUTE_STICKY } from "./table.ts";

/** Follows from the route, the clusters' names, order and weights, and the numbers of the geo table's networks. */
export interface RouteFacts {
  readonly policy: Policy;
  /** Equal for equal policies. */
  readonly policyKey: string;
  /** Backend position × 2 + family (0 = IPv4, 1 = IPv6) → addresses that an answer can draw from. */
  readonly addresses: readonly (readonly Address[])[];
  /** As in `HotTable.routeFlags`. */
  readonly flags: number;
  /** 0..65535 share of a serving tier's slots that goes to the next tier. */
  readonly trickle: number;
  /** As in `RouteRow.Seed`. */
  readonly seed: number;
}

export interface Address {
  readonly text: string;
  /** 16, of which IPv4 uses the first four. */
  readonly bytes: Uint8Array;
}

/** Addresses of one backend that an answer can draw from; more would not fit a 1,232-byte UDP answer. */
export const MAX_ADDRESSES = 64;

/** Parameters as of {@link policyOf}. */
export function factsOf(
  route: Route,
  inventory: Inventory,
  clusterIndex: ReadonlyMap<string, number>,
  subnetIndex: ReadonlyMap<string, number>,
): RouteFacts {
  const policy = policyOf(route, inventory, clusterIndex, subnetIndex);
  const parsed = route.backends.map(({ addresses }) => addresses.map((text) => ({ text, ip: parseIp(text) })));
  const addresses = parsed.flatMap((own) => [addressesOf(own, 4), addressesOf(own, 6)]);
  // A host name that nobody could resolve yet may have addresses of both families: an incident must not become NODATA.
  const isUnresolved = parsed.map((own) => own.some(({ ip }) => ip === undefined));
  const has = (backend: number, family: 0 | 1): boolean => addresses[2 * backend + family]!.length > 0 || isUnresolved[backend]!;
  return {
    policy,
    policyKey: JSON.stringify(policy),
    addresses,
    flags: flagsOf(route, effectiveWeights(route, inventory, clusterIndex), has),
    trickle: Math.round((route.failover.tricklePercent / 100) * FULL),
    seed: hashText(`${route.namespace}/${route.name}`) | 0,
  };
}

const addressesOf = (own: readonly { readonly text: string; readonly ip: Ip | undefined }[], family: 4 | 6): readonly Address[] =>
  own.flatMap(({ text, ip }) => (ip?.family === family ? [{ text, bytes: ip.bytes }] : [])).slice(0, MAX_ADDRESSES);

/** @param has whether a backend has addresses of a family, or may have */
function flagsOf(route: Route, weights: readonly number[], has: (backend: number, family: 0 | 1) => boolean): number {
  const all = weights.map((_, i) => i);
  const weighted = all.filter((i) => weights[i]! > 0);
  const common = (family: 0 | 1) => (weighted.length > 0 ? weighted : all).every((i) => has(i, family));
  const some = (family: 0 | 1) => all.some((i) => has(i, family));
  const useCommon = route.families === "Common" && (common(0) || common(1)); // with no common family, each beats none
  const offers = useCommon ? common : some;
  return (
    (route.sticky === "ClientSubnet" ? ROUTE_STICKY : 0) |
    (route.failover.whenAllUnhealthy === "HoldLast" ? ROUTE_HOLD_LAST : 0) |
    (offers(0) ? ROUTE_OFFERS_A : 0) |
    (offers(1) ? ROUTE_OFFERS_AAAA : 0)
  );
}
