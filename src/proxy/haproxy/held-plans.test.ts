import { expect, test } from "vitest";
import { edgeBackend, edgePlanOf, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import type { EdgePlan } from "../edge-plan.ts";
import { holdBackends, withHeld } from "./held-plans.ts";
import { layoutOf } from "./layout.ts";
import type { ServerRow, ServersState } from "./servers-state.ts";

const A = edgeBackend("a", ["192.0.2.1"]);
const A_DOWN = edgeBackend("a", ["-192.0.2.1"]);
const B = edgeBackend("b", ["192.0.2.2"]);
const B_DOWN = edgeBackend("b", ["-192.0.2.2"]);
const B_MORE = edgeBackend("b", ["192.0.2.2", "192.0.2.22"]);
const C = edgeBackend("c", ["192.0.2.3"]);

const rows = (...addresses: readonly string[]): readonly ServerRow[] =>
  addresses.map((address, i) => ({
    ...{ name: `s${i + 1}`, address: address.replace(/^-/, ""), port: 80, weight: 256 },
    ...{ isReady: !address.startsWith("-"), isDown: false },
  }));
/** What HAProxy has of the route's own plan. */
const stateOf = (serving: readonly ServerRow[]): ServersState =>
  new Map([
    ["shop:web_serving", serving],
    ["shop:web_next", []],
    ["shop:web_last", []],
  ]);

const cases: readonly {
  name: string;
  had: readonly ServerRow[];
  plan: EdgePlan;
  group: EdgePlan;
  gets: readonly string[];
  direct?: string;
}[] = [
  {
    name: "whom it had serves on, not who is to",
    ...{ had: rows("192.0.2.2", "-192.0.2.1"), plan: edgePlanOf([A]), group: edgePlanOf([B]) },
    ...{ gets: ["192.0.2.2"], direct: "192.0.2.2" },
  },
  {
    name: "an endpoint that has come meanwhile waits",
    ...{ had: rows("192.0.2.2"), plan: edgePlanOf([A]), group: edgePlanOf([B_MORE]) },
    ...{ gets: ["192.0.2.2"], direct: "192.0.2.2" },
  },
  {
    name: "who is down is taken away, who is left serves on",
    ...{ had: rows("192.0.2.2", "192.0.2.3"), plan: edgePlanOf([A]), group: edgePlanOf([B_DOWN, C]) },
    ...{ gets: ["192.0.2.3"], direct: "192.0.2.3" },
  },
  {
    name: "when nobody is left that it had, those serve who are free to serve all of the route's clients",
    ...{ had: rows("192.0.2.2"), plan: edgePlanOf([A, C]), group: edgePlanOf([C], [B_DOWN]) },
    ...{ gets: ["192.0.2.3"], direct: "192.0.2.3" },
  },
  {
    name: "when nobody is left that it had and a rule is about everybody else, nobody serves",
    ...{ had: rows("192.0.2.2"), plan: edgePlanOf([A]), group: edgePlanOf([B_DOWN]) },
    gets: [],
  },
  {
    name: "a rule that only prefers keeps nobody from a failover",
    ...{ had: rows("192.0.2.1", "-192.0.2.2"), plan: edgePlanOf([A_DOWN], [B]), group: edgePlanOf([B], [A_DOWN]) },
    ...{ gets: ["192.0.2.2"], direct: "192.0.2.2" },
  },
];
test.each(cases)("$name", ({ had, plan, group, gets, direct }) => {
  const layout = layoutOf({ routes: [haproxyRoute(plan, { groups: [{ name: "in", classes: ["in"], plan: group }] })], classes: [] });
  const held = holdBackends(layout, new Set(["shop:web"]), stateOf(had), new Map());
  const found = withHeld(layout, held).plans.find(({ name }) => name === "shop:web")!;
  const getting = found.ranks[0]!.servers.filter(({ weight }) => weight > 0);
  expect(getting.map(({ address }) => address)).toEqual(gets);
  expect(found.direct?.address).toBe(direct);
});

test("routes that do not wait are left as they are, and what was there when waiting began counts until it ends", () => {
  const layout = layoutOf({ routes: [haproxyRoute(edgePlanOf([A])), haproxyRoute(edgePlanOf([B]), { name: "api" })], classes: [] });
  const first = stateOf(rows("192.0.2.1"));
  const held = holdBackends(layout, new Set(["shop:web"]), first, new Map());
  expect(held).toEqual(first);
  expect(holdBackends(layout, new Set(["shop:web"]), stateOf(rows("-192.0.2.1")), held)).toEqual(first);
  expect(holdBackends(layout, new Set(), first, held)).toEqual(new Map());
  expect(withHeld(layout, held).plans).toEqual(layout.plans);
  expect(withHeld(layout, new Map())).toBe(layout);
});
