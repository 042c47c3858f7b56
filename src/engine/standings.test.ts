import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBackend, testFailover, testInventory, testOverride, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { HEALTHY, REFUSED, SILENT, UNKNOWN } from "../../test/support/world/health.ts";
import type { EndpointHealth, EndpointKey } from "../model/health.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { ms, seconds } from "../model/units.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createTimeline } from "../observe/timeline.ts";
import type { LiveState, RoutingTable } from "../routing/table.ts";
import { Standing } from "../routing/table.ts";
import { indexEndpoints, keyOf } from "./endpoints.ts";
import type { FailoverNotice } from "./failover-notice.ts";
import { createStandings } from "./standings.ts";

const NAMES = ["frankfurt", "dublin", "virginia", "tokyo"];
const START = 1_700_000_000_000;
const compiled = (inventory: Inventory): RoutingTable => compileTestTable(inventory, [COUNTRY_FILE]).table;

/** @param step how far the clock moves with each look at it, ms */
function life(inventory: Inventory, initial: EndpointHealth = HEALTHY, step = 0) {
  const health = new Map<EndpointKey, EndpointHealth>();
  let fault: Error | undefined;
  let at = START;
  const timeline = createTimeline(1000, () => at);
  let memories = 0;
  const metrics = createMetrics();
  const notices: FailoverNotice[] = [];
  const standings = createStandings({
    health(key) {
      const thrown = fault;
      fault = undefined;
      if (thrown !== undefined) throw thrown;
      return health.get(key) ?? initial;
    },
    population: new Map([["DE", 80]]),
    timeline,
    metrics,
    onFailover: (notice) => notices.push(notice),
    now: () => {
      at += step;
      return at;
    },
    onMemory: () => memories++,
  });
  const table = compiled(inventory);
  standings.adopt(inventory, table);
  return {
    standings,
    inventory,
    table,
    health,
    advance: (by: number) => {
      at += by;
    },
    /** The next look at the health of an endpoint fails. */
    failOnce(error: Error) {
      fault = error;
    },
    set(route: Route, address: string, value: EndpointHealth) {
      health.set(keyOf(route, address), value);
      standings.endpointChanged(keyOf(route, address));
    },
    /** Ticks as the engine does. @returns how often */
    settle() {
      for (let ticks = 1; ; ticks++) if (standings.tick() > at || ticks > 10_000) return ticks;
    },
    now: () => at,
    notices,
    failovers: () => timeline.list().flatMap(({ kind, id, details }) => (kind === "Failover" ? [{ id, ...details }] : [])),
    metrics: async () => (await metrics.expose()).split("\n"),
    kinds: () => timeline.list().map(({ kind }) => kind),
    memories: () => memories,
  };
}

const live = ({ standing, addressStanding, keep, lastUsable, worsensAt, returnsAt }: LiveState) =>
  [standing, addressStanding, keep, lastUsable, worsensAt, returnsAt].map((column) => [...column]);

/** Routes that share all of their endpoints. */
const routesOf = (count: number, more: Partial<Route> = {}): readonly Route[] =>
  Array.from({ length: count }, (_, i) =>
    testRoute(
      NAMES.map((name, n) => testBackend(name, n + 1)),
      { name: `shop-${i}`, hosts: [`shop-${i}.example.org`], ...more },
    ),
  );

const healths = fc.record({
  health: fc.constantFrom(HEALTHY, REFUSED, SILENT, UNKNOWN, { ...HEALTHY, votes: 0 }),
  nextChange: fc.integer({ min: 0, max: 20_000 }),
});

test("a probe that only moves deadlines leaves the table as a whole evaluation would", () => {
  const two = NAMES.map((name, n) => testBackend(name, n + 1, n === 0 ? { addresses: ["192.0.2.1", "192.0.2.11", "2001:db8::1"] } : {}));
  const inventory = testInventory([
    testRoute(two, { failover: testFailover({ failback: { mode: "Automatic", after: ms(5000), slowStart: ms(3000) } }) }),
    testRoute(two.slice(1), { name: "other", hosts: ["other.example.org"] }),
  ]);
  const addresses = two.flatMap((backend) => backend.addresses);
  const steps = fc.array(fc.record({ address: fc.constantFrom(...addresses), seen: healths, wait: fc.integer({ min: 0, max: 4000 }) }), {
    maxLength: 25,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const world = life(inventory);
      for (const { address, seen, wait } of all) {
        world.advance(wait);
        world.settle();
        for (const route of inventory.routes) world.set(route, address, { ...seen.health, nextChange: START + seen.nextChange });
        // The next probe finds the same and knows more of the future.
        for (const route of inventory.routes) {
          const key = keyOf(route, address);
          world.health.set(key, { ...seen.health, nextChange: START + 2 * seen.nextChange + 1000 });
          world.standings.endpointObserved(key);
        }
        const quick = live(world.table.state);
        world.standings.adopt(structuredClone(inventory), world.table); // other objects: nothing is taken over
        expect(quick).toEqual(live(world.table.state));
      }
    }),
    { numRuns: 60 },
  );
});

