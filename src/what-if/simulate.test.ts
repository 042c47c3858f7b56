import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type OracleAddress, oracleBytes } from "../../test/support/oracle/geo.ts";
import { oracleSimulate } from "../../test/support/oracle/what-if.ts";
import { testBackend, testInventory, testOverride, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { oracleWorldOf, routingWorld, subnetsOf } from "../../test/support/world/routing-world.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { ms } from "../model/units.ts";
import type { Clients } from "./clients.ts";
import { listClients } from "./listed-clients.ts";
import type { World } from "./side.ts";
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
      { numRuns: 20, seed: 11 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });
});

describe("an outage", () => {
  const names = ["dublin", "frankfurt", "virginia"];
  const route = testRoute(
    names.map((name, i) => testBackend(name, i + 1, { capacity: 100 })),
    { rules: [testRule("gdpr", "Require", { countries: ["DE"] }, ["dublin", "frankfurt"])] },
  );
  const before = worldOf(testInventory([route]));
  const people: readonly (readonly [string, number])[] = [
    [CLIENTS.DE, 80],
    [CLIENTS.IE, 10],
    [CLIENTS.US, 110],
  ];
  const clients = listed(before, people);
  const result = run(before, clients, {
    outage: { down: ["frankfurt"], drain: [] },
    source: { source: "test", unit: "requests/s" },
  });
  const [only] = result.routes;

  test("moves those of the cluster, and nobody else", () => {
    expect(only!.moves).toEqual([{ continent: "EU", country: "DE", from: ["frankfurt"], to: ["dublin"], weight: 80, share: 0.4 }]);
    expect(only!.moved).toEqual({ weight: 80, share: 0.4 });
    expect(only!.modes.after).toEqual({ Usable: { weight: 200, share: 1 } });
    expect(only!.residency).toEqual({ before: [], after: [] });
  });

  test("loads are told against capacity, and what is above it", () => {
    const used = Object.fromEntries(only!.clusters.map(({ cluster, before, after }) => [cluster, [before.utilisation, after.utilisation]]));
    expect(used).toEqual({ dublin: [0.1, 0.9], frankfurt: [0.8, 0], virginia: [1.1, 1.1] });
    expect(result.total.overloaded).toEqual([{ route: "default/shop", cluster: "virginia", utilisation: 1.1 }]);
    expect(result.total.clusters.find(({ cluster }) => cluster === "dublin")).toMatchObject({ capacity: 100, after: { load: 90 } });
  });

  test("old answers last for the TTL that a healthy route publishes", () => {
    // Interval 1 s, fall 3: the next probe in a second, two more half a second apart each; ttl.min is 5.
    expect(only!.stale).toMatchObject({ ttl: 5, curve: [{ seconds: 0, share: 0.4 }, {}, {}, { seconds: 5, share: 0 }] });
    const slow = { ...route, health: { ...route.health, interval: ms(10_000), timeout: ms(800) } };
    const world = worldOf(testInventory([slow]));
    const later = run(world, listed(world, people), { outage: { down: ["frankfurt"], drain: [] } });
    expect(later.routes[0]!.stale.ttl).toBe(20);
  });

  test("with times, each cluster is told at its busiest, and a route's load counts before that of all", () => {
    const row = (country: string, requestsPerSecond: number, time: string) => ({ country, requestsPerSecond, time, route: "" });
    const load = [row("DE", 50, "noon"), row("US", 20, "noon"), row("DE", 10, "night"), row("US", 70, "night"), row("IE", 1, "night")];
    const { routes } = run(before, clients, { load, outage: { down: ["frankfurt"], drain: [] } });
    const told = routes[0]!.clusters.map(({ cluster, after: { load: most, time, utilisation } }) => [cluster, most, time, utilisation]);
    expect(told).toEqual([
      ["dublin", 50, "noon", 0.5],
      ["frankfurt", 0, "noon", 0],
      ["virginia", 70, "night", 0.7],
    ]);
  });

  test("all down: fail-open, and the rule still holds", () => {
    const { routes, total } = run(before, clients, { outage: { down: names, drain: [] } });
    expect(routes[0]!.modes.after).toEqual({ FailOpenUnhealthy: { weight: 200, share: 1 } });
    expect(routes[0]!.moves).toEqual([]);
    expect(total.failOpen.share).toBe(1);
    expect(routes[0]!.residency.after).toEqual([]);
  });

  test("the withdrawal budget is told where it would hold", () => {
    const { routes, notes } = run(before, clients, { outage: { down: ["dublin", "frankfurt", "virginia"].slice(0, 2), drain: [] } });
    // Two of three are within 34 % rounded up; so a tighter route.
    expect(routes[0]!.guardWouldHold).toEqual([]);
    const tight = worldOf(testInventory([{ ...route, rules: [], failover: { ...route.failover, maxWithdrawalPercent: 0 } }]));
    const held = run(tight, clients, { outage: { down: ["dublin", "frankfurt"], drain: [] } });
    expect(held.routes[0]!.guardWouldHold).toEqual(["frankfurt"]);
    expect(held.notes.join()).toContain("would keep frankfurt in service at default/shop");
    expect(notes.join()).not.toContain("withdrawal budget");
    // It is not held in the simulation itself.
    expect(held.routes[0]!.clusters.find(({ cluster }) => cluster === "frankfurt")!.after.weight).toBe(0);
    // An operator's drain costs no budget.
    expect(run(tight, clients, { outage: { down: [], drain: ["dublin", "frankfurt"] } }).routes[0]!.guardWouldHold).toEqual([]);
  });

  test("a backend that an operator forces up stays, and is told", () => {
    const target = { kind: "GlobalRoute", namespace: "default", name: "shop", backend: "frankfurt" } as const;
    const forced = worldOf(testInventory([route], { overrides: [testOverride("ForceUp", target)] }));
    const { routes, notes } = run(forced, clients, { outage: { down: ["frankfurt"], drain: [] } });
    expect(routes[0]!.moved.weight).toBe(0);
    expect(notes.join()).toContain("frankfurt of default/shop stays in service: an override says so");
  });

  test("what is out already is out on both sides", () => {
    const { routes } = run(before, clients, { sick: new Set(["default/shop/frankfurt"]), outage: { down: ["virginia"], drain: [] } });
    expect(routes[0]!.moves).toEqual([{ continent: "NA", country: "US", from: ["virginia"], to: ["dublin"], weight: 110, share: 0.55 }]);
  });

  test("a fault that broke a rule would be seen", () => {
    // The table knows nothing of the rule; the inventory does.
    const lawless = { ...before, table: worldOf(testInventory([{ ...route, rules: [] }])).table };
    const { routes, total } = run(lawless, clients, { outage: { down: ["dublin", "frankfurt"], drain: [] } });
    expect(routes[0]!.residency).toEqual({
      before: [],
      after: [{ rule: "gdpr", cluster: "virginia", country: "DE", weight: 80, share: 0.4 }],
    });
    expect(total.violations.after).toEqual({ weight: 80, share: 0.4 });
  });
});

