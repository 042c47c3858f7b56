import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeBackend, edgePlanOf, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import { testBackend, testInventory, testRoute } from "../../../test/support/world/build-route.ts";
import { compileTestTable, everythingUsable } from "../../../test/support/world/compile-test-world.ts";
import { policyOf } from "../../routing/policy.ts";
import { Standing } from "../../routing/table.ts";
import { type EdgePlan, edgePlan } from "../edge-plan.ts";
import { createLayouter, type HaproxyRoute, type HaproxyWorld, layoutOf } from "./layout.ts";
import { groupBackend, isRankBackend, rankBackend, routeBackend } from "./names.ts";

const A = edgeBackend("a", ["192.0.2.1", "192.0.2.2"]);
const B = edgeBackend("b", ["192.0.2.3"]);
const C = edgeBackend("c", ["192.0.2.4"]);

/** Rank → `address=weight`, of those that get requests. */
function told(plan: EdgePlan, more: Partial<HaproxyRoute> = {}) {
  const { plans } = layoutOf({ routes: [haproxyRoute(plan, more)], classes: [] });
  return Object.fromEntries(
    plans[0]!.ranks.map(({ rank, servers }) => [
      rank,
      servers
        .filter(({ weight }) => weight > 0)
        .map(({ address, weight }) => `${address}=${weight}`)
        .join(" "),
    ]),
  );
}

const A_WHOLE = "192.0.2.1=256 192.0.2.2=256";
const cases: readonly { name: string; plan: EdgePlan; serving: string; next: string; last: string }[] = [
  { name: "one cluster is its own fallback", plan: edgePlanOf([A]), serving: A_WHOLE, next: A_WHOLE, last: A_WHOLE },
  {
    name: "the tier below is tried next, the first again",
    plan: edgePlanOf([A], [B]),
    serving: A_WHOLE,
    next: "192.0.2.3=256",
    last: A_WHOLE,
  },
  {
    name: "three tiers are tried in their order",
    plan: edgePlanOf([B], [A], [C]),
    serving: "192.0.2.3=256",
    next: A_WHOLE,
    last: "192.0.2.4=256",
  },
  {
    name: "in a tier of several the fallbacks are the two heaviest clusters",
    plan: edgePlanOf([edgeBackend("b", ["192.0.2.3"], 100_000), A, edgeBackend("c", ["192.0.2.4"], 500_000)]),
    serving: "192.0.2.3=51 192.0.2.1=256 192.0.2.2=256 192.0.2.4=256",
    next: A_WHOLE,
    last: "192.0.2.4=256",
  },
  {
    name: "a tier where nobody serves is passed over",
    plan: edgePlanOf([edgeBackend("a", ["-192.0.2.1"])], [B], [C]),
    ...{ serving: "192.0.2.3=256", next: "192.0.2.4=256", last: "192.0.2.3=256" },
  },
  {
    name: "the least share still gets something",
    plan: edgePlanOf([B, edgeBackend("c", ["192.0.2.4"], 1)]),
    serving: "192.0.2.3=256 192.0.2.4=1",
    next: "192.0.2.3=256",
    last: "192.0.2.4=256",
  },
  { name: "nobody may serve: nobody gets anything", plan: edgePlanOf([edgeBackend("a", ["-192.0.2.1"])]), serving: "", next: "", last: "" },
  {
    name: "a host name is no endpoint",
    plan: edgePlanOf([edgeBackend("a", ["lb.example.org"])], [B]),
    serving: "192.0.2.3=256",
    next: "192.0.2.3=256",
    last: "192.0.2.3=256",
  },
];
test.each(cases)("$name", ({ plan, name: _, ...wanted }) => expect(told(plan)).toEqual(wanted));

test("a warm standby serves alone when nobody with a weight can", () => {
  const route = testRoute([testBackend("frankfurt", 1), testBackend("dublin", 2, { weight: 0, addresses: ["192.0.2.2"] })]);
  const inventory = testInventory([route]);
  const { table, measures } = compileTestTable(inventory, []);
  everythingUsable(table);
  table.state.standing.fill(Standing.Unhealthy, 0, 2);
  const policy = policyOf(route, inventory, new Map(inventory.clusters.map(({ name }, i) => [name, i])), new Map());
  const place = { latitude: 50, longitude: 8 };
  const [plan] = layoutOf({ routes: [haproxyRoute(edgePlan({ table, route, index: 0, policy, measures, place }))], classes: [] }).plans;
  expect(plan!.direct).toMatchObject({ address: "192.0.2.2", weight: 256 });
});

test("the first rank knows all endpoints of the plan, so that a failover moves nobody else", () => {
  const { plans } = layoutOf({ routes: [haproxyRoute(edgePlanOf([A], [edgeBackend("b", ["-192.0.2.3"])]))], classes: [] });
  expect(plans[0]!.ranks.map(({ servers }) => servers.length)).toEqual([3, 2, 2]);
});

