import fc from "fast-check";
import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { Route } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { attempts } from "./attempts.ts";
import { choose, newChoice } from "./choose.ts";
import { placeClient } from "./decide.ts";
import { type RoutingTable, Standing } from "./table.ts";

const names = ["frankfurt", "dublin", "virginia", "tokyo", "paulo"];
const FIVE = names.map((name, i) => testBackend(name, i + 1, { weight: 100 - 15 * i }));

function tableOf(more: Partial<Route>): RoutingTable {
  const { table } = compileTestTable(testInventory([testRoute(FIVE, more)]), [COUNTRY_FILE]);
  everythingUsable(table);
  return table;
}

function chosen(table: RoutingTable, client: string, dice: number) {
  const choice = newChoice();
  placeClient(table, 0, parsePrefix(client)!, choice);
  choose(table, 0, 0, dice, choice);
  return choice;
}

test("the next one is whoever would be chosen if those before were out of service", () => {
  const policies = fc.constantFrom<Partial<Route>>(
    {},
    { order: "Weighted" },
    { order: "Weighted", sticky: "ClientSubnet" },
    { tolerance: { distanceKm: 7000 } },
    { order: "Priority", rules: [testRule("far", "Prefer", { countries: ["DE"] }, ["tokyo", "paulo"])] },
    { rules: [testRule("eu", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"])] },
  );
  const client = fc.constantFrom("198.51.100.1", "198.51.100.65", "198.51.100.97", "203.0.113.1");
  const standing = fc.constantFrom(Standing.Usable, Standing.Usable, Standing.Unhealthy);
  fc.assert(
    fc.property(policies, client, fc.integer(), fc.array(standing, { minLength: 5, maxLength: 5 }), (more, address, dice, standings) => {
      const table = tableOf(more);
      standings.forEach((one, backend) => {
        table.state.standing.fill(one, 2 * backend, 2 * backend + 2);
      });
      const choice = chosen(table, address, dice);
      if (choice.mode !== Standing.Usable) return;
      const into = new Uint32Array(8);
      const order = [...into.subarray(0, attempts(table, 0, choice, into))];
      for (const backend of order) {
        const next = chosen(table, address, dice);
        expect([next.backend, next.mode]).toEqual([backend, Standing.Usable]);
        table.state.standing.fill(Standing.Unhealthy, 2 * backend, 2 * backend + 2);
      }
      expect(chosen(table, address, dice).mode).not.toBe(Standing.Usable); // nobody was left out
    }),
    { numRuns: 100, seed: 3 },
  );
});

test("never more than there is room for, and nothing where nothing may be answered", () => {
  const table = tableOf({});
  const into = new Uint32Array(2);
  expect(attempts(table, 0, chosen(table, "198.51.100.1", 0), into)).toBe(2);
  expect(attempts(table, 0, chosen(table, "198.51.100.1", 0), new Uint32Array(0))).toBe(0);
  expect(attempts(table, 0, newChoice(), into)).toBe(0);
});
