import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testInventory, testOverride, testRoute } from "../../test/support/world/build-route.ts";
import type { Cluster, Override } from "../model/inventory.ts";
import { clusterState, isInForce, NO_ORDERS, ordersDue, ordersOf } from "./orders.ts";

const cluster = (name: string): Override["target"] => ({ kind: "MemberCluster", name });
const shop: Override["target"] = { kind: "GlobalRoute", namespace: "default", name: "shop" };
const route = testRoute([testBackend("dublin", 1, { name: "blue" }), testBackend("dublin", 2, { name: "green" }), testBackend("tokyo", 3)]);
const orders = (overrides: readonly Override[], clusters?: readonly Cluster[], now = 1000) =>
  ordersOf(route, testInventory([route], { overrides, ...(clusters === undefined ? {} : { clusters }) }), now);

describe("when an override is in force", () => {
  test.each([
    { name: "without times: always", times: {}, inForce: true },
    { name: "from its start on", times: { start: 1000 }, inForce: true },
    { name: "not before", times: { start: 1001 }, inForce: false },
    { name: "up to its end", times: { until: 1001 }, inForce: true },
    { name: "not at its end", times: { until: 1000 }, inForce: false },
  ])("$name", ({ times, inForce }) => expect(isInForce(testOverride("Drain", shop, times), 1000)).toBe(inForce));

  test("the next instant at which one begins or ends", () => {
    const due = (...times: readonly Partial<Override>[]) =>
      ordersDue(
        times.map((one) => testOverride("Drain", shop, one)),
        1000,
      );
    expect(due({ start: 500, until: 5000 }, { start: 3000, until: 9000 })).toBe(3000);
    expect(due({ start: 1000 }, { until: 1000 })).toBe(Number.POSITIVE_INFINITY);
    expect(due()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("whom an override reaches", () => {
  const cases: readonly { name: string; target: Override["target"]; drained: readonly string[] }[] = [
    { name: "every backend in a cluster", target: cluster("dublin"), drained: ["blue", "green"] },
    { name: "every backend of a route", target: shop, drained: ["blue", "green", "tokyo"] },
    { name: "the named one", target: { ...shop, backend: "green" }, drained: ["green"] },
    { name: "no route of that name elsewhere", target: { ...shop, namespace: "other" }, drained: [] },
    { name: "no other route", target: { ...shop, name: "other" }, drained: [] },
    { name: "no other cluster", target: cluster("berlin"), drained: [] },
  ];
  test.each(cases)("$name", ({ target, drained }) => expect([...orders([testOverride("Drain", target)]).draining]).toEqual(drained));

  test("each act is an order of its own", () => {
    const green = { ...shop, backend: "green" };
    const all = (["Drain", "Cordon", "ForceUp", "Freeze", "ConfirmWithdrawal", "ApproveFailback"] as const).map((action) =>
      orders([testOverride(action, green, { start: 900 })]),
    );
    expect(
      all.map(({ draining, cordoned, forcedUp, frozen, confirmed, approvedAt }) => [
        draining.size,
        cordoned.size,
        forcedUp.size,
        frozen.size,
        confirmed.size,
        approvedAt.size,
      ]),
    ).toEqual([0, 1, 2, 3, 4, 5].map((one) => [0, 1, 2, 3, 4, 5].map((other) => (one === other ? 1 : 0))));
  });

  test("of several approvals the newest counts; one without a start counts as of now", () => {
    const approve = (start?: number) => testOverride("ApproveFailback", shop, start === undefined ? {} : { start });
    expect(orders([approve(700), approve(900), approve(800)]).approvedAt.get("blue")).toBe(900);
    expect(orders([approve(700), approve()]).approvedAt.get("tokyo")).toBe(1000);
  });
});

describe("the state of a cluster is the worse of its owner's wish and the overrides", () => {
  const drain = testOverride("Drain", cluster("dublin"));
  const cordon = testOverride("Cordon", cluster("dublin"));
  const cases: readonly { state: Cluster["state"]; overrides: readonly Override[]; is: Cluster["state"] }[] = [
    { state: "Active", overrides: [], is: "Active" },
    { state: "Active", overrides: [drain], is: "Draining" },
    { state: "Active", overrides: [drain, cordon], is: "Cordoned" },
    { state: "Draining", overrides: [], is: "Draining" },
    { state: "Draining", overrides: [cordon], is: "Cordoned" },
    { state: "Cordoned", overrides: [drain], is: "Cordoned" },
    { state: "Active", overrides: [testOverride("Drain", cluster("tokyo")), testOverride("Freeze", cluster("dublin"))], is: "Active" },
    { state: "Active", overrides: [{ ...drain, until: 1000 }], is: "Active" },
  ];
  test.each(cases)("$state and $overrides.length overrides: $is", ({ state, overrides, is }) => {
    expect(clusterState(testCluster("dublin", { state }), overrides, 1000)).toBe(is);
  });
  test("its wish reaches its backends in every route", () => {
    const found = orders([], [testCluster("dublin", { state: "Draining" }), testCluster("tokyo", { state: "Cordoned" })]);
    expect([[...found.draining], [...found.cordoned]]).toEqual([["blue", "green"], ["tokyo"]]);
  });
});

test("of what is asked of other routes, or not at this time, nothing is seen: it is the one value for no orders", () => {
  expect(orders([])).toBe(NO_ORDERS);
  expect(orders([{ ...testOverride("Drain", shop), until: 1000 }])).toBe(NO_ORDERS);
  expect(orders([testOverride("Drain", { kind: "GlobalRoute", namespace: "default", name: "another" })])).toBe(NO_ORDERS);
  expect(orders([testOverride("Drain", cluster("nowhere"))])).toBe(NO_ORDERS);
  expect(orders([testOverride("Drain", shop)])).not.toBe(NO_ORDERS);
});
