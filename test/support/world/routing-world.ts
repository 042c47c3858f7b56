/** Random worlds to decide in: inventories over the random geo data of `geo-world.ts`, and the live half of a table. */
import fc from "fast-check";
import type { Backend, Cluster, Inventory, Route, Rule } from "../../../src/model/inventory.ts";
import { formatNetwork, parseNetwork } from "../../../src/model/ip.ts";
import { type GeoWorld, geoWorld } from "../geo-world.ts";
import { LADDER, type OracleStanding } from "../oracle/decide.ts";
import { type OracleAddress, type OracleWorld, oracleAddress, oraclePrefix, oracleReader } from "../oracle/geo.ts";
import { testCluster, testFailover, testRoute } from "./build-route.ts";
import { TEST_CENTROIDS } from "./compile-test-world.ts";

export interface RoutingWorld {
  readonly geo: GeoWorld;
  readonly inventory: Inventory;
  /** Addresses at which anything changes, and some from nowhere. */
  readonly clients: readonly OracleAddress[];
}

/** What one unit (backend and family) is like at an instant. */
export interface UnitState {
  readonly standing: OracleStanding;
  /** 0..65535. */
  readonly keep: number;
  readonly lastUsable: number;
}

const NAMES = ["dublin", "frankfurt", "berlin", "virginia", "tokyo", "paulo"] as const;

const clusters: fc.Arbitrary<readonly Cluster[]> = fc
  .tuple(
    fc.subarray([...NAMES], { minLength: 3 }),
    fc.array(fc.constantFrom(100, 100, 50, 0), { minLength: NAMES.length, maxLength: NAMES.length }),
  )
  .map(([names, weights]) => names.map((name, i) => testCluster(name, { weight: weights[i]! })));

interface Traits {
  readonly weight: number;
  readonly priority: number;
  readonly bias: number;
  /** Addresses of each family. */
  readonly v4: number;
  readonly v6: number;
}

const traits: fc.Arbitrary<Traits> = fc.record({
  weight: fc.constantFrom(100, 100, 100, 50, 10, 0),
  priority: fc.constantFrom(0, 0, 0, 1),
  bias: fc.constantFrom(0, 0, 0, 50, -50, 99, -99),
  v4: fc.constantFrom(1, 1, 1, 1, 2, 2, 3, 0),
  v6: fc.constantFrom(1, 1, 1, 2, 2, 0),
});

/** Some of the clusters in any order, at times one of them twice. */
const backendsOf = (names: readonly string[]): fc.Arbitrary<readonly Backend[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...names], { minLength: 1 }),
      fc.constantFrom(false, false, true),
      fc.array(traits, { minLength: NAMES.length + 1, maxLength: NAMES.length + 1 }),
    )
    .map(([chosen, again, all]) => (again ? [...chosen, chosen[0]!] : chosen).map((cluster, i) => toBackend(cluster, i, all[i]!)));

const ruleOf = (names: readonly string[], subnets: readonly string[]): fc.Arbitrary<Omit<Rule, "name">> =>
  fc
    .record({
      mode: fc.constantFrom("Require", "Prefer"),
      unknownPlace: fc.constantFrom("Apply", "Skip"),
      to: fc.subarray([...names], { minLength: 1 }),
      clients: fc.oneof(
        fc.subarray(["EU", "NA", "AS"], { minLength: 1 }).map((continents) => ({ continents })),
        fc.subarray(["DE", "US", "JP"], { minLength: 1 }).map((countries) => ({ countries })),
        fc.subarray(["DE-BE", "DE-BY", "US-WA"], { minLength: 1 }).map((subdivisions) => ({ subdivisions })),
        fc.subarray([64500, 64501], { minLength: 1 }).map((asns) => ({ asns })),
        fc.subarray(["192.0.2.0/24", "2001:db8::/32", ...subnets], { minLength: 1 }).map((networks) => ({ subnets: networks })),
        fc.constant({ countries: ["DE"], subnets: ["192.0.2.128/25"] }),
      ),
    })
    .map(({ clients, ...rest }) => ({
      ...rest,
      clients: { continents: [], countries: [], subdivisions: [], asns: [], subnets: [], ...clients },
    }));

