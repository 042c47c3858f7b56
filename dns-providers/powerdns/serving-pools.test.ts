import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newChoice } from "../../src/routing/choose.ts";
import { answerShares } from "../../src/routing/decide.ts";
import { FULL, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable, Standing } from "../../src/routing/table.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { setStates } from "../../test/support/world/live-state.ts";
import { routingWorld, unitState } from "../../test/support/world/routing-world.ts";
import { bestAddresses, type Pool, poolOf, poolsKey } from "./serving-pools.ts";

const scene = fc.record({
  world: routingWorld,
  states: fc.array(unitState, { minLength: 3, maxLength: 12 }),
  addresses: fc.array(fc.constantFrom(Standing.Usable, Standing.Unhealthy, Standing.Unknown), { minLength: 1, maxLength: 7 }),
});

test("a pool has who is answered, in the shares of answers, whatever is the matter", () => {
  const seen = { pools: 0, Answers: 0, Nothing: 0, NotOffered: 0 };
  fc.assert(
    fc.property(scene, ({ world, states, addresses }) => {
      const routes = world.inventory.routes.map((route) => ({ ...route, spread: 1, sticky: "None" as const }));
      const { table } = compileTestTable({ ...world.inventory, routes }, world.geo.files);
      const { hot, names } = table;
      routes.forEach((_, route) => {
        setStates(table, route, states, addresses);
        const policy = hot.routePolicy[route]!;
        const { classes } = table.partitions[hot.policyPartition[policy]!]!;
        for (let plan = hot.policyPlans[policy]!; plan < hot.policyPlans[policy]! + Math.min(classes, 4); plan++) {
          for (const [family, flag] of [
            [0, ROUTE_OFFERS_A],
            [1, ROUTE_OFFERS_AAAA],
          ] as const) {
            if ((hot.routeFlags[route]! & flag) === 0) continue;
            const pool = poolOf(table, route, family, plan);
            const shares = answerShares(table, route, family, { ...newChoice(), plan });
            seen.pools++;
            seen[pool.kind]++;
            if (pool.kind !== "Answers") {
              expect(shares.clusters.size).toBe(0);
              continue;
            }
            const total = pool.members.reduce((sum, { weight }) => sum + weight, 0);
            const byCluster = new Map<string, number>();
            for (const { weight, position } of pool.members) {
              const cluster = names.clusters[names.backends[hot.routeBackends[route]! + position]!.cluster]!;
              byCluster.set(cluster, (byCluster.get(cluster) ?? 0) + weight / total);
            }
            expect([...byCluster.keys()].sort()).toEqual([...shares.clusters.keys()].sort());
            for (const [cluster, share] of byCluster) expect(Math.abs(share - shares.clusters.get(cluster)!)).toBeLessThan(0.06);
            const texts = new Set([...shares.numbers].map((number) => names.addresses[number]!));
            const all = new Set(pool.members.flatMap(({ position }) => bestAddresses(table, route, family, position)));
            expect([...texts].every((text) => all.has(text))).toBe(true);
          }
        }
      });
    }),
    { numRuns: 150 },
  );
  expect(Math.min(seen.Answers, seen.Nothing)).toBeGreaterThan(5);
});

describe("weights", () => {
  const backends = [
    testBackend("dublin", 1, { weight: 30 }),
    testBackend("tokyo", 2, { weight: 10 }),
    testBackend("virginia", 3, { weight: 60 }),
  ];
  const tableOf = (): RoutingTable => {
    const route = testRoute(backends, { order: "Weighted" });
    const { table } = compileTestTable(testInventory([route]), [COUNTRY_FILE]);
    everythingUsable(table);
    return table;
  };
  /** By position. */
  const weightsOf = (pool: Pool): readonly (readonly [number, number])[] =>
    pool.kind === "Answers" ? pool.members.map(({ weight, position }) => [position, weight] as const) : [];

  test("are those of the objects while nothing ramps, so that who leaves moves nobody else", () => {
    const table = tableOf();
    expect(weightsOf(poolOf(table, 0, 0, 0))).toEqual([
      [0, 3],
      [1, 1],
      [2, 6],
    ]);
    table.state.standing[2] = Standing.Unhealthy;
    expect(weightsOf(poolOf(table, 0, 0, 0))).toEqual([
      [0, 1],
      [2, 2],
    ]);
  });

  test("are counted by slot while something does", () => {
    const table = tableOf();
    table.state.keep[0] = FULL >> 1;
    const weights = weightsOf(poolOf(table, 0, 0, 0));
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    expect(weights[0]![1] / total).toBeCloseTo(0.15, 2);
  });

  test("have another key when anything changes that they follow from", () => {
    const table = tableOf();
    const keys = new Set([poolsKey(table, 0, 0), poolsKey(table, 0, 1)]);
    table.state.keep[0] = FULL >> 1;
    keys.add(poolsKey(table, 0, 0));
    table.state.standing[2] = Standing.Unhealthy;
    keys.add(poolsKey(table, 0, 0));
    expect(keys.size).toBe(4);
  });
});
