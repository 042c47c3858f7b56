/** The whole way on the real default file: what maxmind says of random addresses, and the scopes around them. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  type OracleAddress,
  type OraclePlace,
  type OracleWorld,
  oracleBytes,
  oracleCut,
  oracleIsUniform,
  oracleKm,
  oraclePlace,
  oraclePrefix,
  oracleReader,
} from "../../test/support/oracle/geo.ts";
import { parseNetwork } from "../model/ip.ts";
import { buildGeoTable } from "./build-geo-table.ts";
import { loadCentroids } from "./country-centroids.ts";
import { distanceKm } from "./distance.ts";
import { defaultGeoFile, loadGeoFiles } from "./geo-files.ts";
import type { GeoTable } from "./geo-table.ts";
import { leafOfV4, leafOfV6 } from "./lookup.ts";
import { buildPartition, markOfLeaf, type Partition } from "./partition.ts";

const subnets = ["198.51.100.0/24", "81.2.69.0/24", "2001:db8::/32"];
const sites = [
  [53.35, -6.26],
  [39.04, -77.49],
  [35.68, 139.69],
  [-23.55, -46.63],
] as const;

const nearest = (place: OraclePlace, km: typeof distanceKm): number =>
  place.latitude === undefined || place.longitude === undefined
    ? 0
    : sites
        .map(([latitude, longitude]) => km(place.latitude!, place.longitude!, latitude, longitude))
        .reduce((best, d, i, all) => (d < all[best]! ? i : best), 0);

let geo: GeoTable;
let oracle: OracleWorld;
let partition: Partition;

beforeAll(async () => {
  const centroids = loadCentroids();
  const { trees } = await loadGeoFiles([]);
  const needs = { continent: true, country: true, subdivision: false, asn: false, coordinates: true };
  geo = buildGeoTable({ trees, subnets: subnets.map((text) => parseNetwork(text)!), needs, centroids });
  oracle = { readers: [oracleReader(await readFile(defaultGeoFile()))], subnets: subnets.map(oraclePrefix), centroids };
  partition = buildPartition(
    geo,
    Uint32Array.from(geo.places, (place) => nearest(place, distanceKm)),
    sites.length,
    new Uint8Array(sites.length),
  );
});

const leafOf = (address: OracleAddress): number =>
  address.family === 4 ? leafOfV4(geo, Number(address.value)) : leafOfV6(geo, oracleBytes(address), 0);

function randomAddresses(count: number, family: 4 | 6, seed: number): readonly OracleAddress[] {
  // Allocated IPv6 space is 2000::/3, and little of that: half of the addresses lie in its busiest /12s.
  const v6 = fc
    .tuple(fc.constantFrom(0x2001n, 0x2400n, 0x2600n, 0x2800n, 0x2a00n, 0x2c00n, undefined), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }))
    .map(([busy, value]) => (busy === undefined ? value : (busy << 112n) | (value & ((1n << 116n) - 1n))));
  const v4 = fc.bigInt({ min: 0n, max: 0xffff_ffffn });
  return fc.sample(family === 4 ? v4 : v6, { numRuns: count, seed }).map((value) => ({ family, value }));
}

test.each([
  { family: 4 as const, count: 20_000 },
  { family: 6 as const, count: 5_000 },
])("$count random IPv$family addresses have the place that maxmind tells", ({ family, count }) => {
  const places = new Set<number>();
  for (const address of randomAddresses(count, family, 20260617)) {
    const place = geo.leafPlace[leafOf(address)]!;
    places.add(place);
    expect(geo.places[place]).toEqual(oraclePlace(oracle, address));
  }
  expect(places.size).toBeGreaterThan(30); // the sample is not all nowhere
});

test.each([
  { family: 4 as const, count: 150, widest: 12 },
  { family: 6 as const, count: 60, widest: 24 },
])("scopes of $count random IPv$family addresses are right and as wide as can be", ({ family, count, widest }) => {
  const classOf = (place: OraclePlace) => nearest(place, oracleKm);
  let checked = 0;
  for (const address of randomAddresses(4 * count, family, 7)) {
    const scope = markOfLeaf(partition, geo, leafOf(address)) & 255;
    if (scope < widest || checked === count) continue; // wider ones hold too many networks to enumerate each time
    checked++;
    expect(oracleIsUniform(oracle, oracleCut(address, scope), classOf)).toBe(true);
    expect(oracleIsUniform(oracle, oracleCut(address, scope - 1), classOf)).toBe(false);
  }
  expect(checked).toBeGreaterThan(count / 3);
});

test("rule networks stand out within a country", () => {
  const places = ["81.2.69.160", "81.2.68.160"].map((text) => geo.places[geo.leafPlace[leafOf(oraclePrefix(`${text}/32`))]!]!);
  expect(places).toEqual([expect.objectContaining({ country: "GB", subnets: [1] }), expect.not.objectContaining({ subnets: [1] })]);
});
