/** Inventory + geo table → routing table. Pure; runs off the main thread (`src/engine/compile-worker.ts`) while the old table serves. */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { type Ip, parseIp } from "../model/ip.ts";
import { sharedFloat64, sharedInt32, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import { type CompileMemo, createCompileMemo } from "./compile-memo.ts";
import { hashText } from "./hash.ts";
import type { Measures } from "./measure.ts";
import { effectiveWeights, policyOf } from "./policy.ts";
import { PolicyTable } from "./policy-table.ts";
import {
  FULL,
  type HotTable,
  type LiveState,
  ROUTE_HOLD_LAST,
  ROUTE_OFFERS_A,
  ROUTE_OFFERS_AAAA,
  ROUTE_STICKY,
  type RoutingTable,
  Standing,
} from "./table.ts";

export interface CompileOptions {
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly builtAt: number;
  /** Bytes that scopes may take; beyond it further partitions use the leaf's own length as their scope: correct, only narrower. */
  readonly scopeBudget: number;
  /** What earlier compiles left; everything is worked out if not given. */
  readonly memo?: { readonly of: CompileMemo /** Names what `measures` measures by: equal for equal ones. */; readonly measures: string };
}

export interface Compiled {
  readonly table: RoutingTable;
  /** Partitions that did not fit the scope budget. */
  readonly scopeFallbacks: number;
}

/** Addresses of one backend that an answer can draw from; more would not fit a 1,232-byte UDP answer. */
export const MAX_ADDRESSES = 64;

/**
 * @param inventory cross-checked (`buildInventory`), host names among addresses already resolved or absent
 * @param geo       built with `ruleSubnets` and `placeNeeds` of this inventory
 */
export function compile(inventory: Inventory, geo: GeoTable, measures: Measures, options: CompileOptions): Compiled {
  const clusterIndex = new Map(inventory.clusters.map((cluster, i) => [cluster.name, i]));
  const subnetIndex = new Map(geo.subnets.map((subnet, i) => [subnet, i]));
  const memo = (options.memo?.of ?? createCompileMemo()).use(geo, options.memo?.measures ?? "");
  const policies = new PolicyTable(geo, measures, options.scopeBudget, memo);
  const routePolicy = inventory.routes.map((route) => policies.add(policyOf(route, inventory, clusterIndex, subnetIndex)));
  const addresses = collectAddresses(inventory.routes);
  const backendStarts = running(inventory.routes.map((route) => route.backends.length));
  const columns = policies.columns();
  memo.done();
  const flags = inventory.routes.map((route, i) =>
    routeFlags(route, effectiveWeights(route, inventory, clusterIndex), backendStarts[i]!, addresses.starts),
  );
  const hot: HotTable = {
    routeRows: sharedInt32(inventory.routes.flatMap((route, i) => routeRow(route, routePolicy[i]!, columns, backendStarts[i]!, flags[i]!))),
    routePolicy: sharedUint32(routePolicy),
    routeBackends: sharedUint32(backendStarts),
    routeTtlMin: sharedUint32(inventory.routes.map((route) => route.ttl.min)),
    routeTtlMax: sharedUint32(inventory.routes.map((route) => route.ttl.max)),
    routeAnswers: sharedUint16(inventory.routes.map((route) => route.answers)),
    routeSpread: sharedUint16(inventory.routes.map((route) => route.spread)),
    routeFlags: sharedUint8(flags),
    ...columns,
    backendAddresses: sharedUint32(addresses.starts),
    addressBytes: addresses.bytes,
  };
  const backendCount = backendStarts.at(-1)!;
  return {
    table: {
      version: options.version,
      builtAt: options.builtAt,
      geo,
      partitions: policies.partitions,
      hot,
      state: initialState(hot, inventory.routes.length, backendCount),
      names: namesOf(inventory, addresses.texts),
    },
    scopeFallbacks: policies.scopeFallbacks,
  };
}

/** What a table calls things, in the order of its rows. @param addresses as `compile` has collected them */
export function namesOf(inventory: Inventory, addresses: readonly string[]): RoutingTable["names"] {
  const clusterIndex = new Map(inventory.clusters.map((cluster, i) => [cluster.name, i]));
  return {
    clusters: inventory.clusters.map((cluster) => cluster.name),
    routes: inventory.routes.map(({ namespace, name, hosts, zones, alpn }) => ({ namespace, name, hosts, zones, alpn })),
    backends: inventory.routes.flatMap((route) =>
      route.backends.map((backend) => ({ name: backend.name, cluster: clusterIndex.get(backend.cluster)! })),
    ),
    addresses,
  };
}

/** In the order of {@link RouteRow}. */
function routeRow(
  route: Route,
  policy: number,
  { policyPartition, policyPlans }: Pick<HotTable, "policyPartition" | "policyPlans">,
  firstBackend: number,
  flags: number,
): number[] {
  const trickle = Math.round((route.failover.tricklePercent / 100) * FULL);
  return [
    policyPartition[policy]!,
    policyPlans[policy]!,
    firstBackend,
    flags | (trickle << 16),
    route.answers | (route.spread << 16),
    hashText(`${route.namespace}/${route.name}`) | 0,
    route.ttl.min,
    route.ttl.max,
  ];
}

function routeFlags(route: Route, weights: readonly number[], firstBackend: number, addressStarts: readonly number[]): number {
  const has = (backend: number, family: number) => {
    const at = (firstBackend + backend) * 2 + family;
    return addressStarts[at + 1]! > addressStarts[at]! || isUnresolved[backend]!;
  };
  // A host name that nobody could resolve yet may have addresses of both families: an incident must not become NODATA.
  const isUnresolved = route.backends.map(({ addresses }) => addresses.some((address) => parseIp(address) === undefined));
  const all = weights.map((_, i) => i);
  const weighted = all.filter((i) => weights[i]! > 0);
  const common = (family: number) => (weighted.length > 0 ? weighted : all).every((i) => has(i, family));
  const some = (family: number) => all.some((i) => has(i, family));
  const useCommon = route.families === "Common" && (common(0) || common(1)); // with no common family, each beats none
  const offers = useCommon ? common : some;
  return (
    (route.sticky === "ClientSubnet" ? ROUTE_STICKY : 0) |
    (route.failover.whenAllUnhealthy === "HoldLast" ? ROUTE_HOLD_LAST : 0) |
    (offers(0) ? ROUTE_OFFERS_A : 0) |
    (offers(1) ? ROUTE_OFFERS_AAAA : 0)
  );
}

function collectAddresses(routes: readonly Route[]) {
  const starts: number[] = [0];
  const texts: string[] = [];
  const ips: Ip[] = [];
  for (const route of routes) {
    for (const backend of route.backends) {
      const own = backend.addresses.flatMap((text) => {
        const ip = parseIp(text);
        return ip === undefined ? [] : [{ text, ip }];
      });
      for (const family of [4, 6] as const) {
        for (const { text, ip } of own.filter((one) => one.ip.family === family).slice(0, MAX_ADDRESSES)) {
          texts.push(text);
          ips.push(ip);
        }
        starts.push(texts.length);
      }
    }
  }
  const bytes = sharedUint8(16 * ips.length);
  ips.forEach((ip, i) => {
    bytes.set(ip.bytes, 16 * i);
  });
  return { starts, texts, bytes };
}

function initialState(hot: HotTable, routes: number, backends: number): LiveState {
  const standing = sharedUint8(2 * backends);
  for (let i = 0; i < standing.length; i++) {
    standing[i] = hot.backendAddresses[i + 1]! > hot.backendAddresses[i]! ? Standing.Unknown : Standing.Absent;
  }
  const addresses = hot.backendAddresses[2 * backends]!;
  return {
    standing,
    addressStanding: sharedUint8(addresses).fill(Standing.Unknown),
    keep: sharedUint16(2 * backends).fill(FULL),
    lastUsable: sharedFloat64(2 * backends),
    worsensAt: sharedFloat64(2 * backends),
    returnsAt: sharedFloat64(routes).fill(Number.POSITIVE_INFINITY),
    sequence: sharedInt32(1),
  };
}

function running(lengths: readonly number[]): number[] {
  const out = [0];
  for (const length of lengths) out.push(out.at(-1)! + length);
  return out;
}