test("routes that share an endpoint all follow it, each told once", () => {
  const routes = routesOf(50);
  const world = life(testInventory(routes));
  world.settle();
  expect(indexEndpoints(testInventory(routes)).endpoints.size).toBe(2 * NAMES.length);
  world.set(routes[0]!, "192.0.2.1", REFUSED);
  for (let route = 0; route < 50; route++) expect(world.table.state.standing[2 * NAMES.length * route]).toBe(Standing.Unhealthy);
  expect(world.kinds().filter((kind) => kind === "Failover")).toHaveLength(50);
});

test("much work is done in parts, and every part goes on where the last one stopped", () => {
  const routes = routesOf(200);
  const inventory = testInventory(routes);
  const world = life(inventory, HEALTHY, 1); // each look at the clock costs a millisecond
  world.settle();
  const drained = { ...inventory, overrides: [testOverride("Drain", { kind: "MemberCluster", name: "frankfurt" })] };
  world.standings.adopt(drained, world.table);
  const drainedRoutes = () => routes.filter((_, i) => world.table.state.standing[2 * NAMES.length * i] === Standing.Draining).length;
  expect(drainedRoutes()).toBe(0);
  world.standings.tick();
  const first = drainedRoutes();
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(50);
  expect(world.settle()).toBeGreaterThan(5);
  expect(drainedRoutes()).toBe(200);
});

test("ramps of more routes than fit into a part leave no route behind", () => {
  const failover = testFailover({ failback: { mode: "Automatic", after: ms(1000), slowStart: ms(1000) } });
  const routes = routesOf(100, { failover });
  const world = life(testInventory(routes), HEALTHY, 1);
  world.settle();
  for (const address of ["192.0.2.1", "2001:db8::1"]) world.set(routes[0]!, address, REFUSED);
  for (const address of ["192.0.2.1", "2001:db8::1"]) world.set(routes[0]!, address, HEALTHY);
  for (let i = 0; i < 400; i++) {
    world.advance(10);
    world.standings.tick();
  }
  expect(new Set(world.table.state.keep)).toEqual(new Set([0xffff]));
  expect(new Set(world.table.state.standing)).toEqual(new Set([Standing.Usable]));
});

test("what is remembered is of the routes that there are, and no more", () => {
  const [first, second] = [testInventory(routesOf(3)), testInventory(routesOf(2, { namespace: "other" }))];
  const world = life(first);
  expect([...world.standings.memory().keys()]).toEqual(["default/shop-0", "default/shop-1", "default/shop-2"]);
  world.standings.adopt(second, compiled(second));
  expect([...world.standings.memory().keys()]).toEqual(["other/shop-0", "other/shop-1"]);
  expect(world.standings.evaluation("default/shop-0")).toBeUndefined();
  world.standings.endpointChanged(keyOf(first.routes[0]!, "192.0.2.1"));
});

test("memory is written when standings change, not with every probe", () => {
  const routes = routesOf(1);
  const world = life(testInventory(routes));
  world.settle();
  const before = world.memories();
  for (let i = 0; i < 100; i++) world.standings.endpointObserved(keyOf(routes[0]!, "192.0.2.1"));
  expect(world.memories()).toBe(before);
  world.set(routes[0]!, "192.0.2.1", REFUSED);
  expect(world.memories()).toBe(before + 1);
});

