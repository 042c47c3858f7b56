import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleDecide, oracleSlotHash, oracleSpread } from "../../test/support/oracle/decide.ts";
import { type OracleAddress, oracleBytes, oraclePlace } from "../../test/support/oracle/geo.ts";
import { oraclePlan } from "../../test/support/oracle/plan.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { askOf, setStates } from "../../test/support/world/live-state.ts";
import { oracleWorldOf, routingWorld, subnetsOf, unitState } from "../../test/support/world/routing-world.ts";
import { formatIp, type Network, parsePrefix } from "../model/ip.ts";
import { newChoice } from "./choose.ts";
import { answerShares, decide, findRoute, indexHosts, modeName, placeClient } from "./decide.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable, Standing } from "./table.ts";

const hostNetwork = (address: OracleAddress): Network => ({
  family: address.family,
  bytes: oracleBytes(address),
  length: address.family === 4 ? 32 : 128,
});

/** What a sticky slot depends on: the first 24 bits of an IPv4 client, the first 48 of an IPv6 one. */
const stickyNetwork = ({ family, value }: OracleAddress): readonly number[] =>
  family === 4 ? [Number((value >> 8n) << 8n)] : [Number(value >> 96n), Number((value >> 80n) & 0xffffn)];

const anyStanding = fc.constantFrom(...Object.values(Standing).filter((standing) => standing < Standing.Excluded));

