/** From an inventory and mmdb files to a table, as the engine does it, without threads and files. */
import { buildGeoTable } from "../../../src/geo/build-geo-table.ts";
import type { Centroids } from "../../../src/geo/country-centroids.ts";
import { type LatencyMap, newLatencyMap } from "../../../src/geo/latency-model.ts";
import { openMmdb } from "../../../src/geo/mmdb-tree.ts";
import type { Inventory } from "../../../src/model/inventory.ts";
import { parseNetwork } from "../../../src/model/ip.ts";
import { type Compiled, compile } from "../../../src/routing/compile.ts";
import { type Measures, measuresOf } from "../../../src/routing/measure.ts";
import { placeNeeds, ruleSubnets } from "../../../src/routing/policy.ts";
import { type RoutingTable, Standing } from "../../../src/routing/table.ts";
import { writeMmdb } from "../mmdb-writer.ts";

/** In tenths of degrees, as places hold them. */
export const TEST_CENTROIDS: Centroids = new Map([
  ["DE", { continent: "EU", latitude: 51.1, longitude: 10.2, population: 80 }],
  ["IE", { continent: "EU", latitude: 53.2, longitude: -6.9, population: 5 }],
  ["US", { continent: "NA", latitude: 38.3, longitude: -93.6, population: 330 }],
  ["JP", { continent: "AS", latitude: 35.7, longitude: 138.1, population: 120 }],
  ["BR", { continent: "SA", latitude: -18.6, longitude: -46.3, population: 210 }],
]);

export interface TestTable {
  readonly table: RoutingTable;
  readonly measures: Measures;
  readonly scopeFallbacks: number;
}

export interface TestTableOptions {
  readonly latency?: LatencyMap;
  readonly scopeBudget?: number;
}

/** Every endpoint is Unknown, as after a compile. */
export function compileTestTable(inventory: Inventory, files: readonly Buffer[], options: TestTableOptions = {}): TestTable {
  const geo = buildGeoTable({
    trees: files.map((bytes) => openMmdb(bytes, "test.mmdb")),
    subnets: ruleSubnets(inventory).map((text) => parseNetwork(text)!),
    needs: placeNeeds(inventory),
    centroids: TEST_CENTROIDS,
  });
  const measures = measuresOf(inventory.clusters, options.latency ?? newLatencyMap());
  const compiled: Compiled = compile(inventory, geo, measures, { version: 1, builtAt: 0, scopeBudget: options.scopeBudget ?? 1 << 26 });
  return { table: compiled.table, measures, scopeFallbacks: compiled.scopeFallbacks };
}

/** Everything that has addresses is usable, keeps its clients and was never out. */
export function everythingUsable(table: RoutingTable): void {
  const { standing, addressStanding, worsensAt } = table.state;
  for (let row = 0; row < standing.length; row++) if (standing[row] !== Standing.Absent) standing[row] = Standing.Usable;
  addressStanding.fill(Standing.Usable);
  worsensAt.fill(Number.POSITIVE_INFINITY);
}

/** A country file in which each country of {@link TEST_CENTROIDS} has one network of each family; everything else is unknown. */
export const COUNTRY_FILE: Buffer = writeMmdb([
  ...["DE", "IE", "US", "JP", "BR"].flatMap((country, i) => [
    { network: `198.51.100.${32 * i}/27`, record: { country: { iso_code: country } } },
    { network: `2001:db8:${i}00::/40`, record: { country: { iso_code: country } } },
  ]),
]);

/** One client of each country in {@link COUNTRY_FILE}. */
export const CLIENTS = {
  DE: "198.51.100.1",
  IE: "198.51.100.33",
  US: "198.51.100.65",
  JP: "198.51.100.97",
  BR: "198.51.100.129",
  /** In no file. */
  nowhere: "203.0.113.1",
} as const;
