import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { Inventory, ProxyFleet, Route } from "../model/inventory.ts";
import { routeKey } from "../model/inventory.ts";
import { FULL, Standing } from "../routing/table.ts";
import { clientClasses } from "./client-classes.ts";
import { createEdgeWorlds, type EdgeWorlds, type FleetRoute } from "./edge-worlds.ts";

const FOUR = ["frankfurt", "dublin", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
const [germany, japan] = ["frankfurt", "tokyo"].map((name) => testCluster(name).location);
const fleet = (name: string, more: Partial<ProxyFleet> = {}): ProxyFleet =>
  ({
    ...{ type: "Envoy", name, endpointCaFile: "/ca.pem" },
    places: [
      { name: "germany", location: germany! },
      { name: "japan", location: japan! },
    ],
    ...more,
  }) as ProxyFleet;
const routes = (count: number, more: Partial<Route> = {}): readonly Route[] =>
  Array.from({ length: count }, (_, i) => testRoute(FOUR, { name: `app-${i}`, hosts: [`app-${i}.example.org`], ...more }));

function compiled(inventory: Inventory) {
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  return { table, inventory, measures };
}
const world = (own: readonly Route[], fleets: readonly ProxyFleet[] = [fleet("edge")]) => compiled(testInventory(own, { fleets }));
const finish = (worlds: EdgeWorlds): void => {
  while (!worlds.work(1000).isDone);
};
/** Cluster that serves at a place. */
const servesAt = (place: string, { edge }: FleetRoute): readonly string[] =>
  edge.plans
    .get(place)!
    .tiers.flat()
    .flatMap(({ cluster, endpoints }) => (endpoints.some(({ serves }) => serves) ? [cluster] : []));
const nearest = (place: string, { edge }: FleetRoute): string | undefined => edge.plans.get(place)!.tiers[0]?.[0]?.cluster;

const anybody = () => true;

describe("what fleets are told", () => {
  test("every fleet has every route, planned for clients at its places", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(world(routes(3), [fleet("edge"), fleet("office", { places: [{ name: "japan", location: japan! }] })]));
    finish(worlds);
    const [first] = worlds.routes("edge");
    expect([nearest("germany", first!), nearest("japan", first!)]).toEqual(["frankfurt", "tokyo"]);
    expect(worlds.routes("office").map(({ edge }) => [edge.key, ...edge.plans.keys()])).toEqual([
      ["default/app-0", "japan"],
      ["default/app-1", "japan"],
      ["default/app-2", "japan"],
    ]);
    expect(worlds.routes("unknown")).toEqual([]);
  });

  test("a route that names fleets is told to these alone", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(
      world([...routes(1), testRoute(FOUR, { name: "b", hosts: ["b.example.org"], fleets: ["office"] })], [fleet("edge"), fleet("office")]),
    );
    finish(worlds);
    expect(worlds.routes("edge").map(({ edge }) => edge.key)).toEqual(["default/app-0"]);
    expect(worlds.routes("office")).toHaveLength(2);
  });

  test("addresses that may not be connected to are in nobody's plan", () => {
    const worlds = createEdgeWorlds((address) => !FOUR[0]!.addresses.includes(address));
    worlds.adopt(world(routes(1)));
    finish(worlds);
    const [first] = worlds.routes("edge");
    expect(
      first!.edge.plans
        .get("germany")!
        .tiers.flat()
        .map(({ cluster }) => cluster),
    ).not.toContain("frankfurt");
  });

  test("nothing is whole before every route has been planned once", () => {
    const worlds = createEdgeWorlds(anybody);
    expect(worlds.work(10)).toEqual({ isNews: false, isDone: true });
    expect(worlds.isWhole()).toBe(false);
    worlds.adopt(world(routes(5)));
    expect(worlds.work(2)).toEqual({ isNews: false, isDone: false });
    expect(worlds.isWhole()).toBe(false);
    expect(worlds.work(3)).toEqual({ isNews: true, isDone: true });
    expect(worlds.isWhole()).toBe(true);
    expect(worlds.work(3)).toEqual({ isNews: false, isDone: true });
  });

  const listener = { address: "0.0.0.0", port: 8080 };
  const rules = [testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt"])];
  const seeing = fleet("seeing", { listener } as Partial<ProxyFleet>);
  test.each<[string, ProxyFleet]>([
    ["a fleet", fleet("office")],
    [
      "a place of a fleet",
      fleet("edge", { places: [...fleet("edge").places, { name: "ireland", location: testCluster("dublin").location }] }),
    ],
    ["a listener of a fleet", fleet("edge", { listener } as Partial<ProxyFleet>)],
  ])("%s that is new is told of no part of the routes, whoever flips meanwhile", (_, newcomer) => {
    const worlds = createEdgeWorlds(anybody);
    const before = [fleet("edge"), seeing];
    worlds.adopt(world(routes(20, { rules }), before));
    finish(worlds);
    worlds.adopt(world(routes(20, { rules }), [...before.filter(({ name }) => name !== newcomer.name), newcomer]));
    worlds.touch("default/app-19");
    expect(worlds.work(5)).toEqual({ isNews: false, isDone: false });
    worlds.touch("default/app-18");
    expect(worlds.work(5)).toEqual({ isNews: false, isDone: false });
    expect(worlds.work(100)).toEqual({ isNews: true, isDone: true });
    expect(worlds.routes(newcomer.name).map(({ edge }) => edge.plans.size)).toEqual(Array(20).fill(newcomer.places.length));
    worlds.touch("default/app-17");
    expect(worlds.work(5)).toEqual({ isNews: true, isDone: true });
  });

  test("the end of the last route is news", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(world(routes(1)));
    finish(worlds);
    worlds.adopt(world([]));
    expect(worlds.work(10).isNews).toBe(true);
    expect(worlds.routes("edge")).toEqual([]);
  });
});