const scene = fc.record({
  world: routingWorld,
  states: fc.array(unitState, { minLength: 3, maxLength: 12 }),
  addresses: fc.array(anyStanding, { minLength: 1, maxLength: 7 }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  shift: fc.nat(),
});

describe("properties, against the rules read one by one", () => {
  test("a decision is the oracle's: backend, tier, mode, clusters and addresses", () => {
    const seen = { decisions: 0, shared: 0, laterTier: 0, several: 0, modes: new Set<string>() };
    fc.assert(
      fc.property(scene, ({ world, states, addresses, random, shift }) => {
        const { table } = compileTestTable(world.inventory, world.geo.files);
        const oracle = oracleWorldOf(world, subnetsOf(world));
        const clients = [0, 1, 2, 3, 4, 5].map((i) => world.clients[(shift + 5 * i) % world.clients.length]!);
        world.inventory.routes.forEach((spec, route) => {
          setStates(table, route, states, addresses);
          for (const client of clients) {
            const plan = oraclePlan(world.inventory, spec, oraclePlace(oracle, client), subnetsOf(world));
            const slotHash =
              spec.sticky === "ClientSubnet" ? oracleSlotHash(stickyNetwork(client), `default/${spec.name}`) : Math.floor(random * 2 ** 32);
            for (const family of [0, 1] as const) {
              if ((table.hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) === 0) continue;
              const ask = askOf(table, route, spec, plan, family, slotHash);
              const expected = oracleDecide(ask);
              const decision = decide(table, route, hostNetwork(client), family, random, 0);
              if (expected === undefined) {
                // Made without this family: no incident, so NODATA. Ruled out or cordoned: SERVFAIL.
                const all = ask.tiers.flat();
                const mode = all.length > 0 && all.every(({ standing }) => standing === "Absent") ? "NotOffered" : "Nothing";
                expect(decision).toMatchObject({ mode, clusters: [], addresses: [] });
                continue;
              }
              expect({
                backend: decision.choice.backend - table.hot.routeBackends[route]!,
                tier: decision.choice.tier,
                mode: decision.mode.replace("FailOpen", ""),
              }).toEqual({ backend: expected.backend.position, tier: expected.tier, mode: expected.mode });
              seen.decisions++;
              seen.modes.add(decision.mode);
              if (plan.tiers[expected.tier]!.length > 1) seen.shared++;
              if (expected.tier > 0) seen.laterTier++;
              if (decision.clusters.length > 1) seen.several++;
              const named = oracleSpread(ask, expected, spec.spread).map(({ position }) => position);
              expect(decision.clusters).toEqual([...new Set(named.map((position) => spec.backends[position]!.cluster))]);
              expect(decision.addresses).toHaveLength(
                named.reduce((sum, position) => sum + Math.min(spec.answers, bestAddresses(table, route, position, family).length), 0),
              );
              const allowed = named.flatMap((position) => bestAddresses(table, route, position, family));
              expect(new Set(decision.addresses).size).toBe(decision.addresses.length);
              for (const address of decision.addresses) expect(allowed).toContain(address);
            }
          }
        });
      }),
      { numRuns: 120, seed: 6 },
    );
    // It has been everywhere.
    expect(seen.modes.size).toBe(6);
    for (const count of [seen.decisions / 4, seen.shared, seen.laterTier, seen.several * 4]) expect(count).toBeGreaterThan(200);
  });
});

/** The addresses of a backend that stand best among their own. */
function bestAddresses({ hot, state, names }: RoutingTable, route: number, position: number, family: 0 | 1): string[] {
  const row = 2 * (hot.routeBackends[route]! + position) + family;
  const numbers = Array.from(
    { length: hot.backendAddresses[row + 1]! - hot.backendAddresses[row]! },
    (_, i) => hot.backendAddresses[row]! + i,
  );
  const best = Math.min(...numbers.map((number) => state.addressStanding[number]!));
  return numbers.filter((number) => state.addressStanding[number] === best).map((number) => names.addresses[number]!);
}

describe("the route of a host", () => {
  const inventory = testInventory([
    testRoute([testBackend("dublin", 1)], { hosts: ["shop.example.org", "*.shop.example.org"] }),
    testRoute([testBackend("dublin", 1)], { name: "wide", hosts: ["*.example.org", "example.com"] }),
  ]);
  const index = indexHosts(compileTestTable(inventory, []).table);
  const cases = [
    { name: "exact", host: "shop.example.org", route: 0 },
    { name: "by a wildcard", host: "eu.shop.example.org", route: 0 },
    { name: "several labels below a wildcard", host: "a.b.shop.example.org", route: 0 },
    { name: "the longest wildcard wins", host: "x.example.org", route: 1 },
    { name: "a wildcard does not hold its own parent", host: "example.org", route: undefined },
    { name: "the second host of a route", host: "example.com", route: 1 },
    { name: "no suffix without a dot", host: "myexample.com", route: undefined },
  ];
  test.each(cases)("$name", ({ host, route }) => expect(findRoute(index, host)).toBe(route));
});

describe("what callers off the hot path are told", () => {
  const tier = [
    testBackend("dublin", 1, { weight: 300 }),
    testBackend("tokyo", 2),
    testBackend("virginia", 3, { addresses: ["192.0.2.3"], weight: 0 }),
  ];
  const world = (more: Parameters<typeof testRoute>[1] = {}) => {
    const { table } = compileTestTable(testInventory([testRoute(tier, { order: "Weighted", ...more })]), [COUNTRY_FILE]);
    everythingUsable(table);
    return table;
  };
  const client = parsePrefix(CLIENTS.DE)!;
  const placedIn = (table: RoutingTable) => {
    const choice = newChoice();
    placeClient(table, 0, client, choice);
    return choice;
  };

  test("shares are the weights, to the slot", () => {
    const { clusters, numbers } = answerShares(world(), 0, 0, placedIn(world()));
    expect(clusters.get("dublin")).toBeCloseTo(0.75, 10);
    expect(clusters.get("tokyo")).toBeCloseTo(0.25, 10);
    expect(numbers.size).toBe(2);
  });

  test("shares below 1/400 are seen", () => {
    const table = compileTestTable(
      testInventory([
        testRoute([testBackend("dublin", 1, { weight: 9999 }), testBackend("tokyo", 2, { weight: 1 })], { order: "Weighted" }),
      ]),
      [COUNTRY_FILE],
    ).table;
    everythingUsable(table);
    expect(answerShares(table, 0, 0, placedIn(table)).clusters.get("tokyo")).toBeCloseTo(7 / 65_536, 10);
  });

  test("an answer that names two clusters counts half for each", () => {
    const table = world({ spread: 2 });
    expect(Object.fromEntries(answerShares(table, 0, 0, placedIn(table)).clusters)).toEqual({
      dublin: expect.closeTo(0.5, 9),
      tokyo: expect.closeTo(0.5, 9),
    });
  });

  test("a family that the route does not offer has no answer: IPv6 is missing at a weighted backend", () => {
    const v4Only = testRoute([testBackend("dublin", 1), testBackend("tokyo", 2, { addresses: ["192.0.2.2"] })]);
    const { table } = compileTestTable(testInventory([v4Only]), [COUNTRY_FILE]);
    everythingUsable(table);
    expect(decide(table, 0, client, 1, 0, 0)).toMatchObject({ mode: "NotOffered", addresses: [], scope: 0 });
    expect(answerShares(table, 0, 1, placedIn(table)).numbers.size).toBe(0);
    expect(decide(table, 0, client, 0, 0, 0)).toMatchObject({ mode: "Usable", clusters: ["dublin"], addresses: ["192.0.2.1"] });
  });

  test("addresses are told in canonical text, of both families", () => {
    expect(decide(world(), 0, client, 1, 0, 0).addresses[0]).toMatch(/^2001:db8::[12]$/);
    expect(formatIp(parsePrefix(decide(world(), 0, client, 0, 0, 0).addresses[0]!)!)).toMatch(/^192\.0\.2\.[12]$/);
  });

  test("every mode has a name, and nothing else does", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(modeName)).toEqual([
      "Usable",
      "Pending",
      "FailOpenUnknown",
      "FailOpenUnhealthy",
      "FailOpenDraining",
      "Held",
      "Nothing",
      "NotOffered",
    ]);
  });
});
