import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GeoWorld, geoWorld, oracleOf } from "../../test/support/geo-world.ts";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import {
  type OracleAddress,
  type OraclePlace,
  oracleAddress,
  oracleBytes,
  oracleNetwork,
  oraclePlace,
} from "../../test/support/oracle/geo.ts";
import { formatIp, parseNetwork } from "../model/ip.ts";
import { buildGeoTable } from "./build-geo-table.ts";
import { loadCentroids } from "./country-centroids.ts";
import type { GeoTable, Place, PlaceNeeds } from "./geo-table.ts";
import { leafOfV4, leafOfV6, nodeOfV4, nodeOfV6 } from "./lookup.ts";
import { openMmdb } from "./mmdb-tree.ts";

const centroids = loadCentroids();
const everything: PlaceNeeds = { continent: true, country: true, subdivision: true, asn: true, coordinates: true };

const build = (world: Pick<GeoWorld, "files" | "subnets">, needs: PlaceNeeds = everything): GeoTable =>
  buildGeoTable({
    trees: world.files.map((bytes) => openMmdb(bytes, "test.mmdb")),
    subnets: world.subnets.map((text) => parseNetwork(text)!),
    needs,
    centroids,
  });

function leafOf(geo: GeoTable, address: OracleAddress): number {
  return address.family === 4 ? leafOfV4(geo, Number(address.value)) : leafOfV6(geo, oracleBytes(address), 0);
}

function nodeOf(geo: GeoTable, address: OracleAddress, length: number): number {
  return address.family === 4 ? nodeOfV4(geo, Number(address.value), length) : nodeOfV6(geo, oracleBytes(address), 0, length);
}

const placeOf = (geo: GeoTable, text: string): Place => geo.places[geo.leafPlace[leafOf(geo, oracleAddress(text))]!]!;

const place = (country_code: string) => ({ country_code });

/** An address near a place where anything changes, or anywhere. */
const probe = fc.tuple(fc.nat(), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.constantFrom(4 as const, 6 as const));
function pick(world: GeoWorld, [index, value, family]: readonly [number, bigint, 4 | 6]): OracleAddress {
  const edge = world.edges[index % (2 * world.edges.length + 1)];
  return edge ?? { family, value: family === 4 ? value >> 96n : value };
}

