/** Safety rule 9 (docs/safety.md): a Require rule is never left, whatever else happens. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type OraclePrefix, oracleBytes, oracleCut, oracleNetworks, oraclePlace } from "../../test/support/oracle/geo.ts";
import { oraclePlan } from "../../test/support/oracle/plan.ts";
import { compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { HEALTHY, REFUSED, SILENT, UNKNOWN } from "../../test/support/world/health.ts";
import { setStates } from "../../test/support/world/live-state.ts";
import { oracleWorldOf, routingWorld, subnetsOf, unitState } from "../../test/support/world/routing-world.ts";
import type { EndpointHealth } from "../model/health.ts";
import type { Route } from "../model/inventory.ts";
import { ms } from "../model/units.ts";
import { decide } from "./decide.ts";
import { evaluateRoute, NEW_ROUTE } from "./evaluate-route.ts";
import { writeRoute } from "./live-state.ts";
import { Standing } from "./table.ts";

/** A route with everything that sends clients elsewhere: several clusters an answer, trickle, shed, slow start; its first rule is Require. */
function restless(route: Route): Route {
  const [first, ...rest] = route.rules;
  const failback = { mode: "Automatic", after: ms(20_000), slowStart: ms(60_000) } as const;
  return {
    ...route,
    order: route.backends.length % 2 === 0 ? "Weighted" : route.order,
    tolerance: {},
    spread: Math.max(2, route.spread),
    rules: first === undefined ? [] : [{ ...first, mode: "Require" }, ...rest],
    shed: { lowPercent: 50, highPercent: 90 },
    failover: { ...route.failover, tricklePercent: Math.max(10, route.failover.tricklePercent), failback },
  };
}

const health: fc.Arbitrary<EndpointHealth> = fc
  .tuple(fc.constantFrom(HEALTHY, HEALTHY, REFUSED, SILENT, UNKNOWN), fc.constantFrom(undefined, 0.2, 0.7, 1))
  .map(([one, load]) => (load === undefined ? one : { ...one, load }));

/** An instant of an eventful life. */
const moment = fc.record({
  seconds: fc.constantFrom(1, 10, 30, 100),
  health: fc.array(health, { minLength: 1, maxLength: 7 }),
  orders: fc.record({
    draining: fc.constantFrom([], [], ["backend-0"]),
    cordoned: fc.constantFrom([], [], ["backend-1"], ["backend-0", "backend-1", "backend-2"]),
    forcedUp: fc.constantFrom([], [], ["backend-2"]),
    drilled: fc.constantFrom([], ["backend-0"], ["backend-1"]),
    frozen: fc.constantFrom([], [], ["backend-0", "backend-1"]),
  }),
  warming: fc.boolean(),
});

const scene = fc.record({
  world: routingWorld,
  moments: fc.array(moment, { minLength: 2, maxLength: 5 }),
  states: fc.array(unitState, { minLength: 3, maxLength: 9 }),
  randoms: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 2, maxLength: 3 }),
  lengths: fc.array(fc.nat({ max: 128 }), { minLength: 1, maxLength: 4 }),
});

test("no answer to a client or prefix under a Require rule names a cluster that the rule does not allow", () => {
  const seen = { restricted: 0, modes: new Set<string>(), several: 0 };
  fc.assert(
    fc.property(scene, ({ world: drawn, moments, states, randoms, lengths }) => {
      const world = { ...drawn, inventory: { ...drawn.inventory, routes: drawn.inventory.routes.map(restless) } };
      const subnets = subnetsOf(world);
      const oracle = oracleWorldOf(world, subnets);
      const { table } = compileTestTable(world.inventory, world.geo.files);
      const spec = world.inventory.routes[0]!;
      /** What is allowed to each part of a prefix that is under a Require rule. */
      const allowedIn = (prefix: OraclePrefix): ReadonlySet<string>[] => {
        const sets: ReadonlySet<string>[] = [];
        oracleNetworks(oracle, prefix, (network) => {
          const plan = oraclePlan(world.inventory, spec, oraclePlace(oracle, network), subnets);
          if (plan.isRestricted) sets.push(new Set(plan.tiers.flat().map((position) => spec.backends[position]!.cluster)));
          return true;
        });
        return sets;
      };
      const clients = world.clients.slice(0, 12).flatMap((client, i) => {
        const bits = client.family === 4 ? 32 : 128;
        const prefix = oracleCut(client, i % 3 > 0 ? bits : lengths[i % lengths.length]! % (bits + 1));
        const allowed = allowedIn(prefix);
        return allowed.length === 0
          ? []
          : [{ network: { family: prefix.family, bytes: oracleBytes(prefix), length: prefix.length }, allowed }];
      });

      const check = () => {
        for (const { network, allowed } of clients) {
          seen.restricted++;
          for (const family of [0, 1] as const) {
            for (const random of randoms) {
              const { clusters, mode } = decide(table, 0, network, family, random, 0);
              seen.modes.add(mode);
              if (clusters.length > 1) seen.several++;
              // Where parts of a prefix are under different rules, one of them answers for all.
              expect(allowed.some((set) => clusters.every((cluster) => set.has(cluster)))).toBe(true);
            }
          }
        }
      };

      let memory = NEW_ROUTE;
      let now = 1_000_000;
      for (const { seconds, health: all, orders, warming } of moments) {
        now += 1000 * seconds;
        const evaluation = evaluateRoute({
          route: spec,
          memory,
          orders: {
            draining: new Set(orders.draining),
            cordoned: new Set(orders.cordoned),
            forcedUp: new Set(orders.forcedUp),
            drilled: new Set(orders.drilled),
            frozen: new Set(orders.frozen),
            confirmed: new Set(),
            approvedAt: new Map(),
          },
          health: (address) => all[[...address].reduce((sum, character) => sum + character.charCodeAt(0), 0) % all.length]!,
          warming,
          now,
        });
        memory = evaluation.memory;
        writeRoute(table, 0, evaluation);
        check();
      }
      setStates(table, 0, states, [Standing.Usable, Standing.Unhealthy]);
      check();
    }),
    { numRuns: 120, seed: 6 },
  );
  // It has been somewhere: every rung of the ladder, several clusters an answer.
  expect(seen.restricted).toBeGreaterThan(1000);
  expect(seen.several).toBeGreaterThan(100);
  expect([...seen.modes].sort()).toEqual([
    "FailOpenDraining",
    "FailOpenUnhealthy",
    "FailOpenUnknown",
    "Held",
    "NotOffered",
    "Nothing",
    "Pending",
    "Usable",
  ]);
});
