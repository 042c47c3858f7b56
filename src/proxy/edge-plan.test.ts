/** What a proxy at a place is told is what DNS answers clients there. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBackend, testFailover, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import type { Route } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { newChoice } from "../routing/choose.ts";
import { placeClient } from "../routing/decide.ts";
import { policyOf } from "../routing/policy.ts";
import { planShares } from "../routing/served-by.ts";
import { FULL, type RoutingTable, Standing } from "../routing/table.ts";
import { edgePlan, placeOfLocation } from "./edge-plan.ts";

const names = ["frankfurt", "dublin", "virginia", "tokyo"];
const FOUR = names.map((name, i) => testBackend(name, i + 1, { weight: 100 - 20 * i }));
const CLIENT_DE = "198.51.100.1";
const germany = TEST_CENTROIDS.get("DE")!;
const GERMANY = { label: "", country: "DE", continent: germany.continent, latitude: germany.latitude, longitude: germany.longitude };

function world(route: Route) {
  const inventory = testInventory([route]);
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const policy = policyOf(route, inventory, new Map(inventory.clusters.map(({ name }, i) => [name, i])), new Map());
  const plan = () => edgePlan({ table, route, index: 0, policy, measures, place: placeOfLocation(GERMANY) });
  return { table, plan };
}

/** Clusters that serve, by share of their tier, and all tiers. */
function told({ table, plan }: ReturnType<typeof world>) {
  const { tiers, standing } = plan();
  const serving = tiers.map((tier) => tier.filter(({ endpoints }) => endpoints.some(({ serves }) => serves)));
  const first = serving.find((tier) => tier.length > 0) ?? [];
  const whole = first.reduce((sum, { weight }) => sum + weight, 0);
  return { table, standing, shares: new Map(first.map(({ cluster, weight }) => [cluster, weight / whole])), tiers };
}

/** What DNS does, over all slots. */
function answered(table: RoutingTable): ReadonlyMap<string, number> {
  const choice = newChoice();
  placeClient(table, 0, parsePrefix(CLIENT_DE)!, choice);
  const shares = planShares(table, 0, 0, choice.plan, 4096);
  return new Map([...shares].map(([cluster, share]) => [table.names.clusters[cluster]!, share]));
}

const setStandings = ({ state }: RoutingTable, standings: readonly Standing[]): void =>
  standings.forEach((standing, backend) => {
    state.standing.fill(standing, 2 * backend, 2 * backend + 2);
    state.lastUsable.fill(standing === Standing.Usable ? 0 : 1000 + backend, 2 * backend, 2 * backend + 2);
  });

test("who serves, and by which shares, is what DNS answers, whatever stands how", () => {
  const standing = fc.constantFrom(
    ...[Standing.Usable, Standing.Usable, Standing.Pending, Standing.Unknown, Standing.Unhealthy, Standing.Draining, Standing.Excluded],
  );
  const orders = fc.constantFrom<Partial<Route>>(
    {},
    { order: "Weighted" },
    { order: "Priority" },
    { tolerance: { distanceKm: 2000 } },
    { order: "Weighted", failover: testFailover({ whenAllUnhealthy: "HoldLast" }) },
    { rules: [testRule("eu", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"])] },
    { rules: [testRule("far", "Prefer", { countries: ["DE"] }, ["tokyo"])] },
  );
  let served = 0;
  const isStandby = fc.array(fc.constantFrom(false, false, true), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(orders, fc.array(standing, { minLength: 4, maxLength: 4 }), isStandby, (more, standings, standbys) => {
      const backends = FOUR.map((backend, i) => (standbys[i] ? { ...backend, weight: 0 } : backend));
      const seen = world(testRoute(backends, more));
      setStandings(seen.table, standings);
      const { shares, tiers } = told(seen);
      const dns = answered(seen.table);
      expect(tiers.flat().filter(({ weight }) => !(Number.isInteger(weight) && weight >= 1 && weight <= 1_000_000))).toEqual([]);
      if (shares.size === 0) return; // all that rules allow is cordoned: DNS holds on to what a proxy stops at once
      served++;
      expect([...shares.keys()].sort()).toEqual([...dns.keys()].sort());
      // Slots of those that are out go to others in the order of their scores, which is by weight in the mean.
      for (const [cluster, share] of shares) expect(Math.abs(share - dns.get(cluster)!)).toBeLessThan(0.04);
    }),
    { numRuns: 120, seed: 7 },
  );
  expect(served).toBeGreaterThan(100);
});

test("standbys have shares of their tier, and serve when who has a weight does not", () => {
  const [first, ...standbys] = FOUR;
  const seen = world(testRoute([first!, ...standbys.map((backend) => ({ ...backend, weight: 0 }))]));
  const weights = () => seen.plan().tiers.map((tier) => tier.map(({ weight }) => weight));
  expect(weights()).toEqual([[1_000_000], [333_333, 333_333, 333_333]]);
  setStandings(seen.table, [Standing.Unhealthy, Standing.Usable, Standing.Usable, Standing.Usable]);
  expect([...told(seen).shares]).toEqual(standbys.map(({ cluster }) => [cluster, 1 / 3]));
});

describe("standings of addresses", () => {
  const two = testRoute([
    testBackend("frankfurt", 1, { addresses: ["192.0.2.1", "192.0.2.9"] }),
    testBackend("dublin", 2, { addresses: ["192.0.2.2"] }),
  ]);

  test("of one backend: those that are as good as the best of them serve", () => {
    const { table, plan } = world(two);
    table.state.addressStanding[0] = Standing.Unhealthy;
    expect(plan().tiers[0]![0]!.endpoints).toEqual([
      { address: "192.0.2.1", serves: false },
      { address: "192.0.2.9", serves: true },
    ]);
  });

  test("what ramps has less weight, and never none", () => {
    const { table, plan } = world(testRoute(FOUR, { order: "Weighted" }));
    const weightOf = () => plan().tiers[0]![0]!.weight;
    const whole = weightOf();
    table.state.keep.fill(FULL / 4, 0, 2);
    expect(weightOf() / whole).toBeCloseTo(0.25, 3);
    table.state.keep.fill(0, 0, 2);
    expect(weightOf()).toBe(1);
  });
});

test("a Require rule's others are in no tier, whatever fails", () => {
  const seen = world(testRoute(FOUR, { rules: [testRule("eu", "Require", { countries: ["DE"] }, ["frankfurt"])] }));
  setStandings(seen.table, [Standing.Unhealthy, Standing.Usable, Standing.Usable, Standing.Usable]);
  const { tiers, standing } = seen.plan();
  expect(tiers.flat().map(({ cluster }) => cluster)).toEqual(["frankfurt"]);
  expect(standing).toBe(Standing.Unhealthy);
});