describe("properties, in worlds of several files, dialects and overlapping rule networks", () => {
  test("every address has the place that maxmind and a linear scan of the rule networks tell", () => {
    fc.assert(
      fc.property(geoWorld, fc.array(probe, { minLength: 10, maxLength: 40 }), (world, probes) => {
        const geo = build(world);
        const oracle = oracleOf(world, centroids);
        for (const address of [...world.edges, ...probes.map((one) => pick(world, one))]) {
          const leaf = leafOf(geo, address);
          expect({ ...geo.places[geo.leafPlace[leaf]!]! }, formatIp({ family: address.family, bytes: oracleBytes(address) })).toEqual(
            oraclePlace(oracle, address),
          );
          // The leaf's network holds at least the address's own, and the trie says the same as the table.
          const length = geo.leafLength[leaf]!;
          expect(length).toBeLessThanOrEqual(oracleNetwork(oracle, address).length);
          const bits = address.family === 4 ? 32 : 128;
          expect(nodeOf(geo, address, bits)).toBe(~leaf);
          expect(nodeOf(geo, address, length)).toBe(~leaf);
          if (length > 0) expect(nodeOf(geo, address, length - 1)).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("the trie is minimal, parents come before children, every leaf is there once", () => {
    fc.assert(
      fc.property(geoWorld, (world) => {
        const { children, leafPlace, leafLength, v4TrieRoot, v6TrieRoot } = build(world);
        const seen = new Set<number>();
        const visit = (at: number, depth: number): void => {
          if (at < 0) {
            expect(seen.has(~at)).toBe(false);
            seen.add(~at);
            expect(leafLength[~at]).toBe(depth);
            return;
          }
          const [left, right] = [children[2 * at]!, children[2 * at + 1]!];
          if (left < 0 && right < 0) expect(leafPlace[~left]).not.toBe(leafPlace[~right]);
          for (const child of [left, right]) if (child >= 0) expect(child).toBeGreaterThan(at);
          visit(left, depth + 1);
          visit(right, depth + 1);
        };
        visit(v4TrieRoot, 0);
        visit(v6TrieRoot, 0);
        expect(seen.size).toBe(leafPlace.length);
      }),
      { numRuns: 100 },
    );
  });

  test("places are distinct, and hold only what is needed", () => {
    const needs = fc.record({
      continent: fc.boolean(),
      country: fc.boolean(),
      subdivision: fc.boolean(),
      asn: fc.boolean(),
      coordinates: fc.boolean(),
    });
    fc.assert(
      fc.property(geoWorld, needs, (world, needed) => {
        const geo = build(world, needed);
        const oracle = oracleOf(world, centroids);
        const cut = (full: OraclePlace): OraclePlace => ({
          ...(needed.continent && full.continent !== undefined && { continent: full.continent }),
          ...(needed.country && full.country !== undefined && { country: full.country }),
          ...(needed.subdivision && full.subdivisions !== undefined && { subdivisions: full.subdivisions }),
          ...(needed.asn && full.asn !== undefined && { asn: full.asn }),
          ...(needed.coordinates && full.latitude !== undefined && { latitude: full.latitude, longitude: full.longitude! }),
          ...(full.subnets !== undefined && { subnets: full.subnets }),
        });
        for (const address of world.edges) {
          expect(geo.places[geo.leafPlace[leafOf(geo, address)]!]).toEqual(cut(oraclePlace(oracle, address)));
        }
        expect(geo.places[0]).toEqual({});
        expect(new Set(geo.places.map((one) => JSON.stringify(one))).size).toBe(geo.places.length);
      }),
      { numRuns: 150 },
    );
  });
});

test("without files and rule networks the whole Internet is the unknown place", () => {
  const geo = build({ files: [], subnets: [] });
  expect(geo.places).toEqual([{}]);
  expect([...geo.leafLength]).toEqual([0, 0]);
  expect([geo.v4TrieRoot, geo.v6TrieRoot]).toEqual([~0, ~1]);
  expect(leafOfV4(geo, 0xc0000201)).toBe(0);
  expect(leafOfV6(geo, new Uint8Array(16), 0)).toBe(1);
});

test("rule networks are told apart where no file covers them", () => {
  const geo = build({ files: [], subnets: ["192.0.2.0/24", "192.0.2.0/25", "2001:db8::/48"] });
  expect(placeOf(geo, "192.0.2.1")).toEqual({ subnets: [0, 1] });
  expect(placeOf(geo, "192.0.2.129")).toEqual({ subnets: [0] });
  expect(placeOf(geo, "2001:db8::1")).toEqual({ subnets: [2] });
  expect(placeOf(geo, "198.51.100.1")).toEqual({});
});

test("the first file that gives a field wins", () => {
  const city = writeMmdb([
    { network: "192.0.2.0/24", record: { country: { iso_code: "DE" }, location: { latitude: 52.52, longitude: 13.4 } } },
  ]);
  const asn = writeMmdb([{ network: "192.0.2.128/25", record: { autonomous_system_number: 64500, country_code: "FR" } }]);
  const berlin = { continent: "EU", country: "DE", latitude: 52.5, longitude: 13.4 };
  expect(placeOf(build({ files: [city, asn], subnets: [] }), "192.0.2.200")).toEqual({ ...berlin, asn: 64500 });
  expect(placeOf(build({ files: [city, asn], subnets: [] }), "192.0.2.1")).toEqual(berlin);
  expect(placeOf(build({ files: [asn, city], subnets: [] }), "192.0.2.200")).toMatchObject({
    country: "FR",
    asn: 64500,
    latitude: centroids.get("FR")!.latitude,
  });
});

test("a version 4 file says nothing of IPv6, not even of addresses that look like its own", () => {
  const geo = build({ files: [writeMmdb([{ network: "32.1.0.0/16", record: place("DE") }], { ipVersion: 4 })], subnets: [] });
  expect(placeOf(geo, "32.1.13.184")).toMatchObject({ country: "DE" });
  expect(placeOf(geo, "2001:db8::1")).toEqual({});
});

describe("the id", () => {
  const file = writeMmdb([{ network: "192.0.2.0/24", record: place("DE") }]);
  const other = writeMmdb([{ network: "192.0.2.0/24", record: place("FR") }]);
  const base = build({ files: [file], subnets: ["192.0.2.0/25"] }).id;
  test("is the same for the same input", () => expect(build({ files: [file], subnets: ["192.0.2.0/25"] }).id).toBe(base));
  test.each([
    { name: "files", id: () => build({ files: [other], subnets: ["192.0.2.0/25"] }).id },
    { name: "rule networks", id: () => build({ files: [file], subnets: ["192.0.2.0/26"] }).id },
    { name: "needs", id: () => build({ files: [file], subnets: ["192.0.2.0/25"] }, { ...everything, asn: false }).id },
  ])("changes with $name", ({ id }) => expect(id()).not.toBe(base));
});

test("all arrays are shared with other threads, not copied", () => {
  const {
    id: _,
    places: __,
    subnets: ___,
    v4TrieRoot: ____,
    v6TrieRoot: _____,
    ...arrays
  } = build({ files: [], subnets: ["192.0.2.0/24"] });
  for (const array of Object.values(arrays)) expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
});