describe("what has not changed is the very object that was there before", () => {
  test("a flip of one route makes that route's object anew, and of the places that it changes alone the plan", () => {
    const worlds = createEdgeWorlds(anybody);
    const { table, inventory, measures } = world(routes(4));
    worlds.adopt({ table, inventory, measures });
    finish(worlds);
    const before = worlds.routes("edge");
    table.state.standing.fill(Standing.Unhealthy, 2 * table.hot.routeBackends[1]!, 2 * table.hot.routeBackends[1]! + 2);
    worlds.touch("default/app-1");
    expect(worlds.work(10)).toEqual({ isNews: true, isDone: true });
    const after = worlds.routes("edge");
    expect(after.map((one, i) => one === before[i])).toEqual([true, false, true, true]);
    expect(after[1]!.edge.settings).toBe(before[1]!.edge.settings);
    expect(servesAt("germany", after[1]!)).not.toContain("frankfurt");
    worlds.touch("default/app-1");
    worlds.work(10);
    expect(worlds.routes("edge")).toBe(after);
  });

  test("another table of equal routes, and whatever operators do that changes nothing here", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(world(routes(3)));
    finish(worlds);
    const before = worlds.routes("edge").map(({ edge }) => edge);
    worlds.adopt(world(routes(3)));
    finish(worlds);
    worlds.touchAll();
    finish(worlds);
    expect(worlds.routes("edge").every(({ edge }, i) => edge === before[i])).toBe(true);
  });

  test("touched routes come before the rest of a new world", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(world(routes(20)));
    finish(worlds);
    const { table, inventory, measures } = world(routes(20));
    table.state.standing.fill(Standing.Unhealthy, 2 * table.hot.routeBackends[19]!, 2 * table.hot.routeBackends[19]! + 2);
    worlds.adopt({ table, inventory, measures });
    worlds.touch("default/app-19");
    expect(worlds.work(5)).toEqual({ isNews: true, isDone: false });
    expect(servesAt("germany", worlds.routes("edge")[19]!)).not.toContain("frankfurt");
  });

  test("what ramps is looked at again until it has come to its end", () => {
    const worlds = createEdgeWorlds(anybody);
    const { table, inventory, measures } = world(routes(2, { order: "Weighted" }));
    worlds.adopt({ table, inventory, measures });
    finish(worlds);
    const weight = () => worlds.routes("edge")[1]!.edge.plans.get("japan")!.tiers[0]![0]!.weight;
    const whole = weight();
    for (const keep of [FULL / 4, FULL / 2, FULL]) {
      table.state.keep.fill(keep, 2 * table.hot.routeBackends[1]!, 2 * table.hot.routeBackends[1]! + 2);
      worlds.touchRamping();
      worlds.work(10);
      expect(weight() / whole).toBeCloseTo(keep / FULL, 2);
    }
    worlds.touchRamping();
    expect(worlds.work(10).isNews).toBe(false);
  });

  test("of thousands of routes a flip plans one", () => {
    const worlds = createEdgeWorlds(anybody);
    const { table, inventory, measures } = world(routes(2000));
    let asked = 0;
    const counted = {
      distance(...of: Parameters<typeof measures.distance>) {
        asked++;
        return measures.distance(...of);
      },
      latency: measures.latency,
    };
    worlds.adopt({ table, inventory, measures: counted });
    finish(worlds);
    asked = 0;
    worlds.touch(routeKey(inventory.routes[777]!));
    worlds.work(50);
    expect(asked).toBe(2 * FOUR.length);
  });
});

