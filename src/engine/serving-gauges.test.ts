import { expect, test } from "vitest";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import { FULL, Standing } from "../routing/table.ts";
import { createServingGauges } from "./serving-gauges.ts";
import type { World } from "./world.ts";

const NAMES = ["frankfurt", "dublin", "virginia", "tokyo"];
const POPULATION = new Map([
  ["DE", 80],
  ["US", 330],
  ["JP", 120],
]);
const inventoryOf = (count: number): Inventory =>
  testInventory(
    Array.from({ length: count }, (_, i) =>
      testRoute(
        NAMES.map((name, n) => testBackend(name, n + 1)),
        { name: `shop-${i}`, hosts: [`shop-${i}.example.org`] },
      ),
    ),
  );

function start(inventory: Inventory) {
  const worldOf = (of: Inventory): World => {
    const { table } = compileTestTable(of, [COUNTRY_FILE]);
    table.state.standing.fill(Standing.Usable);
    table.state.keep.fill(FULL);
    return { inventory: of, table, latency: newLatencyMap() };
  };
  const state = { world: worldOf(inventory) };
  let tell = (_route: string): void => undefined;
  const watch = (listener: (route: string) => void) => {
    tell = listener;
    return () => undefined;
  };
  const gauges = createServingGauges(() => state.world, { watch }, POPULATION);
  /** Frankfurt, in one route. */
  const set = (route: number, standing: Standing) => {
    state.world.table.state.standing.fill(standing, 8 * route, 8 * route + 2);
    tell(`default/shop-${route}`);
  };
  let breaths = 0;
  const scrape = async (breathe = async () => void breaths++) => {
    await gauges.prepare(breathe);
    const reading = gauges.read()!;
    return { reading, routes: [...reading.routes], clusters: new Map([...reading.clusters].map(({ cluster, share }) => [cluster, share])) };
  };
  return { gauges, set, scrape, state, worldOf, breaths: () => breaths, tell: (route: string) => tell(route) };
}

test("every route names the cluster that serves most, every cluster its share of people, and quantiles grow", async () => {
  const { scrape, set } = start(inventoryOf(4));
  const before = await scrape();
  expect(before.routes).toHaveLength(4);
  expect(before.routes[0]).toEqual({ route: "default/shop-0", cluster: "virginia", share: expect.closeTo(330 / 530, 2) });
  expect([...before.clusters.keys()]).toEqual(NAMES);
  expect([...before.clusters.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  expect(before.clusters.get("frankfurt")).toBeCloseTo(80 / 530, 2);
  expect([...before.reading.regret]).toEqual([0.5, 0.9, 0.99].map((quantile) => ({ quantile, km: 0, seconds: 0 })));
  for (let route = 0; route < 4; route++) set(route, Standing.Unhealthy);
  const after = await scrape();
  expect(after.clusters.get("frankfurt")).toBe(0);
  expect(after.clusters.get("dublin")).toBeCloseTo(80 / 530, 2);
  const [half, , most] = [...after.reading.regret];
  expect(half?.km).toBe(0);
  expect(most?.km).toBeGreaterThan(500); // Germany's 15 %
  expect(most?.seconds).toBeGreaterThan(0);
});

test("while nothing changes nothing is worked out, and a change of one route is a change of one", async () => {
  const { scrape, set } = start(inventoryOf(100));
  const first = await scrape();
  expect((await scrape()).reading).toBe(first.reading);
  set(7, Standing.Unhealthy);
  const second = await scrape();
  expect(second.reading).not.toBe(first.reading);
  expect(second.clusters.get("frankfurt")).toBeCloseTo((0.99 * 80) / 530, 3);
  set(7, Standing.Usable);
  expect((await scrape()).clusters.get("frankfurt")).toBeCloseTo(80 / 530, 6);
});

test("what ramps up is looked at again although nobody tells of it", async () => {
  const { scrape, state } = start(inventoryOf(2));
  state.world.table.state.keep.fill(FULL / 8, 0, 2);
  const ramping = (await scrape()).clusters.get("frankfurt")!;
  expect(ramping).toBeLessThan(80 / 530 - 0.03);
  state.world.table.state.keep.fill(FULL, 0, 2);
  expect((await scrape()).clusters.get("frankfurt")).toBeCloseTo(80 / 530, 2);
});

test("a large world is worked out in parts, once for scrapes that come together, and begun anew when a table comes meanwhile", async () => {
  const { scrape, breaths, state, worldOf, gauges } = start(inventoryOf(3000));
  await Promise.all([scrape(), scrape()]);
  const once = breaths();
  expect(once).toBeGreaterThan(2);
  const next = worldOf(inventoryOf(3001));
  state.world = worldOf(inventoryOf(2999));
  let swaps = 0;
  await gauges.prepare(async () => {
    if (swaps++ === 0) state.world = next;
  });
  expect([...gauges.read()!.routes]).toHaveLength(3001);
});

test("a table without people tells nothing", async () => {
  const world = start(inventoryOf(1)).state.world;
  const gauges = createServingGauges(() => world, { watch: () => () => undefined }, new Map());
  await gauges.prepare(async () => undefined);
  expect(gauges.read()).toBeUndefined();
});
