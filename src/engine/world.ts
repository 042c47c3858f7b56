/** What a table is compiled from, in one step: geo files, inventory and latency map to geo table to routing table. */
import { buildGeoTable } from "../geo/build-geo-table.ts";
import { type Centroids, loadCentroids } from "../geo/country-centroids.ts";
import type { GeoFiles } from "../geo/geo-files.ts";
import type { GeoTable, PlaceNeeds } from "../geo/geo-table.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import { type Compiled, compile } from "../routing/compile.ts";
import type { CompileMemo } from "../routing/compile-memo.ts";
import { measuresOf } from "../routing/measure.ts";
import { placeNeeds, ruleSubnets } from "../routing/policy.ts";
import type { RoutingTable } from "../routing/table.ts";

/** What is being served. */
export interface World {
  readonly inventory: Inventory;
  readonly table: RoutingTable;
  readonly latency: LatencyMap;
}

/** Memory that scopes may take, bytes (see `CompileOptions.scopeBudget`). */
export const SCOPE_BUDGET = 64 << 20;

/** Keeps the newest geo table, which is by far the dearest part, while neither the files nor what policies ask of a place change. */
export interface GeoCache {
  readonly table: (files: GeoFiles, inventory: Inventory) => GeoTable;
}

/** @param more what a place is asked for although no policy needs it */
export function createGeoCache(more: Partial<PlaceNeeds> = {}): GeoCache {
  let centroids: Centroids | undefined;
  let key = "";
  let table: GeoTable | undefined;
  let asked: { readonly files: GeoFiles; readonly routes: Inventory["routes"] } | undefined;

  /** Most changes leave rules and orders alone. */
  const asksTheSame = (files: GeoFiles, routes: Inventory["routes"]): boolean =>
    asked?.files === files &&
    asked.routes.length === routes.length &&
    asked.routes.every((before, i) => {
      const { order, rules } = routes[i]!;
      return before === routes[i] || (before.order === order && before.rules.length === 0 && rules.length === 0);
    });

  return {
    table(files, inventory) {
      if (table !== undefined && asksTheSame(files, inventory.routes)) {
        asked = { files, routes: inventory.routes };
        return table;
      }
      asked = undefined; // until there is a table for it
      const subnets = ruleSubnets(inventory);
      const needs = { ...placeNeeds(inventory), ...more };
      const wanted = JSON.stringify([files.id, needs, subnets]);
      if (table === undefined || wanted !== key) {
        centroids ??= loadCentroids();
        table = buildGeoTable({ trees: files.trees, subnets: subnets.map((text) => parseNetwork(text)!), needs, centroids });
        key = wanted;
      }
      asked = { files, routes: inventory.routes };
      return table;
    },
  };
}

/** True when a geo table that was built for another inventory tells this one's rule networks apart (a saved table may not). */
export const geoSuits = (geo: GeoTable, inventory: Inventory): boolean =>
  JSON.stringify(geo.subnets) === JSON.stringify(ruleSubnets(inventory));

/** @param now milliseconds since the epoch */
export function compileWorld(
  inventory: Inventory,
  geo: GeoTable,
  latency: LatencyMap,
  version: number,
  now: number,
  memo?: CompileMemo,
): Compiled {
  const measures = JSON.stringify([inventory.clusters.map(({ location }) => location), latency.cells, latency.measured]);
  return compile(inventory, geo, measuresOf(inventory.clusters, latency), {
    version,
    builtAt: now,
    scopeBudget: SCOPE_BUDGET,
    ...(memo === undefined ? {} : { memo: { of: memo, measures } }),
  });
}
