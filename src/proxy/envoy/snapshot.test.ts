import { describe, expect, test } from "vitest";
import { edgeBackend, edgePlanOf, edgeRoute } from "../../../test/support/envoy/edge-world.ts";
import { ms } from "../../model/units.ts";
import type { EdgeRoute } from "./edge-route.ts";
import { RESOURCE_TYPES } from "./resource-set.ts";
import { NO_SNAPSHOTS, nextSnapshots, type Snapshots } from "./snapshot.ts";

const plan = (...addresses: readonly string[]) => edgePlanOf([edgeBackend("dublin", addresses)]);
const atTwoPlaces = (number: number): EdgeRoute =>
  edgeRoute(number, { plans: new Map(["here", "there"].map((place) => [place, plan(`192.0.2.${number}`)])) });

/** `here loadAssignment default/app-1`: each resource that is another object than before. */
const fresh = (before: Snapshots, after: Snapshots): readonly string[] =>
  [...after.byPlace].flatMap(([place, snapshot]) =>
    RESOURCE_TYPES.flatMap((type) =>
      snapshot[type].list
        .filter((resource) => resource !== before.byPlace.get(place)?.[type].byName.get(resource.name))
        .map(({ name }) => `${place} ${type} ${name}`),
    ),
  );

describe("what is made anew", () => {
  const routes = [atTwoPlaces(1), atTwoPlaces(2), atTwoPlaces(3)];
  const before = nextSnapshots(NO_SNAPSHOTS, routes, undefined);
  const instead = (route: EdgeRoute): readonly EdgeRoute[] => [routes[0]!, route, routes[2]!];
  const second = routes[1]!;
  const cases: readonly { name: string; routes: readonly EdgeRoute[]; fresh: readonly string[] }[] = [
    { name: "nothing of the same routes", routes, fresh: [] },
    { name: "nothing of routes that say the same in other objects", routes: [1, 2, 3].map(atTwoPlaces), fresh: [] },
    {
      name: "a load assignment at the place where a standing changed",
      routes: instead({ ...second, plans: new Map([...second.plans, ["there", plan("!192.0.2.2")]]) }),
      fresh: ["there loadAssignment default/app-2"],
    },
    {
      name: "a cluster, once for all places, when it is spoken to otherwise",
      routes: instead({ ...second, settings: { ...second.settings, connectTimeout: ms(500) } }),
      fresh: ["here cluster default/app-2", "there cluster default/app-2"],
    },
    {
      name: "routes when hosts change",
      routes: instead({ ...second, hosts: ["b.example.org"] }),
      fresh: ["here routes globalroute", "there routes globalroute"],
    },
    {
      name: "load assignments when the port changes",
      routes: instead({ ...second, settings: { ...second.settings, port: 8080 } }),
      fresh: ["here loadAssignment default/app-2", "there loadAssignment default/app-2"],
    },
    {
      name: "routes when one goes",
      routes: [routes[0]!, routes[2]!],
      fresh: ["here routes globalroute", "there routes globalroute"],
    },
  ];
  test.each(cases)("$name", (c) => expect(fresh(before, nextSnapshots(before, c.routes, undefined))).toEqual(c.fresh));

  test("sets and snapshots without a change are the same objects", () => {
    const after = nextSnapshots(
      before,
      instead({ ...second, plans: new Map([...second.plans, ["there", plan("!192.0.2.2")]]) }),
      undefined,
    );
    expect(after.byPlace.get("here")).toBe(before.byPlace.get("here"));
    expect(after.byPlace.get("there")?.cluster).toBe(before.byPlace.get("there")?.cluster);
    expect(after.byPlace.get("there")?.loadAssignment.version).not.toBe(before.byPlace.get("there")?.loadAssignment.version);
  });

  test("what does not depend on the place is one object for all", () => {
    const [here, there] = [...before.byPlace.values()];
    expect(here?.routes.list[0]).toBe(there?.routes.list[0]);
    expect(here?.cluster.list).toEqual(there?.cluster.list);
    expect(here?.cluster.list.every((cluster, i) => cluster === there?.cluster.list[i])).toBe(true);
  });

  test("versions are those of another process", () => {
    const other = nextSnapshots(NO_SNAPSHOTS, [1, 2, 3].map(atTwoPlaces), undefined);
    expect(other.byPlace.get("here")?.cluster.version).toBe(before.byPlace.get("here")?.cluster.version);
  });
});

test("a route without a plan at a place is not told there", () => {
  const snapshots = nextSnapshots(NO_SNAPSHOTS, [atTwoPlaces(1), edgeRoute(2)], undefined);
  const names = (place: string) =>
    RESOURCE_TYPES.map((type) =>
      snapshots.byPlace
        .get(place)
        ?.[type].list.map(({ name }) => name)
        .join(),
    );
  expect(names("here")).toEqual(["default/app-1,default/app-2", "default/app-1,default/app-2", "", "globalroute"]);
  expect(names("there")).toEqual(["default/app-1", "default/app-1", "", "globalroute"]);
});

test("without routes each place is told of none", () => {
  const after = nextSnapshots(nextSnapshots(NO_SNAPSHOTS, [atTwoPlaces(1)], undefined), [], undefined);
  expect([...after.byPlace.values()].map(({ cluster, loadAssignment }) => [...cluster.list, ...loadAssignment.list])).toEqual([[], []]);
});

test("a fleet with a listener of ours has it at every place", () => {
  const listener = { listen: { address: "0.0.0.0", port: 8080 }, trustedHops: 0 };
  const snapshots = nextSnapshots(NO_SNAPSHOTS, [edgeRoute(1)], listener);
  expect(snapshots.byPlace.get("here")?.listener.list.map(({ name }) => name)).toEqual(["globalroute"]);
});