describe("clients whom rules tell apart", () => {
  const listener = { address: "0.0.0.0", port: 8080 };
  const seeing = fleet("edge", { listener } as Partial<ProxyFleet>);
  const blind = fleet("own");
  const rules = [testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt"])];
  const own = [...routes(1, { rules }), testRoute(FOUR, { name: "b", hosts: ["b.example.org"] })];
  const started = () => {
    const worlds = createEdgeWorlds(anybody);
    const known = world(own, [seeing, blind]);
    worlds.adopt(known);
    finish(worlds);
    return { worlds, known };
  };
  const groupsOf = ({ edge }: FleetRoute) => edge.groups?.map(({ name, plans }) => [name, plans.get("japan")!.tiers[0]![0]!.cluster]);

  test("have plans of their own where listeners are ours, and a warning says where not", () => {
    const { worlds } = started();
    const [first, second] = worlds.routes("edge");
    expect(groupsOf(first!)).toEqual([
      ["-", "tokyo"],
      ["germany", "frankfurt"],
    ]);
    expect(groupsOf(second!)).toBeUndefined();
    expect(worlds.classes().map(({ networks }) => networks)).toEqual([["198.51.100.0/27", "2001:db8::/40"]]);
    expect(worlds.routes("own").map(groupsOf)).toEqual([undefined, undefined]);
    expect(worlds.unseen("edge")).toEqual([]);
    expect(worlds.unseen("own")).toEqual([expect.stringMatching(/^default\/app-0: .* germany .* Let GlobalRoute make their listeners\.$/)]);
  });

  test("have plans of their own at HAProxies, whose listeners are always ours", () => {
    const worlds = createEdgeWorlds(anybody);
    worlds.adopt(world(own, [fleet("office", { type: "HAProxy", members: [], trustedHops: 0 } as Partial<ProxyFleet>)]));
    finish(worlds);
    expect(groupsOf(worlds.routes("office")[0]!)).toEqual([
      ["-", "tokyo"],
      ["germany", "frankfurt"],
    ]);
    expect(worlds.classes()).toHaveLength(1);
    expect(worlds.unseen("office")).toEqual([]);
  });

  test("a flip makes the plans anew that have who flipped, and those alone", () => {
    const { worlds, known } = started();
    const [before] = worlds.routes("edge");
    known.table.state.standing.fill(Standing.Unhealthy, 6, 8); // tokyo
    worlds.touch("default/app-0");
    finish(worlds);
    const [after] = worlds.routes("edge");
    expect(after!.edge).not.toBe(before!.edge);
    const planOf = ({ edge }: FleetRoute, name: string) => edge.groups!.find((group) => group.name === name)!.plans.get("japan");
    expect(planOf(after!, "germany")).toBe(planOf(before!, "germany"));
    expect(planOf(after!, "-")).not.toBe(planOf(before!, "-"));
  });

  test("are the same list while rules' clients do not change; when they do, nothing is told before all routes go with them", () => {
    const { worlds } = started();
    const classes = worlds.classes();
    worlds.adopt(world([...own, testRoute(FOUR, { name: "c", hosts: ["c.example.org"] })], [seeing, blind]));
    worlds.touch("default/app-0");
    expect(worlds.work(1)).toEqual({ isNews: true, isDone: false });
    finish(worlds);
    expect(worlds.classes()).toBe(classes);
    const changed = [...routes(1, { rules: [{ ...rules[0]!, unknownPlace: "Apply" }] }), ...own.slice(1)];
    worlds.adopt(world(changed, [seeing, blind]));
    worlds.touch("default/app-0");
    expect(worlds.work(1)).toEqual({ isNews: false, isDone: false });
    expect(worlds.work(100)).toEqual({ isNews: true, isDone: true });
    expect(worlds.classes()).not.toBe(classes);
  });

  test("may be told apart beforehand, elsewhere: until then the world before goes on, and flips with it", async () => {
    const { worlds, known } = started();
    const classes = worlds.classes();
    const next = world([...routes(1, { rules: [{ ...rules[0]!, unknownPlace: "Apply" }] }), ...own.slice(1)], [seeing, blind]);
    let finished = (): void => {};
    let asked = 0;
    const preparing = worlds.prepare(next, (_, questions) => {
      asked++;
      return new Promise((resolve) => {
        finished = () => resolve(clientClasses(next.table.geo, questions));
      });
    });
    known.table.state.standing.fill(Standing.Unhealthy, 6, 8); // tokyo
    worlds.touch("default/app-0");
    expect(worlds.work(10)).toEqual({ isNews: true, isDone: true });
    expect(groupsOf(worlds.routes("edge")[0]!)).toEqual([
      ["-", "tokyo"],
      ["germany", "frankfurt"],
    ]);
    expect(servesAt("japan", worlds.routes("edge")[0]!)).not.toContain("tokyo");
    expect(worlds.classes()).toBe(classes);
    finished();
    await preparing;
    expect(worlds.classes()).toBe(classes);
    worlds.adopt(next);
    finish(worlds);
    expect(worlds.classes()).not.toBe(classes);
    await worlds.prepare(next, () => Promise.reject(new Error("they are known")));
    expect(asked).toBe(1);
  });

  test("are nobody's business where no proxy sees its clients, or no route has rules", async () => {
    const worlds = createEdgeWorlds(anybody);
    const never = () => Promise.reject(new Error("nobody needs them"));
    await worlds.prepare(world(own, [blind]), never);
    await worlds.prepare(world(own, []), never);
    await worlds.prepare(world(routes(2), [seeing]), never);
  });
});
