import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type OracleAddress, oracleBytes } from "../../test/support/oracle/geo.ts";
import { oracleSimulate } from "../../test/support/oracle/what-if.ts";
import { testBackend, testCluster, testInventory, testOverride, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { oracleWorldOf, routingWorld, subnetsOf } from "../../test/support/world/routing-world.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { Standing } from "../routing/table.ts";
import type { Clients } from "./clients.ts";
import { listClients } from "./listed-clients.ts";
import { makeSide, type World } from "./side.ts";
import { simulate } from "./simulate.ts";
import type { Simulation } from "./simulation.ts";
import type { SimulationInput } from "./simulation-input.ts";

const NOW = 1_800_000_000_000;

const worldOf = (inventory: Inventory, files: readonly Buffer[] = [COUNTRY_FILE]): World => ({
  inventory,
  table: compileTestTable(inventory, files).table,
  latency: newLatencyMap(),
});

const run = (before: World, clients: Clients, more: Partial<SimulationInput> = {}): Simulation =>
  simulate({
    ...{ before, after: before, clients, outage: { down: [], drain: [] }, sick: new Set<string>() },
    ...{ source: { source: "test", unit: "weight" }, atlas: { homes: [], centroids: TEST_CENTROIDS }, notes: [], now: NOW },
    scenario: { config: "test", down: [], drain: [] },
    ...more,
  }).simulation;

function listed({ table }: World, entries: readonly (readonly [string, number])[]): Clients {
  const clients = listClients(
    table.geo,
    entries.map(([text, weight]) => ({ network: parsePrefix(text)!, weight })),
  );
  if ("tooWide" in clients) throw new Error("too wide");
  return clients;
}

const hostOf = (address: OracleAddress) => ({
  family: address.family,
  bytes: oracleBytes(address),
  length: address.family === 4 ? 32 : 128,
});

describe("against the rules read one by one", () => {
  test("who is served where, who moves, how far, and no rule broken, in any world", () => {
    const seen = { moves: 0, fallOpen: 0, shared: 0, nothing: 0, required: 0 };
    fc.assert(
      fc.property(routingWorld, fc.nat(), fc.constantFrom(1, 2, 6), ({ clients: all, geo, inventory }, shift, outs) => {
        const names = inventory.clusters.map(({ name }) => name);
        const down = names.slice(0, outs);
        const drain = names.slice(outs, outs + (shift % 2));
        const picked = [0, 1, 2, 3, 4, 5].map((i) => all[(shift + 5 * i) % all.length]!);
        const world = worldOf(inventory, geo.files);
        const weights = picked.map((_, i) => 1 + i);
        const clients = listClients(
          world.table.geo,
          picked.map((address, i) => ({ network: hostOf(address), weight: weights[i]! })),
        );
        if ("tooWide" in clients) throw new Error("too wide");
        const result = run(world, clients, { outage: { down, drain } });
        const subnets = subnetsOf({ clients: all, geo, inventory });
        const oracle = oracleWorldOf({ clients: all, geo, inventory }, subnets);
        inventory.routes.forEach((route, i) => {
          const simulated = result.routes[i]!;
          const people = picked.map((address, n) => ({ address, weight: weights[n]! }));
          const expected = oracleSimulate(inventory, route, people, oracle, subnets, { down, drain });
          for (const { cluster, before, after } of simulated.clusters) {
            expect(before.weight).toBeCloseTo(expected.before.get(cluster) ?? 0, 4);
            expect(after.weight).toBeCloseTo(expected.after.get(cluster) ?? 0, 4);
          }
          const moves = new Map(
            simulated.moves.map(({ country, from, to, weight }) => [`${country ?? "?"} ${from.join("+")}>${to.join("+")}`, weight]),
          );
          expect([...moves.keys()].toSorted()).toEqual([...expected.moves.keys()].toSorted());
          for (const [key, weight] of expected.moves) expect(moves.get(key)).toBeCloseTo(weight, 4);
          if (inventory.routes.some(({ order }) => order === "Nearest" || order === "Latency")) {
            // Places have coordinates only then.
            expect(simulated.distanceKm.after.mean).toBeCloseTo(expected.km.after.mean, 0);
            expect(simulated.distanceKm.before.p95).toBeCloseTo(expected.km.before.p95, 0);
          }
          expect(simulated.residency.after).toEqual([]);
          expect(expected.violations).toBe(0);
          seen.moves += expected.moves.size;
          seen.shared += Number(expected.before.size > 1);
          seen.fallOpen += expected.modes.has("Unhealthy") ? 1 : 0;
          seen.nothing += expected.modes.has("Nothing") ? 1 : 0;
          seen.required += route.rules.some(({ mode }) => mode === "Require") ? 1 : 0;
        });
      }),
      { numRuns: 30, seed: 11 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(2);
  });
});
