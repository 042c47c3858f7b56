import { describe, expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import type { GeoTable } from "../geo/geo-table.ts";
import { leafOfV4, leafOfV6 } from "../geo/lookup.ts";
import type { Home } from "../geo/population.ts";
import { isV6, totalWeight } from "./clients.ts";
import { drawWorld } from "./world-clients.ts";

const HOMES: readonly Home[] = [
  { country: "DE", latitude: 52.5, longitude: 13.4, people: 30 },
  { country: "DE", latitude: 48.1, longitude: 11.6, people: 50 },
  { country: "JP", latitude: 35.7, longitude: 139.7, people: 120 },
  { country: "AQ", latitude: -77.8, longitude: 166.7, people: 1 },
];

const geoOf = (file: Buffer): GeoTable => compileTestTable(testInventory([testRoute([testBackend("dublin", 1)])]), [file]).table.geo;
const countryAt = (geo: GeoTable, leaf: number): string | undefined => geo.places[geo.leafPlace[leaf]!]!.country;

describe("clients of a small world", () => {
  const geo = geoOf(COUNTRY_FILE);
  const { clients, without } = drawWorld(geo, HOMES, 1000, 7);
  const of = (test: (home: Home) => boolean): readonly number[] =>
    Array.from({ length: clients.count }, (_, i) => i).filter((client) => test(HOMES[clients.home[client]!]!));

  test("as many of each country as people live there, who weigh as much together", () => {
    expect(clients.count).toBe(1000);
    const german = of(({ country }) => country === "DE");
    expect(german).toHaveLength(400);
    expect(german.reduce((sum, client) => sum + clients.weight[client]!, 0)).toBeCloseTo(80, 9);
    expect(totalWeight(clients)).toBeCloseTo(200, 9);
  });

  test("their addresses are their country's, spread over all of its networks", () => {
    for (const country of ["DE", "JP"]) {
      const own = of((home) => home.country === country);
      expect(own.every((client) => countryAt(geo, leafOfV4(geo, clients.v4[client]!)) === country)).toBe(true);
      expect(new Set(own.map((client) => clients.v4[client]!)).size).toBe(32); // all of a /27
    }
  });

  test("homes are drawn by people", () => {
    const berlin = of(({ longitude }) => longitude === 13.4).length;
    expect(berlin).toBeGreaterThan(400 * (30 / 80) - 45);
    expect(berlin).toBeLessThan(400 * (30 / 80) + 45);
  });

  test("a country without networks is named", () => expect(without).toEqual(["AQ"]));

  test("the same seed draws the same, another one another", () => {
    expect(drawWorld(geo, HOMES, 1000, 7).clients).toEqual(clients);
    expect(drawWorld(geo, HOMES, 1000, 8).clients.v4).not.toEqual(clients.v4);
  });
});

test("a country that has IPv6 alone is reached by it", () => {
  const geo = geoOf(
    writeMmdb([
      { network: "2001:db8:100::/40", record: { country: { iso_code: "DE" } } },
      { network: "198.51.100.0/24", record: { country: { iso_code: "JP" } } },
    ]),
  );
  const { clients } = drawWorld(geo, HOMES, 50, 1);
  const v6 = Array.from({ length: clients.count }, (_, i) => i).filter((client) => isV6(clients, client));
  expect(v6).toHaveLength(20);
  expect(v6.every((client) => countryAt(geo, leafOfV6(geo, clients.v6, 16 * client)) === "DE")).toBe(true);
  expect(new Set(v6.map((client) => clients.v6.slice(16 * client, 16 * client + 8).join())).size).toBe(20);
});

test("networks with gaps between them: only their own addresses are drawn, and each of them", () => {
  const hosts = ["198.51.100.1", "198.51.100.3", "198.51.100.8", "203.0.113.255"];
  const geo = geoOf(writeMmdb(hosts.map((host) => ({ network: `${host}/32`, record: { country: { iso_code: "JP" } } }))));
  const { clients } = drawWorld(geo, HOMES, 40, 1);
  const drawn = new Set([...clients.v4].map((address) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")));
  expect([...drawn].toSorted()).toEqual(hosts);
});
