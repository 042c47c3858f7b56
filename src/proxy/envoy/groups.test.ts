/** Routes whose rules tell clients apart: a cluster for each group of them, and a flip is one load assignment of each group that has the endpoint. */
import { describe, expect, test } from "vitest";
import { edgeBackend, edgePlanOf, edgeRoute } from "../../../test/support/envoy/edge-world.ts";
import { clusterOf } from "./cluster.ts";
import { type EdgeGroup, type EdgeRoute, routeOfCluster } from "./edge-route.ts";
import { routeConfiguration } from "./route-configuration.ts";
import { NO_SNAPSHOTS, nextSnapshots } from "./snapshot.ts";

const LISTENER = { listen: { address: "0.0.0.0", port: 8080 }, trustedHops: 0 };
const CLASSES = [{ name: "00a1", networks: ["192.0.2.0/24"], client: {} }];
const dublin = edgePlanOf([edgeBackend("dublin", ["192.0.2.1"])]);
const dublinIsOut = edgePlanOf([edgeBackend("dublin", ["!192.0.2.1"])]);
const virginia = edgePlanOf([edgeBackend("virginia", ["192.0.2.9"])]);
const group = (name: string, classes: readonly string[] | undefined, plan = dublin): EdgeGroup => ({
  ...{ name, classes },
  plans: new Map([["here", plan]]),
});
const shop = (groups: readonly EdgeGroup[], more: Partial<EdgeRoute> = {}): EdgeRoute => edgeRoute(1, { groups, ...more });

describe("the route configuration", () => {
  /** `00a1|00b2 GET default/app-1@eu` a line: class, whether only methods that may be repeated, cluster. */
  const lines = (route: EdgeRoute): readonly string[] =>
    routeConfiguration([route]).virtualHosts![0]!.routes!.map(({ match, route: to }) => {
      const of = (header: string) => match?.headers?.find(({ name }) => name === header)?.stringMatch?.safeRegex?.regex;
      return `${of("x-envoy-ip-tags") ?? "*"} ${of(":method")?.slice(0, 3) ?? "any"} ${to?.cluster}`;
    });

  test("whoever is in no class comes last, to the group that has no list of classes", () => {
    expect(lines(shop([group("", undefined), group("eu", ["00a1", "00b2"]), group("eu+partners", ["00c3"])]))).toEqual([
      "00a1|00b2 GET default/app-1@eu",
      "00a1|00b2 any default/app-1@eu",
      "00c3 GET default/app-1@eu+partners",
      "00c3 any default/app-1@eu+partners",
      "* GET default/app-1",
      "* any default/app-1",
    ]);
    expect(lines(shop([group("", ["00a1"]), group("eu", undefined)])).map((line) => line.split(" ").at(-1))).toEqual([
      ...["default/app-1", "default/app-1"],
      ...["default/app-1@eu", "default/app-1@eu"],
    ]);
  });

  test("no expression is longer than Envoy takes", () => {
    const classes = Array.from({ length: 12 }, (_, i) => `0123456789abcde${i.toString(16)}`);
    const expressions = lines(shop([group("eu", classes), group("", undefined)])).map((line) => line.split(" ")[0]!);
    expect(Math.max(...expressions.map((expression) => expression.length))).toBeLessThan(90);
    expect(new Set(expressions.slice(0, -2).flatMap((expression) => expression.split("|")))).toEqual(new Set(classes));
  });

  test("a sticky route goes by the client's network, and its clusters are Maglev's", () => {
    const route = edgeRoute(1);
    const sticky = { ...route, settings: { ...route.settings, sticky: "ClientSubnet" } as const };
    const [policy] = routeConfiguration([sticky]).virtualHosts![0]!.routes![0]!.route!.hashPolicy!;
    const { pattern, substitution } = policy!.header!.regexRewrite!;
    const cut = (subnet: string) => subnet.replace(new RegExp(pattern!.regex!), substitution!.replace("\\", "$"));
    expect(["192.0.2.1/32", "192.0.2.77/32", "2001:db8:5::/48"].map(cut)).toEqual(["192.0.2", "192.0.2", "2001:db8:5::/48"]);
    expect(clusterOf(sticky).lbPolicy).toBe("MAGLEV");
    expect(clusterOf(route).lbPolicy).toBe("LEAST_REQUEST");
    expect(routeConfiguration([route]).virtualHosts![0]!.routes![0]!.route!.hashPolicy).toBeUndefined();
  });
});

