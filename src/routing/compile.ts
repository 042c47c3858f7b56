/** Inventory + geo table → routing table. Pure; runs off the main thread (`src/engine/compile-worker.ts`) while the old table serves. */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { sharedFloat64, sharedInt32, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import { type CompileMemo, createCompileMemo } from "./compile-memo.ts";
import type { Measures } from "./measure.ts";
import { PolicyTable } from "./policy-table.ts";
import { type Address, factsOf, type RouteFacts } from "./route-facts.ts";
import { FULL, type HotTable, type LiveState, RouteRow, type RoutingTable, Standing } from "./table.ts";
import { patchRows, type TableRows, writeRow } from "./table-rows.ts";

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

/**
 * @param inventory cross-checked (`buildInventory`), host names among addresses already resolved or absent
 * @param geo       built with `ruleSubnets` and `placeNeeds` of this inventory
 */
export function compile(inventory: Inventory, geo: GeoTable, measures: Measures, options: CompileOptions): Compiled {
  const { routes, clusters } = inventory;
  const { version, builtAt, scopeBudget } = options;
  const clusterIndex = new Map(clusters.map((cluster, i) => [cluster.name, i]));
  const subnetIndex = new Map(geo.subnets.map((subnet, i) => [subnet, i]));
  const named = JSON.stringify(clusters.map(({ name, weight }) => [name, weight]));
  const inputs = { geo, measures: options.memo?.measures ?? "", clusters: named, scopeBudget };
  const memo = (options.memo?.of ?? createCompileMemo()).use(inputs);
  const factsOfRoute = (route: Route): RouteFacts => memo.facts(route, () => factsOf(route, inventory, clusterIndex, subnetIndex));
  const patched = memo.before && patchRows(memo.before, routes, factsOfRoute);
  const built = patched ?? buildRows(routes, factsOfRoute, new PolicyTable(geo, measures, scopeBudget, memo));
  if (patched === undefined) memo.built(built);
  else memo.patched(patched);
  const { hot, partitions, texts, scopeFallbacks } = built;
  const state = initialState(hot, routes.length, hot.routeBackends[routes.length]!);
  return { table: { version, builtAt, geo, partitions, hot, state, names: memo.names(inventory, texts) }, scopeFallbacks };
}

function buildRows(routes: readonly Route[], factsOfRoute: (route: Route) => RouteFacts, policies: PolicyTable): TableRows {
  const facts = routes.map(factsOfRoute);
  const routePolicy = Uint32Array.from(facts, ({ policy, policyKey }) => policies.add(policy, policyKey));
  const backendStarts = running(routes.map((route) => route.backends.length));
  const addresses = collectAddresses(facts, backendStarts.at(-1)!);
  const columns = policies.columns();
  const hot: HotTable = {
    routeRows: sharedInt32(routes.length * RouteRow.Length),
    routePolicy: sharedUint32(routePolicy),
    routeBackends: sharedUint32(backendStarts),
    routeTtlMin: sharedUint32(routes.length),
    routeTtlMax: sharedUint32(routes.length),
    routeAnswers: sharedUint16(routes.length),
    routeSpread: sharedUint16(routes.length),
    routeFlags: sharedUint8(routes.length),
    ...columns,
    backendAddresses: addresses.starts,
    addressBytes: addresses.bytes,
  };
  for (const [i, route] of routes.entries()) writeRow(hot, i, route, facts[i]!);
  return { routes, facts, hot, partitions: policies.partitions, texts: addresses.texts, scopeFallbacks: policies.scopeFallbacks };
}

/** One backend after the other, IPv4 before IPv6. */
function collectAddresses(facts: readonly RouteFacts[], backends: number) {
  const starts = sharedUint32(2 * backends + 1);
  const all: Address[] = [];
  let unit = 0;
  for (const { addresses } of facts) {
    for (const own of addresses) {
      all.push(...own);
      starts[++unit] = all.length;
    }
  }
  const bytes = sharedUint8(16 * all.length);
  all.forEach((address, i) => {
    bytes.set(address.bytes, 16 * i);
  });
  return { starts, bytes, texts: all.map(({ text }) => text) };
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
    meter: sharedUint16(backends),
    sequence: sharedInt32(1),
  };
}

function running(lengths: readonly number[]): number[] {
  const out = [0];
  for (const length of lengths) out.push(out.at(-1)! + length);
  return out;
}
