import fc from "fast-check";
import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { servedBy } from "./served-by.ts";
import { countryClasses, servedCountries, servingKey } from "./served-countries.ts";
import { type RoutingTable, Standing } from "./table.ts";

const CODES = ["BR", "DE", "FR", "IE", "JP", "US"]; // FR is in no file
const positions = new Map(CODES.map((code, i) => [code, i]));
const CLUSTERS = ["dublin", "frankfurt", "virginia", "tokyo"];
const backends = CLUSTERS.map((name, i) => testBackend(name, i + 1));
const world = (more: Parameters<typeof testRoute>[1] = {}): RoutingTable => {
  const { table } = compileTestTable(testInventory([testRoute(backends, more)]), [COUNTRY_FILE]);
  everythingUsable(table);
  return table;
};
const countriesOf = (table: RoutingTable) =>
  countryClasses(table.geo, table.partitions[table.hot.policyPartition[table.hot.routePolicy[0]!]!]!, positions);
const draw = (table: RoutingTable) =>
  Object.fromEntries(
    [...servedCountries(table, 0, countriesOf(table))].map(([country, shares]) => [
      CODES[country]!,
      shares.map(([cluster, share]) => `${table.names.clusters[cluster]} ${Math.round(share * 100)}`).join(" "),
    ]),
  );

test("every country that is known has the clusters that serve it", () => {
  expect(draw(world())).toEqual({ BR: "virginia 100", DE: "frankfurt 100", IE: "dublin 100", JP: "tokyo 100", US: "virginia 100" });
});

test("an outage shows, a Require rule does not leak, and nobody is invented where nobody may answer", () => {
  const table = world({ rules: [testRule("r", "Require", { countries: ["JP"] }, ["dublin"])] });
  table.state.standing.fill(Standing.Excluded, 0, 2);
  table.state.standing.fill(Standing.Unhealthy, 2 * 2, 2 * 2 + 2);
  expect(draw(table)).toEqual({ BR: "frankfurt 100", DE: "frankfurt 100", IE: "frankfurt 100", US: "frankfurt 100" });
});

test("shares of a tier come out within a few percent", () => {
  for (const [, shares] of servedCountries(world({ order: "Weighted" }), 0, countriesOf(world({ order: "Weighted" })))) {
    expect(shares).toHaveLength(4);
    for (const [, share] of shares) expect(Math.abs(share - 0.25)).toBeLessThan(0.04);
  }
});

test("the people that the map adds up to are those of the status", () => {
  const population = new Map([
    ["DE", 80],
    ["IE", 5],
    ["US", 330],
    ["JP", 120],
    ["BR", 210],
  ]);
  const table = world();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4, max: Standing.Draining }), (standings) => {
      standings.forEach((standing, backend) => {
        table.state.standing.fill(standing, backend * 2, backend * 2 + 2);
      });
      const people = new Map<string, number>();
      for (const [country, shares] of servedCountries(table, 0, countriesOf(table))) {
        for (const [cluster, share] of shares) {
          const name = table.names.clusters[cluster]!;
          people.set(name, (people.get(name) ?? 0) + share * population.get(CODES[country]!)!);
        }
      }
      for (const { cluster, population: share } of servedBy(table, 0, 0, population))
        expect(people.get(cluster)! / 745).toBeCloseTo(share, 6);
    }),
    { numRuns: 60 },
  );
});

test("routes of one key are served alike; another standing, share or memory is another key", () => {
  const { table } = compileTestTable(
    testInventory([testRoute(backends, { name: "a" }), testRoute(backends, { name: "b" }), testRoute(backends.slice(1), { name: "c" })]),
    [COUNTRY_FILE],
  );
  everythingUsable(table);
  expect(servingKey(table, 0)).toBe(servingKey(table, 1));
  expect(servingKey(table, 0)).not.toBe(servingKey(table, 2));
  const before = servingKey(table, 1);
  table.state.keep[8] = 1000; // the second route's first backend
  expect(servingKey(table, 1)).not.toBe(before);
  expect(servingKey(table, 0)).toBe(before);
  table.state.standing.fill(Standing.Unhealthy);
  const [one, other] = [servingKey(table, 0), servingKey(table, 1)];
  table.state.lastUsable[0] = 5;
  expect(servingKey(table, 0)).not.toBe(one);
  expect(servingKey(table, 1)).toBe(other);
});
