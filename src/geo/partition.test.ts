import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GeoWorld, geoWorld, oracleOf } from "../../test/support/geo-world.ts";
import {
  type OracleAddress,
  type OraclePlace,
  oracleBytes,
  oracleCut,
  oraclePrefixClasses,
  oracleScope,
} from "../../test/support/oracle/geo.ts";
import { parseNetwork } from "../model/ip.ts";
import { buildGeoTable } from "./build-geo-table.ts";
import { loadCentroids } from "./country-centroids.ts";
import type { GeoTable } from "./geo-table.ts";
import { leafOfV4, leafOfV6, nodeOfV4, nodeOfV6 } from "./lookup.ts";
import { openMmdb } from "./mmdb-tree.ts";
import { buildPartition, markOfLeaf, type Partition } from "./partition.ts";

const centroids = loadCentroids();
const needs = { continent: true, country: true, subdivision: true, asn: true, coordinates: true };

const leafOf = (geo: GeoTable, address: OracleAddress): number =>
  address.family === 4 ? leafOfV4(geo, Number(address.value)) : leafOfV6(geo, oracleBytes(address), 0);

const nodeOf = (geo: GeoTable, address: OracleAddress, length: number): number =>
  address.family === 4 ? nodeOfV4(geo, Number(address.value), length) : nodeOfV6(geo, oracleBytes(address), 0, length);

const scopeOf = (geo: GeoTable, partition: Partition, address: OracleAddress): number =>
  markOfLeaf(partition, geo, leafOf(geo, address)) & 255;

/** A world, how its places are cut into at most four classes, and which of these are required. */
const cutWorld = fc.record({
  world: geoWorld,
  shuffle: fc.array(fc.nat({ max: 3 }), { minLength: 30, maxLength: 30 }),
  required: fc.array(fc.constantFrom(0, 0, 1), { minLength: 4, maxLength: 4 }),
});

function build({ world, shuffle, required }: { world: GeoWorld; shuffle: readonly number[]; required: readonly number[] }) {
  const geo = buildGeoTable({
    trees: world.files.map((bytes) => openMmdb(bytes, "test.mmdb")),
    subnets: world.subnets.map((text) => parseNetwork(text)!),
    needs,
    centroids,
  });
  const classOfPlace = Uint32Array.from(geo.places, (_, place) => shuffle[place % shuffle.length]!);
  const classes = new Map(geo.places.map((place, number) => [canonical(place), classOfPlace[number]!]));
  return {
    geo,
    oracle: oracleOf(world, centroids),
    classOf: (place: OraclePlace) => classes.get(canonical(place))!,
    partition: buildPartition(geo, classOfPlace, 4, Uint8Array.from(required)),
  };
}

/** Members in the order in which places hold them. */
const canonical = ({ continent, country, subdivisions, asn, latitude, longitude, subnets }: OraclePlace): string =>
  JSON.stringify({ continent, country, subdivisions, asn, latitude, longitude, subnets });

describe("properties, against enumeration of every network inside the prefix", () => {
  test("the scope is the shortest prefix in which every address has the same class", () => {
    fc.assert(
      fc.property(cutWorld, (cut) => {
        const { geo, oracle, classOf, partition } = build(cut);
        for (const address of cut.world.edges.slice(0, 10)) {
          expect(scopeOf(geo, partition, address)).toBe(oracleScope(oracle, address, classOf));
        }
      }),
      { numRuns: 80 },
    );
  });

  test("a prefix that holds several places gets a Require class if any part is in one, else that of most addresses", () => {
    fc.assert(
      fc.property(cutWorld, fc.nat(), (cut, seed) => {
        const { geo, oracle, classOf, partition } = build(cut);
        for (const address of cut.world.edges.slice(0, 20)) {
          const leafLength = geo.leafLength[leafOf(geo, address)]!;
          if (leafLength === 0) continue;
          const prefix = oracleCut(address, seed % leafLength);
          const node = nodeOf(geo, prefix, prefix.length);
          expect(node).toBeGreaterThanOrEqual(0);
          const right = oraclePrefixClasses(oracle, prefix, classOf, (klass) => cut.required[klass] === 1);
          expect(right).toContain(partition.classOfNode[node]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("scopes never overlap: within a scope's prefix every leaf has that scope", () => {
    fc.assert(
      fc.property(cutWorld, (cut) => {
        const { geo, partition } = build(cut);
        for (const address of cut.world.edges) {
          const scope = scopeOf(geo, partition, address);
          const { family, value } = oracleCut(address, scope);
          const last = value + (1n << BigInt((family === 4 ? 32 : 128) - scope)) - 1n;
          for (const at of [value, last]) expect(scopeOf(geo, partition, { family, value: at })).toBe(scope);
        }
      }),
      { numRuns: 100 },
    );
  });
});

const halves = buildGeoTable({ trees: [], subnets: [parseNetwork("128.0.0.0/1")!, parseNetwork("0.0.0.0/2")!], needs, centroids });
// Places in the order in which they are met: 0 unknown (64.0.0.0/2 and all IPv6), then 0.0.0.0/2, then 128.0.0.0/1.
const byPlace = (unknown: number, quarter: number, half: number): Uint32Array =>
  Uint32Array.from(halves.places, ({ subnets }) => (subnets === undefined ? unknown : subnets[0] === 0 ? half : quarter));

const cases: readonly { name: string; classes: Uint32Array; require?: readonly number[]; root: number; scopes: readonly number[] }[] = [
  { name: "one class: scope 0 everywhere", classes: byPlace(0, 0, 0), root: 0, scopes: [0, 0, 0, 0] },
  { name: "most addresses win", classes: byPlace(0, 1, 2), root: 2, scopes: [2, 2, 1, 0] },
  { name: "parts of one class add up, and ties go to the lower class", classes: byPlace(1, 1, 2), root: 1, scopes: [1, 1, 1, 0] },
  { name: "ties go to the lower class, whichever side it is on", classes: byPlace(2, 2, 1), root: 1, scopes: [1, 1, 1, 0] },
  { name: "a Require class wins with a quarter", classes: byPlace(0, 1, 2), require: [1], root: 1, scopes: [2, 2, 1, 0] },
  { name: "of two Require classes the larger wins", classes: byPlace(0, 1, 2), require: [1, 2], root: 2, scopes: [2, 2, 1, 0] },
];
test.each(cases)("$name", ({ classes, require = [], root, scopes }) => {
  const partition = buildPartition(
    halves,
    classes,
    3,
    Uint8Array.from([0, 1, 2], (klass) => Number(require.includes(klass))),
  );
  expect(partition.classOfNode[halves.v4TrieRoot]).toBe(root);
  expect(Array.from(partition.marks, (mark) => mark & 255)).toEqual(scopes);
});
