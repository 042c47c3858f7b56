/** Plans and ECS scopes of a compiled table, against the rules read one by one and every network inside a prefix enumerated. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type OracleAddress,
  type OraclePlace,
  type OraclePrefix,
  oracleBytes,
  oracleCut,
  oracleIsUniform,
  oraclePlace,
  oraclePrefixClasses,
  oracleScope,
} from "../../test/support/oracle/geo.ts";
import { type OraclePlan, oraclePlan } from "../../test/support/oracle/plan.ts";
import { compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { oracleWorldOf, type RoutingWorld, routingWorld, subnetsOf } from "../../test/support/world/routing-world.ts";
import type { Route } from "../model/inventory.ts";
import { type Choice, newChoice } from "./choose.ts";
import { placeClient } from "./decide.ts";
import type { RoutingTable } from "./table.ts";

function place(table: RoutingTable, route: number, prefix: OraclePrefix): Choice {
  const choice = newChoice();
  placeClient(table, route, { family: prefix.family, bytes: oracleBytes(prefix), length: prefix.length }, choice);
  return choice;
}

/** Backend positions by tier, as the table holds them. */
function tiersOf({ hot }: RoutingTable, plan: number): number[][] {
  return [...hot.planTierIds.subarray(hot.planTiers[plan], hot.planTiers[plan + 1])].map((tier) => [
    ...hot.memberBackend.subarray(hot.tierMembers[tier], hot.tierMembers[tier + 1]),
  ]);
}

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** One route of a world, and both ways to know what a place means to it. */
function sceneOf(world: RoutingWorld, index: number) {
  const { table } = compileTestTable(world.inventory, world.geo.files);
  const spec = world.inventory.routes[index]!;
  const oracle = oracleWorldOf(world, subnetsOf(world));
  const planAt = (at: OraclePlace): OraclePlan => oraclePlan(world.inventory, spec, at, subnetsOf(world));
  const policy = table.hot.routePolicy[index]!;
  const plans = table.partitions[table.hot.policyPartition[policy]!]!.classes;
  const known = Array.from({ length: plans }, (_, i) => JSON.stringify(tiersOf(table, table.hot.policyPlans[policy]! + i)));
  // Ties between classes go to the lower number, so the numbers must be the table's own.
  const classes = new Map<string, number>();
  const classOf = (at: OraclePlace): number => {
    const key = JSON.stringify(at);
    const cls = classes.get(key) ?? known.indexOf(JSON.stringify(planAt(at).tiers));
    classes.set(key, cls);
    return cls;
  };
  const restricted = new Set<number>();
  for (const client of world.clients) {
    const at = oraclePlace(oracle, client);
    if (planAt(at).isRestricted) restricted.add(classOf(at));
  }
  return { table, spec, oracle, planAt, classOf, restricted, planOf: (choice: Choice) => choice.plan - table.hot.policyPlans[policy]! };
}

const stickyLength = (spec: Route, family: 4 | 6): number => (spec.sticky === "None" ? 0 : family === 4 ? 24 : 48);

const some = (clients: readonly OracleAddress[], shift: number, count: number): readonly OracleAddress[] =>
  Array.from({ length: count }, (_, i) => clients[(shift + 3 * i) % clients.length]!);

describe("properties", () => {
  test("an address has the oracle's plan, and the scope is the shortest prefix in which every address has it", () => {
    const seen = new Set<number>();
    fc.assert(
      fc.property(routingWorld, fc.nat(), (world, shift) => {
        const { table, spec, oracle, planAt, classOf } = sceneOf(world, 0);
        for (const client of some(world.clients, shift, 4)) {
          const choice = place(table, 0, { ...client, length: bitsOf(client.family) });
          expect(tiersOf(table, choice.plan)).toEqual(planAt(oraclePlace(oracle, client)).tiers);
          const scope = oracleScope(oracle, client, classOf);
          expect(choice.scope).toBe(Math.max(scope, stickyLength(spec, client.family)));
          seen.add(scope);
        }
      }),
      { numRuns: 35, seed: 6 },
    );
    expect(seen.size).toBeGreaterThan(15); // of the lengths that scopes can have
  });

  test("a short source prefix gets the plan of most of its addresses, or a Require plan if any part is under one", () => {
    fc.assert(
      fc.property(routingWorld, fc.nat(), fc.nat(), (world, shift, seed) => {
        const { table, spec, oracle, planOf, classOf, restricted } = sceneOf(world, 0);
        for (const client of some(world.clients, shift, 4)) {
          const prefix = oracleCut(client, 1 + (seed % (bitsOf(client.family) - 1)));
          const choice = place(table, 0, prefix);
          expect(oraclePrefixClasses(oracle, prefix, classOf, (cls) => restricted.has(cls))).toContain(planOf(choice));
          const scope = oracleScope(oracle, prefix, classOf);
          expect(scope <= prefix.length).toBe(oracleIsUniform(oracle, prefix, classOf)); // longer: the prefix says too little
          expect(choice.scope).toBe(Math.max(scope, stickyLength(spec, client.family)));
        }
      }),
      { numRuns: 30, seed: 6 },
    );
  });

  test("beyond the byte budget plans stay right and scopes stay true", () => {
    fc.assert(
      fc.property(routingWorld, fc.nat(), (world, shift) => {
        const { oracle, planAt, classOf } = sceneOf(world, 0);
        const { table, scopeFallbacks } = compileTestTable(world.inventory, world.geo.files, { scopeBudget: 0 });
        expect(scopeFallbacks).toBe(table.partitions.length);
        for (const client of some(world.clients, shift, 4)) {
          const choice = place(table, 0, { ...client, length: bitsOf(client.family) });
          expect(tiersOf(table, choice.plan)).toEqual(planAt(oraclePlace(oracle, client)).tiers);
          expect(oracleIsUniform(oracle, oracleCut(client, choice.scope), classOf)).toBe(true);
        }
      }),
      { numRuns: 60, seed: 6 },
    );
  });
});
