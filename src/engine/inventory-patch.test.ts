import fc from "fast-check";
import { expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import type { Inventory } from "../model/inventory.ts";
import { applyInventory, patchInventory } from "./inventory-patch.ts";

const POOL = Array.from({ length: 8 }, (_, i) => testRoute([testBackend("dublin", i)], { name: `route-${i}` }));
const inventories = fc.array(fc.nat(POOL.length - 1), { maxLength: 6 }).map(
  (picks): Inventory =>
    testInventory(
      picks.map((i) => POOL[i]!),
      { clusters: [testCluster("dublin")] },
    ),
);

test("the other side has the same after each step, and keeps the routes that it had", () => {
  fc.assert(
    fc.property(fc.array(inventories, { minLength: 1, maxLength: 5 }), (steps) => {
      let here: Inventory | undefined;
      let there: Inventory | undefined;
      for (const step of steps) {
        const patch: unknown = structuredClone(patchInventory(here, step));
        const before = there;
        there = applyInventory(there, patch as ReturnType<typeof patchInventory>);
        expect(there).toEqual(step);
        for (const [i, route] of step.routes.entries()) {
          if (here?.routes[i] === route) expect(there.routes[i]).toBe(before?.routes[i]);
        }
        here = step;
      }
    }),
  );
});

test("one changed route is all that is told", () => {
  const before = testInventory(POOL);
  const other = testRoute([testBackend("dublin", 9)], { name: "other" });
  const patch = patchInventory(before, { ...before, routes: before.routes.with(3, other) });
  expect(patch).toMatchObject({ kind: "changed", length: POOL.length, routes: [[3, other]] });
});

test("changes without what they changed are refused", () => {
  const before = testInventory(POOL);
  expect(() => applyInventory(undefined, patchInventory(before, before))).toThrow(/without the inventory/);
});