describe("another configuration", () => {
  const shop = testRoute([testBackend("dublin", 1), testBackend("virginia", 2)]);
  const cart = testRoute([testBackend("dublin", 3)], { name: "cart", hosts: ["cart.example.org"] });
  const before = worldOf(testInventory([shop, cart]));
  const clients = listed(before, [
    [CLIENTS.DE, 60],
    [CLIENTS.US, 40],
  ]);
  const changedTo = (...routes: Inventory["routes"]) => run(before, clients, { after: worldOf(testInventory(routes)) });

  test("the same one changes nothing", () => {
    const { routes, total } = changedTo(shop, cart);
    expect(routes.map(({ changed, moved }) => [changed.weight, moved.weight])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(total.mostChanged).toBe(0);
  });

  test("another address of the same cluster is another answer, and no move", () => {
    const other = { ...shop, backends: [{ ...shop.backends[0]!, addresses: ["192.0.2.9"] }, shop.backends[1]!] };
    const { routes } = changedTo(other, cart);
    expect(routes[0]).toMatchObject({
      moved: { weight: 0 },
      changed: { weight: 60, share: 0.6 },
      changes: [{ country: "DE", from: ["dublin"], to: ["dublin"], weight: 60 }],
    });
  });

  test("clients of a network are told apart by a rule that names it", () => {
    const ruled = { ...shop, rules: [testRule("office", "Prefer", { subnets: ["198.51.100.0/28"] }, ["virginia"])] };
    const { routes } = changedTo(ruled, cart);
    expect(routes[0]!.changes).toEqual([
      { continent: "EU", country: "DE", subnets: ["198.51.100.0/28"], from: ["dublin"], to: ["virginia"], weight: 60, share: 0.6 },
    ]);
  });

  test("routes that come and go", () => {
    const { routes, total } = changedTo(shop, { ...cart, name: "basket", hosts: ["basket.example.org"] });
    expect(routes.map(({ route, presence, changed }) => [route, presence, changed.share])).toEqual([
      ["default/shop", "Both", 0],
      ["default/cart", "Removed", 1],
      ["default/basket", "Added", 1],
    ]);
    expect(routes[1]!.moves[0]).toMatchObject({ from: ["dublin"], to: [] });
    expect(total.changed.share).toBeCloseTo(2 / 3, 6);
  });

  test("shares of a route that is not sticky move by weight, to the slot", () => {
    const even = { ...shop, order: "Weighted" } as const;
    const uneven = { ...even, backends: [{ ...shop.backends[0]!, weight: 300 }, shop.backends[1]!] };
    const { routes } = run(worldOf(testInventory([even])), clients, { after: worldOf(testInventory([uneven])) });
    expect(routes[0]!.moved.share).toBeCloseTo(0.25, 3);
    expect(routes[0]!.clusters.map(({ after }) => after.share)).toEqual([0.75, 0.25]);
  });

  test("a route that becomes sticky gives each client one of its clusters", () => {
    const shared = { ...shop, order: "Weighted" } as const;
    const one = listed(before, [[CLIENTS.DE, 60]]);
    const { routes } = run(worldOf(testInventory([shared])), one, {
      after: worldOf(testInventory([{ ...shared, sticky: "ClientSubnet" }])),
    });
    expect(routes[0]!.clusters.map(({ after }) => after.share).toSorted()).toEqual([0, 1]);
  });

  test("only the routes that were asked for", () =>
    expect(run(before, clients, { only: new Set(["default/cart"]) }).routes.map(({ route }) => route)).toEqual(["default/cart"]));
});
