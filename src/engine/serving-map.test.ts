import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { type RoutingTable, Standing } from "../routing/table.ts";
import { createServingMap, MOST_FRAMES } from "./serving-map.ts";

const POPULATION = new Map([
  ["BR", 210],
  ["DE", 80],
  ["FR", 60],
  ["IE", 5],
  ["JP", 120],
  ["US", 330],
]);
const backends = ["dublin", "frankfurt", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));

function compiled(version: number, routes: Parameters<typeof testInventory>[0]): RoutingTable {
  const { table } = compileTestTable(testInventory(routes), [COUNTRY_FILE]);
  everythingUsable(table);
  return { ...table, version };
}

/** A map over a clock that the test turns. */
function createWorld(routes: Parameters<typeof testInventory>[0] = [testRoute(backends), testRoute(backends, { name: "other" })]) {
  let now = 1_000_000;
  /** Milliseconds that pass with each look at the clock. */
  let slowness = 0;
  let due: readonly { readonly at: number; readonly run: () => void }[] = [];
  let tell: (route: string) => void = () => {};
  let timers = 0;
  const world = { table: compiled(1, routes) as RoutingTable | undefined, health: new Map<string, "Healthy" | "Unhealthy">() };
  const map = createServingMap({
    table: () => world.table,
    watch(listener) {
      tell = (route) => listener(route === "all" ? "all" : route);
      return () => {
        tell = () => {};
      };
    },
    clusters: () =>
      (world.table?.names.clusters ?? []).map((name) => ({
        name,
        state: "Active",
        health: world.health.get(name) ?? "Healthy",
        location: testCluster(name).location,
      })),
    population: POPULATION,
    now: () => (now += slowness),
    setTimer(delay, run) {
      timers++;
      const mine = { at: now + delay, run };
      due = [...due, mine].sort((a, b) => a.at - b.at);
      return () => {
        due = due.filter((one) => one !== mine);
      };
    },
  });
  function run(milliseconds: number): void {
    const until = now + milliseconds;
    for (let [first] = due; first !== undefined && first.at <= until; [first] = due) {
      due = due.slice(1);
      now = Math.max(now, first.at);
      first.run();
    }
    now = until;
  }
  return {
    world,
    map,
    timers: () => timers,
    tell: (route: string) => tell(route),
    /** Standing of a cluster's backends in all routes, or in the one given. */
    set(cluster: string, standing: Standing, route?: number) {
      const { hot, names, state } = world.table!;
      names.backends.forEach((backend, i) => {
        const isMeant = route === undefined || (i >= hot.routeBackends[route]! && i < hot.routeBackends[route + 1]!);
        if (isMeant && names.clusters[backend.cluster] === cluster) state.standing.fill(standing, 2 * i, 2 * i + 2);
      });
    },
    run,
    /** Works slowly until the answer is there. @param meanwhile called in each turn of the others, which it counts */
    async waitFor<T>(answer: Promise<T>, meanwhile: (turn: number) => void): Promise<T> {
      slowness = 1;
      let isThere = false;
      void answer.then(() => {
        isThere = true;
      });
      for (let turn = 0; !isThere; await Promise.resolve()) {
        if (due.length === 0) continue;
        meanwhile(++turn);
        run(1);
      }
      slowness = 0;
      return answer;
    },
  };
}

const servedIn = (
  frame: { countries: readonly { country: string; served: readonly { cluster: string; share: number }[] }[] } | undefined,
) =>
  Object.fromEntries(
    frame?.countries.map(({ country, served }) => [country, served.map(({ cluster, share }) => `${cluster} ${share}`).join(" ")]) ?? [],
  );

const ALL_UP = { BR: "virginia 1", DE: "frankfurt 1", IE: "dublin 1", JP: "tokyo 1", US: "virginia 1" };

describe("now", () => {
  test("the first frame comes by itself; at rest there is none and no timer", () => {
    const { map, run, timers } = createWorld();
    expect(map.frame(undefined)).toBeUndefined();
    run(1000);
    expect(servedIn(map.frame("default/shop"))).toEqual(ALL_UP);
    const before = timers();
    run(3_600_000);
    expect([map.frames().length, timers()]).toEqual([1, before]);
  });

  test("a flip of one route is a frame within a tenth of a second, and is told", () => {
    const { map, run, set, tell } = createWorld();
    run(5000);
    const told: unknown[] = [];
    map.subscribe((frame) => told.push(frame.id));
    set("dublin", Standing.Unhealthy, 0);
    tell("default/shop");
    run(110);
    expect(servedIn(map.frame("default/shop"))).toEqual({ ...ALL_UP, IE: "frankfurt 1" });
    expect(servedIn(map.frame("default/other"))).toEqual(ALL_UP);
    expect(servedIn(map.frame(undefined))).toEqual({ ...ALL_UP, IE: "dublin 0.5 frankfurt 0.5" });
    expect(told).toEqual([2]);
  });

  test("a change that moves nobody is no frame, but one of a cluster's health is", () => {
    const { map, run, tell, world } = createWorld();
    run(5000);
    tell("default/shop");
    run(5000);
    expect(map.frames()).toHaveLength(1);
    world.health.set("dublin", "Unhealthy");
    tell("default/shop");
    run(5000);
    expect(map.frame(undefined)?.clusters[0]).toMatchObject({ name: "dublin", health: "Unhealthy" });
  });

  test("another table is drawn anew, its routes and clusters by name", () => {
    const { map, run, tell, world } = createWorld();
    run(5000);
    world.table = compiled(2, [testRoute([testBackend("tokyo", 1), testBackend("dublin", 2)], { name: "fresh" })]);
    tell("default/fresh");
    run(5000);
    expect(servedIn(map.frame("default/fresh"))).toMatchObject({ DE: "dublin 1", JP: "tokyo 1" });
    expect(map.frame("default/shop")).toBeUndefined();
    expect(map.frames().map(({ version }) => version)).toEqual([1, 2]);
  });

  test("shares of the population, the largest first", () => {
    const { map, run } = createWorld();
    expect(map.shares("default/shop")).toEqual([]);
    run(5000);
    expect(map.shares("default/shop").map(({ cluster, population }) => `${cluster} ${Math.round(population * 745)}`)).toEqual([
      "virginia 540",
      "tokyo 120",
      "frankfurt 80",
      "dublin 5",
    ]);
    expect(map.shares("default/none")).toEqual([]);
  });
});

