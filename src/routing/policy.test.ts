import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import type { Place } from "../geo/geo-table.ts";
import type { Inventory, Rule } from "../model/inventory.ts";
import { effectiveWeights, matchRule, placeNeeds, policyOf, ruleSubnets } from "./policy.ts";

const clusterIndex = ({ clusters }: Inventory) => new Map(clusters.map(({ name }, i) => [name, i]));
const policyIn = (inventory: Inventory, subnets: readonly string[] = []) =>
  policyOf(inventory.routes[0]!, inventory, clusterIndex(inventory), new Map(subnets.map((subnet, i) => [subnet, i])));

describe("whether a client matches a rule", () => {
  const berlin: Place = { continent: "EU", country: "DE", subdivisions: ["DE-BE"], asn: 64500, subnets: [1] };
  const cases: readonly { name: string; clients: Partial<Rule["clients"]>; place: Place; match: string }[] = [
    { name: "by continent", clients: { continents: ["EU"] }, place: berlin, match: "yes" },
    { name: "by country", clients: { countries: ["FR", "DE"] }, place: berlin, match: "yes" },
    { name: "by subdivision", clients: { subdivisions: ["DE-BE"] }, place: berlin, match: "yes" },
    { name: "by AS number", clients: { asns: [64500] }, place: berlin, match: "yes" },
    { name: "by network", clients: { subnets: ["192.0.2.0/24"] }, place: berlin, match: "yes" },
    { name: "any list is enough", clients: { countries: ["US"], asns: [64500] }, place: berlin, match: "yes" },
    {
      name: "none of them",
      clients: { continents: ["NA"], countries: ["US"], subdivisions: ["DE-BY"], asns: [64501], subnets: ["198.51.100.0/24"] },
      place: berlin,
      match: "no",
    },
    { name: "the continent is unknown", clients: { continents: ["EU"] }, place: {}, match: "unknown" },
    { name: "the country is unknown", clients: { countries: ["DE"] }, place: { continent: "EU" }, match: "unknown" },
    { name: "the AS number is unknown", clients: { asns: [64500] }, place: { country: "DE" }, match: "unknown" },
    {
      name: "the subdivision is unknown, the country could hold it",
      clients: { subdivisions: ["DE-BE"] },
      place: { country: "DE" },
      match: "unknown",
    },
    {
      name: "the subdivision is unknown, but of another country",
      clients: { subdivisions: ["US-WA"] },
      place: { country: "DE" },
      match: "no",
    },
    { name: "nothing is known of the subdivision's country", clients: { subdivisions: ["US-WA"] }, place: {}, match: "unknown" },
    { name: "networks are always known", clients: { subnets: ["198.51.100.0/24"] }, place: {}, match: "no" },
    {
      name: "a match beats what is unknown",
      clients: { countries: ["DE"], subnets: ["192.0.2.0/24"] },
      place: { subnets: [1] },
      match: "yes",
    },
  ];
  test.each(cases)("$name: $match", ({ clients, place, match }) => {
    const inventory = testInventory([testRoute([testBackend("dublin", 1)], { rules: [testRule("one", "Require", clients, ["dublin"])] })]);
    expect(matchRule(policyIn(inventory, ["198.51.100.0/24", "192.0.2.0/24"]).rules[0]!, place)).toBe(match);
  });
});

describe("weights", () => {
  const of = (...rows: readonly { cluster: string; weight: number; priority?: number; clusterWeight?: number }[]) => {
    const backends = rows.map(({ cluster, weight, priority = 0 }, i) => testBackend(cluster, i + 1, { name: `b${i}`, weight, priority }));
    const inventory = testInventory([testRoute(backends)], {
      clusters: rows.map(({ cluster, clusterWeight = 100 }) => testCluster(cluster, { weight: clusterWeight })),
    });
    return {
      weights: policyIn(inventory).members.map(({ weight }) => weight),
      effective: effectiveWeights(inventory.routes[0]!, inventory, clusterIndex(inventory)),
    };
  };
  test("backend and cluster multiply, and nothing is rounded to 0", () => {
    expect(of({ cluster: "dublin", weight: 1, clusterWeight: 1 }, { cluster: "tokyo", weight: 150, clusterWeight: 50 }).weights).toEqual([
      1, 7500,
    ]);
  });
  test("0 beside others is a standby, whichever of the two is 0", () => {
    expect(
      of({ cluster: "dublin", weight: 100 }, { cluster: "tokyo", weight: 0 }, { cluster: "paulo", weight: 100, clusterWeight: 0 }).weights,
    ).toEqual([10_000, 0, 0]);
  });
  test("all 0 are equal, whatever the clusters weigh", () => {
    expect(of({ cluster: "dublin", weight: 0, clusterWeight: 300 }, { cluster: "tokyo", weight: 0 }).weights).toEqual([1, 1]);
    expect(of({ cluster: "dublin", weight: 100, clusterWeight: 0 }, { cluster: "tokyo", weight: 50, clusterWeight: 0 }).weights).toEqual([
      1, 1,
    ]);
  });
  test("all 0 is meant within a priority", () => {
    const { weights, effective } = of(
      { cluster: "dublin", weight: 100 },
      { cluster: "tokyo", weight: 0, priority: 1 },
      { cluster: "paulo", weight: 0 },
    );
    expect(weights).toEqual([10_000, 1, 0]);
    expect(effective).toEqual([10_000, 0, 0]);
  });
});

test("members of one cluster have different hashes, which backends' names do not touch", () => {
  const inventory = (names: readonly string[]) =>
    testInventory([testRoute(names.map((name, i) => testBackend("dublin", i + 1, { name })))]);
  const hashes = (names: readonly string[]) => policyIn(inventory(names)).members.map(({ hash }) => hash);
  expect(new Set(hashes(["blue", "green"])).size).toBe(2);
  expect(hashes(["blue", "green"])).toEqual(hashes(["red", "white"]));
});

test("the networks of all rules, each once, in one order", () => {
  const rule = (subnets: readonly string[]) => testRule("one", "Prefer", { subnets }, ["dublin"]);
  const route = (...subnets: readonly string[]) => testRoute([testBackend("dublin", 1)], { rules: [rule(subnets)] });
  expect(ruleSubnets(testInventory([route("203.0.113.0/24", "192.0.2.0/24"), route("192.0.2.0/24")]))).toEqual([
    "192.0.2.0/24",
    "203.0.113.0/24",
  ]);
});

describe("what a place has to tell", () => {
  const needs = (order: "Nearest" | "Weighted" | "Latency", clients: Partial<Rule["clients"]>) =>
    placeNeeds(testInventory([testRoute([testBackend("dublin", 1)], { order, rules: [testRule("one", "Prefer", clients, ["dublin"])] })]));
  const cases = [
    {
      name: "coordinates for Nearest",
      needs: needs("Nearest", { countries: ["DE"] }),
      is: { subdivision: false, asn: false, coordinates: true },
    },
    {
      name: "coordinates for Latency",
      needs: needs("Latency", { countries: ["DE"] }),
      is: { subdivision: false, asn: false, coordinates: true },
    },
    {
      name: "no coordinates for Weighted",
      needs: needs("Weighted", { subdivisions: ["DE-BE"] }),
      is: { subdivision: true, asn: false, coordinates: false },
    },
    {
      name: "AS numbers when a rule asks",
      needs: needs("Weighted", { asns: [64500] }),
      is: { subdivision: false, asn: true, coordinates: false },
    },
  ];
  test.each(cases)("$name", ({ needs: found, is }) => expect(found).toEqual({ continent: true, country: true, ...is }));
});