describe("snapshots", () => {
  const groups = [group("", undefined, virginia), group("eu", ["00a1"])];
  const before = nextSnapshots(NO_SNAPSHOTS, [shop(groups), edgeRoute(2)], LISTENER, CLASSES);
  const here = before.byPlace.get("here")!;

  test("have a cluster and a load assignment for each group", () => {
    const names = ["default/app-1@eu", "default/app-1", "default/app-2"];
    expect(here.cluster.list.map(({ name }) => name)).toEqual(names);
    expect(here.loadAssignment.list.map(({ name }) => name)).toEqual(names);
    expect(names.map(routeOfCluster)).toEqual(["default/app-1", "default/app-1", "default/app-2"]);
  });

  test("a flip is one load assignment of each group that has the endpoint, and nothing else", () => {
    const [others, eu] = groups;
    const flipped = shop([others!, { ...eu!, plans: new Map([["here", dublinIsOut]]) }]);
    const after = nextSnapshots(before, [flipped, edgeRoute(2)], LISTENER, CLASSES).byPlace.get("here")!;
    const fresh = after.loadAssignment.list.filter((resource) => resource !== here.loadAssignment.byName.get(resource.name));
    expect(fresh.map(({ name }) => name)).toEqual(["default/app-1@eu"]);
    expect([after.cluster, after.listener, after.routes]).toEqual([here.cluster, here.listener, here.routes]);
    expect(after.routes).toBe(here.routes);
    expect(after.listener).toBe(here.listener);
  });

  test("a listener that is told to be elsewhere is told anew, and goes with the same routes", () => {
    const moved = { ...LISTENER, trustedHops: 1 };
    const after = nextSnapshots(before, before.routes, moved).byPlace.get("here")!;
    expect(after.listener).not.toBe(here.listener);
    expect(after.routes).toBe(here.routes);
    expect(nextSnapshots(before, before.routes, { ...LISTENER }).byPlace.get("here")).toBe(here);
  });

  test("other classes are another route configuration, and other networks another listener", () => {
    const renamed = [shop([groups[0]!, { ...groups[1]!, classes: ["00b2"] }]), edgeRoute(2)];
    expect(nextSnapshots(before, renamed, LISTENER, CLASSES).byPlace.get("here")!.routes).not.toBe(here.routes);
    const moved = nextSnapshots(before, [shop(groups), edgeRoute(2)], LISTENER, [{ ...CLASSES[0]!, networks: ["192.0.2.0/25"] }]);
    expect(moved.byPlace.get("here")!.listener).not.toBe(here.listener);
    // What came by the listener before goes on by the routes that went with it.
    const [newest, old, ...others] = moved.byPlace.get("here")!.routes.list;
    expect([old, others]).toEqual([here.routes.list[0], []]);
    expect(newest!.name).not.toBe(old!.name);
    const again = nextSnapshots(moved, [shop(groups), edgeRoute(2)], LISTENER, CLASSES).byPlace.get("here")!;
    expect(again.routes.list.map(({ name }) => name)).toEqual([old!.name, newest!.name]);
  });

  test("clusters that only connections of before speak of stay for as long as their routes do", () => {
    let snapshots = before;
    const names = () => snapshots.byPlace.get("here")!.cluster.list.map(({ name }) => name);
    const generation = (octet: number) => [{ name: "00b2", networks: [`198.51.100.${octet}/32`], client: {} }];
    for (let i = 0; i < 3; i++) {
      snapshots = nextSnapshots(snapshots, [shop([group("-", undefined), group("asia", ["00b2"])]), edgeRoute(2)], LISTENER, generation(i));
      expect(names()).toEqual(["default/app-1@asia", "default/app-1@-", "default/app-2", "default/app-1@eu", "default/app-1"]);
    }
    const here = snapshots.byPlace.get("here")!;
    expect(here.loadAssignment.list.map(({ name }) => name)).toEqual(names());
    expect(here.routes.list).toHaveLength(4);
    snapshots = nextSnapshots(snapshots, snapshots.routes, LISTENER, generation(9));
    expect(names()).toEqual(["default/app-1@asia", "default/app-1@-", "default/app-2"]);
  });

  test("a group that comes back while its cluster is kept for connections of before is spoken to by the settings of now", () => {
    const classes = [{ name: "00b2", networks: ["198.51.100.0/24"], client: {} }];
    const { settings } = shop(groups);
    const other = { settings: { ...settings, port: 8080, mostRequests: 7 } };
    const gone = nextSnapshots(before, [shop(groups.slice(0, 1))], LISTENER, classes);
    expect([...gone.byPlace.get("here")!.cluster.names]).toContain("default/app-1@eu");
    const moved = nextSnapshots(gone, [shop(groups.slice(0, 1), other)], LISTENER, classes);
    const back = [shop(groups, other)];
    const [after, fresh] = [moved, NO_SNAPSHOTS].map((from) => nextSnapshots(from, back, LISTENER, classes).byPlace.get("here")!);
    for (const type of ["cluster", "loadAssignment"] as const)
      for (const name of ["default/app-1", "default/app-1@eu"])
        expect(after![type].byName.get(name)?.bytes).toEqual(fresh![type].byName.get(name)!.bytes);
  });

  test("Envoys with listeners of their own are told nothing of groups: all of their clients would be of no class", () => {
    const own = nextSnapshots(NO_SNAPSHOTS, [shop(groups)], undefined, CLASSES).byPlace.get("here")!;
    expect(own.cluster.list.map(({ name }) => name)).toEqual(["default/app-1"]);
    expect(own.listener.list).toEqual([]);
  });
});