describe("before", () => {
  test("every frame shows what was, for one route and for all", () => {
    const { map, run, set, tell } = createWorld();
    run(5000);
    set("tokyo", Standing.Unhealthy);
    tell("all");
    run(5000);
    set("tokyo", Standing.Usable);
    tell("all");
    run(5000);
    expect(map.frames().map(({ id }) => id)).toEqual([1, 2, 3]);
    const japan = [1, 2, 3].map((id) => servedIn(map.frame("default/shop", id)).JP);
    expect(japan).toEqual(["tokyo 1", "frankfurt 1", "tokyo 1"]);
    expect(map.frame("default/shop", 4)).toBeUndefined();
  });

  test("the oldest are dropped; a storm makes at most one frame a second after its beginning", () => {
    const { map, run, set, tell } = createWorld();
    run(5000);
    for (let i = 0; i < 100; i++) {
      set("dublin", i % 2 === 0 ? Standing.Unhealthy : Standing.Usable);
      tell("all");
      run(100);
    }
    expect(map.frames().length).toBeLessThan(25);
    for (let i = 0; i < 2 * MOST_FRAMES; i++) {
      set("dublin", i % 2 === 0 ? Standing.Unhealthy : Standing.Usable);
      tell("all");
      run(2000);
    }
    expect(map.frames()).toHaveLength(MOST_FRAMES);
    expect(servedIn(map.frame("default/shop", map.frames()[0]!.id)).JP).toBe("tokyo 1");
  });
});

describe("if a cluster were drained", () => {
  test("its people go where the rules send them, and nothing is touched", async () => {
    const { map, run, world } = createWorld();
    run(5000);
    const before = new Uint8Array(world.table!.state.standing);
    const { routes, stuckRoutes, moves } = (await map.ifDrained("virginia"))!;
    expect({ routes, stuckRoutes }).toEqual({ routes: 2, stuckRoutes: 0 });
    expect(Object.fromEntries(moves.map(({ to, population }) => [to, Math.round(population * 805)]))).toEqual({ dublin: 330 + 210 });
    expect(world.table!.state.standing).toEqual(before);
  });

  test("those who may go nowhere else stay, and are told", async () => {
    const rules = [testRule("r", "Require", { countries: ["US"] }, ["virginia"])];
    const { map, run } = createWorld([testRoute(backends, { rules })]);
    run(5000);
    const { stuckRoutes, moves } = (await map.ifDrained("virginia"))!;
    expect(stuckRoutes).toBe(1);
    expect(moves.map(({ to }) => to)).toEqual(["dublin"]);
  });

  test("a cluster that serves nobody moves nobody; one that is not there is not known", async () => {
    const { map, run, set } = createWorld();
    set("tokyo", Standing.Unhealthy);
    run(5000);
    expect(await map.ifDrained("tokyo")).toEqual({ routes: 2, stuckRoutes: 0, moves: [] });
    expect(await map.ifDrained("paulo")).toBeUndefined();
  });

  test("others have their turn meanwhile, and what they change is not in the answer", async () => {
    const routes = Array.from({ length: 60 }, (_, i) => testRoute(backends, { name: `shop-${i}` }));
    const { map, run, set, waitFor, world } = createWorld(routes);
    run(5000);
    const atOnce = await map.ifDrained("virginia");
    expect(atOnce).toMatchObject({ routes: 60, moves: [{ to: "dublin" }] });
    let turns = 0;
    const sliced = await waitFor(map.ifDrained("virginia"), (turn) => {
      turns = turn;
      if (turn === 1) set("virginia", Standing.Unhealthy);
      if (turn === 3) world.table = compiled(2, routes.slice(1));
    });
    expect(sliced).toEqual(atOnce);
    expect(turns).toBeGreaterThan(5);
    run(5000);
    expect(servedIn(map.frame("default/shop-1"))).toEqual(ALL_UP); // of the new table
  });
});

test("nothing runs after the end", () => {
  const { map, run, tell } = createWorld();
  map.close();
  tell("all");
  run(5000);
  expect(map.frames()).toEqual([]);
});