test("routes that stay the same objects are taken over into the next table as a whole evaluation would write them", () => {
  const step = fc.record({
    flips: fc.array(fc.record({ address: fc.integer({ min: 1, max: 4 }), health: healths }), { maxLength: 4 }),
    passes: fc.integer({ min: 0, max: 12_000 }),
    untold: fc.integer({ min: 0, max: 5_000 }),
    changed: fc.array(fc.nat(5), { maxLength: 2 }),
    left: fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
    drained: fc.option(fc.constantFrom(...NAMES), { freq: 6, nil: undefined }),
    ordered: fc.option(fc.constantFrom(...NAMES), { freq: 6, nil: undefined }),
  });
  fc.assert(
    fc.property(fc.constantFrom(HEALTHY, UNKNOWN), fc.array(step, { minLength: 1, maxLength: 6 }), (initial, steps) => {
      let routes = Array.from({ length: 6 }, (_, i) =>
        testRoute(
          NAMES.slice(0, 1 + (i % 4)).map((name, n) => testBackend(name, n + 1)),
          {
            name: `shop-${i}`,
            hosts: [`shop-${i}.example.org`],
            failover: testFailover({ failback: { mode: "Automatic", after: ms(2000), slowStart: ms(0) } }),
          },
        ),
      );
      const first = testInventory(routes);
      const [kept, anew] = [life(first, initial), life(structuredClone(first), initial)];
      let clusters = first.clusters;
      for (const { flips, passes, untold, changed, left, drained, ordered } of steps) {
        for (const one of [kept, anew]) {
          one.advance(passes);
          one.settle();
          for (const { address, health } of flips)
            one.set(routes[3]!, `192.0.2.${address}`, { ...health.health, nextChange: START + health.nextChange });
        }
        routes = routes.map((route, i) =>
          changed.includes(i) ? { ...route, ttl: { ...route.ttl, max: seconds(route.ttl.max + 1) } } : route,
        );
        if (drained !== undefined) clusters = clusters.map((one) => (one.name === drained ? { ...one, state: "Draining" as const } : one));
        const overrides = ordered === undefined ? [] : [testOverride("Cordon", { kind: "MemberCluster", name: ordered })];
        for (const one of [kept, anew]) one.advance(untold); // and no tick before the next table
        const served = [...new Set(left)].map((i) => routes[i]!);
        const inventory: Inventory = { ...first, routes: served, clusters, overrides };
        const [table, expected] = [compiled(inventory), compiled(inventory)];
        kept.standings.adopt(inventory, table);
        anew.standings.adopt(structuredClone(inventory), expected);
        expect(live(table.state)).toEqual(live(expected.state));
        kept.settle();
        anew.settle();
        expect(live(table.state)).toEqual(live(expected.state));
        expect([kept.standings.isDesperate(), kept.standings.holdsWithdrawals()]).toEqual([
          anew.standings.isDesperate(),
          anew.standings.holdsWithdrawals(),
        ]);
      }
    }),
    { numRuns: 60 },
  );
});

test("a next table tells of the routes that changed, and of all when clusters did", () => {
  const [shop, blog] = routesOf(2) as [Route, Route];
  const inventory = testInventory([shop, blog]);
  const { standings } = life(inventory);
  const told: string[] = [];
  standings.watch((route) => told.push(route));
  const adopt = (next: Inventory): readonly string[] => {
    told.length = 0;
    standings.adopt(next, compiled(next));
    return [...told];
  };
  const changed = { ...inventory, routes: [shop, { ...blog, answers: 2 }] };
  expect(adopt(changed)).toEqual(["default/shop-1"]);
  expect(adopt({ ...changed, clusters: changed.clusters.map((cluster) => ({ ...cluster, weight: 50 })) })).toEqual(["all"]);
});

test("what stood still because a table could not be taken over moves again when the next one is", () => {
  const first = testInventory(routesOf(2));
  const { standings, health, failOnce, advance, settle } = life(first);
  advance(100_000);
  settle();
  const next = { ...first, routes: routesOf(2, { answers: 2 }) };
  failOnce(new Error("a bug"));
  expect(() => standings.adopt(next, compiled(next))).toThrow("a bug");
  const table = compiled(next);
  standings.adopt(next, table);
  settle();
  expect(new Set(table.state.standing)).toEqual(new Set([Standing.Usable]));
  const last = next.routes[1]!;
  const [address = ""] = last.backends[0]!.addresses;
  health.set(keyOf(last, address), REFUSED);
  standings.endpointChanged(keyOf(last, address));
  expect(standings.evaluation("default/shop-1")?.backends[0]?.standing).toContain(Standing.Unhealthy);
});