const routeOf = (names: readonly string[], subnets: readonly string[]): fc.Arbitrary<Route> =>
  fc
    .record({
      backends: backendsOf(names),
      rules: fc.array(ruleOf(names, subnets), { maxLength: 3 }),
      order: fc.constantFrom("Nearest", "Nearest", "Latency", "Weighted", "Priority"),
      tolerance: fc.constantFrom(0, 0, 600, 8000),
      sticky: fc.constantFrom("None", "ClientSubnet"),
      answers: fc.integer({ min: 1, max: 3 }),
      spread: fc.constantFrom(1, 1, 2, 3),
      families: fc.constantFrom("Common", "Each"),
      whenAllUnhealthy: fc.constantFrom("FailOpen", "HoldLast"),
      tricklePercent: fc.constantFrom(0, 0, 10, 50),
    })
    .map(({ backends, rules, tolerance, whenAllUnhealthy, tricklePercent, ...rest }) =>
      testRoute(backends, {
        ...rest,
        rules: rules.map((rule, i) => ({ name: `rule-${i}`, ...rule })),
        tolerance: toleranceOf(rest.order, tolerance),
        failover: testFailover({ whenAllUnhealthy, tricklePercent }),
      }),
    );

function toBackend(cluster: string, i: number, { v4, v6, ...rest }: Traits): Backend {
  const addresses = [
    ...Array.from({ length: v4 + v6 === 0 ? 1 : v4 }, (_, n) => `203.0.113.${10 * i + n + 1}`),
    ...Array.from({ length: v6 }, (_, n) => `2001:db8:ffff::${i + 1}:${n + 1}`),
  ];
  return { ...rest, cluster, name: `backend-${i}`, addresses };
}

function toleranceOf(order: Route["order"], value: number): Route["tolerance"] {
  if (value === 0) return {};
  return order === "Nearest" ? { distanceKm: value } : order === "Latency" ? { latencyMs: value / 50 } : {};
}

export const routingWorld: fc.Arbitrary<RoutingWorld> = fc.tuple(geoWorld, clusters).chain(([geo, all]) =>
  fc
    .array(
      routeOf(
        all.map(({ name }) => name),
        geo.subnets.map((text) => formatNetwork(parseNetwork(text)!)), // inventories hold canonical text
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((routes) => ({
      geo,
      inventory: {
        routes: routes.map((route, i) => ({ ...route, name: `route-${i}`, hosts: [`route-${i}.example.org`] })),
        clusters: all,
        zones: [],
        overrides: [],
      },
      clients: [...["192.0.2.1", "198.51.100.7", "2001:db8::7", "2001:db9::7"].map(oracleAddress), ...geo.edges],
    })),
);

/** Mostly usable, so that all steps of a decision are met. */
export const unitState: fc.Arbitrary<UnitState> = fc.record({
  standing: fc.oneof({ weight: 2, arbitrary: fc.constant<OracleStanding>("Usable") }, { weight: 3, arbitrary: fc.constantFrom(...LADDER) }),
  keep: fc.constantFrom(65_535, 65_535, 6554, 0, 40_000),
  lastUsable: fc.constantFrom(0, 0, 1000, 2000),
});

/** What the oracle knows of the same world. Its places count the rules' networks by their position in the given list. */
export function oracleWorldOf(world: RoutingWorld, subnets: readonly string[]): OracleWorld {
  return { readers: world.geo.files.map(oracleReader), subnets: subnets.map(oraclePrefix), centroids: TEST_CENTROIDS };
}

/** The networks of all rules, each once. */
export const subnetsOf = ({ inventory }: RoutingWorld): readonly string[] => [
  ...new Set(inventory.routes.flatMap((route) => route.rules.flatMap((rule) => rule.clients.subnets))),
];