describe("maps", () => {
  const { maps } = layoutOf({
    routes: [
      haproxyRoute(edgePlanOf([A]), {
        hosts: ["shop.example.org", "*.example.org", "*.eu.example.org", "x\nglobal"],
        groups: [{ name: "office", classes: ["office"], plan: edgePlanOf([B]) }],
      }),
      haproxyRoute(edgePlanOf([B]), { name: "api", hosts: ["api.example.org", "shop.example.org"] }),
    ],
    classes: [{ name: "office", networks: ["198.51.100.0/24", "2001:db8:1::/48", "198.51.100.0/24 x\n", "everywhere"] }],
  });
  test("hosts are those that are hosts, each of the first route that has it", () =>
    expect(maps.hosts).toEqual([
      ["api.example.org", "shop:api"],
      ["shop.example.org", "shop:web"],
    ]));
  test("the longest wildcard comes first", () =>
    expect(maps.wildcards).toEqual([
      [".eu.example.org", "shop:web"],
      [".example.org", "shop:web"],
    ]));
  test("clients are networks alone", () =>
    expect(maps.clients).toEqual([
      ["198.51.100.0/24", "office"],
      ["2001:db8:1::/48", "office"],
    ]));
  test("a class has a plan where the route says so", () => expect(maps.plans).toEqual([["shop:web:office", "shop:web:office"]]));
});

describe("a layouter", () => {
  const plan = fc.constantFrom(edgePlanOf([A], [B]), edgePlanOf([B]), edgePlanOf([edgeBackend("a", ["-192.0.2.1"])], [C]), edgePlanOf());
  const route = fc.record({
    name: fc.constantFrom("r1", "r2", "r3", "r4"),
    hosts: fc.subarray(["a.example.org", "b.example.org", "*.example.org", "*.eu.example.org"]),
    sticky: fc.constantFrom("None" as const, "ClientSubnet" as const),
    plan,
    groups: fc
      .dictionary(fc.constantFrom("office", "home"), plan)
      .map((plans) => Object.entries(plans).map(([name, own]) => ({ name, classes: [name], plan: own }))),
  });
  const routes = fc
    .uniqueArray(route, { maxLength: 4, selector: ({ name }) => name })
    .map((all) => all.map((one) => haproxyRoute(one.plan, one)));
  const classes = fc.constantFrom<HaproxyWorld["classes"]>([], [{ name: "office", networks: ["198.51.100.0/24"] }]);
  /** Some of the routes of before stay the objects that they were. */
  const worlds = fc
    .array(fc.tuple(routes, classes, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })), { minLength: 2, maxLength: 6 })
    .map((all) => {
      let before: readonly HaproxyRoute[] = [];
      return all.map(([own, tellApart, stays]): HaproxyWorld => {
        const kept = before.filter((_, i) => stays[i]);
        before = [...kept, ...own.filter(({ name }) => !kept.some((one) => one.name === name))];
        return { routes: before, classes: tellApart };
      });
    });
  test("makes of one world after another what each makes alone", () => {
    fc.assert(
      fc.property(worlds, (all) => {
        const layOut = createLayouter();
        for (const world of all) expect(layOut(world)).toEqual(layoutOf(world));
      }),
    );
  });
  test("lays out a route again only when it is another object, and the same world not at all", () => {
    const layOut = createLayouter();
    const [one, other] = [haproxyRoute(edgePlanOf([A])), haproxyRoute(edgePlanOf([B]), { name: "z", hosts: ["z.example.org"] })];
    const before = layOut({ routes: [one, other], classes: [] });
    expect(layOut({ routes: [one, other], classes: [] })).toBe(before);
    const after = layOut({ routes: [{ ...one, plan: edgePlanOf([C]) }, other], classes: [] });
    expect(after.plans[0]).not.toEqual(before.plans[0]);
    expect(after.plans[1]).toBe(before.plans[1]);
    expect(after.maps).toBe(before.maps);
  });
});

test("no two names of objects make one name of a backend", () => {
  const words = ["a", "b", "a.b", "a:b", "a_b", "serving", "a_serving", "ä", "a b", "A", "_61"];
  const names = words.flatMap((namespace) =>
    words.flatMap((name) => [
      routeBackend({ namespace, name }),
      rankBackend(routeBackend({ namespace, name }), "serving"),
      ...words.flatMap((one) => [groupBackend({ namespace, name }, one), rankBackend(groupBackend({ namespace, name }, one), "next")]),
    ]),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-zA-Z0-9._:-]+$/.test(name))).toEqual([]);
  expect(names.filter(isRankBackend).length).toBe(names.length / 2);
});