describe("the legs of a failover", () => {
  const returning = (seconds: number) => testFailover({ failback: { mode: "Automatic", after: ms(seconds * 1000), slowStart: ms(0) } });
  const backends = NAMES.map((name, n) => testBackend(name, n + 1, { addresses: [`192.0.2.${n + 1}`] }));
  const shop = testRoute(backends, { failover: returning(60) });
  const setFrankfurt = (
    world: ReturnType<typeof life>,
    health: EndpointHealth,
    at: { readonly firstSign: number; readonly since: number },
  ) => world.set(shop, "192.0.2.1", { ...health, ...at });
  /** In steps: nobody looking for longer would be a process that stood still. */
  function pass(world: ReturnType<typeof life>, time: number) {
    for (let left = time; left > 0; left -= 5000) {
      world.advance(Math.min(left, 5000));
      world.settle();
    }
  }
  function started() {
    const world = life(testInventory([shop]));
    world.settle();
    world.advance(100_000);
    return world;
  }

  test("an outage is detected from its first failed probe to the verdict, and decided when the table says so", async () => {
    const world = started();
    setFrankfurt(world, REFUSED, { firstSign: world.now() - 2500, since: world.now() - 40 });
    expect(world.failovers()).toEqual([
      {
        ...{ id: expect.any(Number), from: "frankfurt", to: "dublin", reason: "refused", cause: "probes" },
        ...{ detectSeconds: 2.46, decideSeconds: 0.04, seconds: 2.5 },
      },
    ]);
    expect(await world.metrics()).toEqual(
      expect.arrayContaining([
        'globalroute_failover_leg_seconds_sum{leg="detect",via=""} 2.46',
        'globalroute_failover_leg_seconds_sum{leg="decide",via=""} 0.04',
        "globalroute_failover_duration_seconds_sum 2.5",
        'globalroute_failovers_total{from="frankfurt",to="dublin",reason="refused"} 1',
      ]),
    );
  });

  test("who is told of it learns which clients can show it, and which addresses they must not get any more", () => {
    const world = started();
    setFrankfurt(world, REFUSED, { firstSign: world.now() - 2500, since: world.now() });
    const [notice] = world.notices;
    expect(notice).toMatchObject({ event: world.failovers()[0]!.id, from: "frankfurt", to: "dublin", beganAt: world.now() - 2500 });
    expect(notice).toMatchObject({ backend: "frankfurt", returned: [] });
    expect(notice?.sample).toMatchObject({ route: 0, family: 4, gone: ["192.0.2.1"], isForAll: true });
    // Germany's people are the most who moved.
    const place = world.table.geo.places.findIndex(({ country }) => country === "DE");
    expect(world.table.partitions[0]!.classOfPlace[place]).toBe(notice?.sample?.class);
  });

  test("a return has no detection, is decided from the end of its wait, and shows at those alone who went back", () => {
    const world = started();
    setFrankfurt(world, REFUSED, { firstSign: world.now(), since: world.now() });
    world.advance(5000);
    setFrankfurt(world, HEALTHY, { firstSign: world.now() - 1000, since: world.now() });
    pass(world, 59_000);
    world.advance(1250); // a quarter of a second after the wait
    world.settle();
    const [, back] = world.failovers();
    expect(back).toMatchObject({ from: "dublin", to: "frankfurt", reason: "failback", cause: "failback", decideSeconds: 0.25 });
    expect(back).not.toHaveProperty("detectSeconds");
    expect(back).not.toHaveProperty("seconds");
    expect(world.notices[1]).toMatchObject({ backend: "frankfurt", returned: [4], sample: { gone: ["192.0.2.2"], isForAll: false } });
  });

  test("an operator's act counts from when it is in force: from now, or from the time that it was given for", () => {
    for (const [start, decideSeconds] of [
      [undefined, 0],
      [30_000, 0.7],
    ] as const) {
      const world = started();
      const override = testOverride(
        "Drain",
        { kind: "MemberCluster", name: "frankfurt" },
        start === undefined ? {} : { start: world.now() + start },
      );
      world.standings.adopt({ ...world.inventory, overrides: [override] }, world.table);
      world.settle();
      if (start !== undefined) pass(world, start - 1000);
      world.advance(start === undefined ? 0 : 1700);
      world.settle();
      expect(world.failovers()).toEqual([
        { id: expect.any(Number), from: "frankfurt", to: "dublin", reason: "draining", cause: "order", decideSeconds },
      ]);
    }
  });

  test("a withdrawal within the wait before the last return is a flap of its cluster, once for both families", async () => {
    const [dual] = routesOf(1, { failover: returning(60) }) as [Route];
    const world = life(testInventory([dual]));
    world.settle();
    const setBoth = (health: EndpointHealth) => {
      for (const address of ["192.0.2.1", "2001:db8::1"]) world.set(dual, address, { ...health, since: world.now() });
    };
    const outage = () => setBoth(REFUSED);
    const recover = () => {
      setBoth(HEALTHY);
      pass(world, 60_000);
    };
    outage();
    recover();
    expect((await world.metrics()).filter((line) => line.startsWith("globalroute_flaps_total"))).toEqual([]);
    pass(world, 59_000);
    outage();
    expect(await world.metrics()).toContain('globalroute_flaps_total{cluster="frankfurt"} 1');
    pass(world, 100_000);
    recover(); // the wait is doubled, so it is not back yet
    pass(world, 60_000 + 120_000); // it serves as long as the wait
    outage();
    expect(await world.metrics()).toContain('globalroute_flaps_total{cluster="frankfurt"} 1');
  });
});
