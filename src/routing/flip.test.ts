/** What a change of health touches: bytes of the live state, and nothing else of a table. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import type { EndpointHealth } from "../model/health.ts";
import { parsePrefix } from "../model/ip.ts";
import { decide } from "./decide.ts";
import { evaluateRoute, NEW_ROUTE, type RouteEvaluation, routeUnits } from "./evaluate-route.ts";
import { writeRoute } from "./live-state.ts";
import { ordersOf } from "./orders.ts";

const NOW = 1_800_000_000_000;
const HEALTHY: EndpointHealth = {
  health: "Healthy",
  since: 0,
  reason: "ok",
  proven: false,
  votes: 1,
  firstSign: 0,
  nextChange: NOW + 10_000,
};

/** Path → digest of every typed array that a value reaches, and of the rest as one text. */
function digests(value: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const sha = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const visit = (path: string, one: unknown): unknown => {
    if (ArrayBuffer.isView(one)) {
      found.set(path, sha(new Uint8Array(one.buffer.slice(one.byteOffset, one.byteOffset + one.byteLength))));
      return undefined;
    }
    if (typeof one !== "object" || one === null) return one;
    return Object.entries(one).map(([key, inner]) => [key, visit(`${path}.${key}`, inner)]);
  };
  found.set("rest", sha(JSON.stringify(visit("table", value))));
  return found;
}

test("a cluster that goes down changes live state alone, and the next decision knows", () => {
  const backends = ["frankfurt", "dublin", "virginia"].map((name, i) => testBackend(name, i + 1));
  const routes = ["a", "b", "c"].map((name) => testRoute(backends, { name, hosts: [`${name}.example.org`] }));
  const inventory = testInventory(routes);
  const { table } = compileTestTable(inventory, [COUNTRY_FILE]);
  const evaluations: RouteEvaluation[] = [];
  const evaluateAll = (down: ReadonlySet<string>, now: number): void => {
    inventory.routes.forEach((route, index) => {
      const evaluation = evaluateRoute({
        route,
        units: routeUnits(route),
        memory: evaluations[index]?.memory ?? NEW_ROUTE,
        orders: ordersOf(route, inventory, now),
        health: (address) => (down.has(address) ? { ...HEALTHY, health: "Unhealthy", reason: "refused", proven: true } : HEALTHY),
        warming: false,
        now,
      });
      evaluations[index] = evaluation;
      writeRoute(table, index, evaluation);
    });
  };
  const served = () => decide(table, 0, parsePrefix(CLIENTS.DE)!, 0, 0.5, NOW).clusters;

  evaluateAll(new Set(), NOW);
  expect(served()).toEqual(["frankfurt"]);
  const before = digests(table);
  evaluateAll(new Set(backends[0]!.addresses), NOW + 1000);
  const after = digests(table);
  expect(served()).toEqual(["dublin"]);

  expect([...after.keys()]).toEqual([...before.keys()]);
  expect(before.size).toBeGreaterThan(30);
  const changed = [...before.keys()].filter((path) => before.get(path) !== after.get(path));
  expect(changed.filter((path) => !path.startsWith("table.state."))).toEqual([]);
  expect(changed).toContain("table.state.standing");
});
