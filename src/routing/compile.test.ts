import { describe, expect, test } from "vitest";
import { testBackend, testCluster, testFailover, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { Backend, Inventory, Route } from "../model/inventory.ts";
import { parsePrefix } from "../model/ip.ts";
import { seconds } from "../model/units.ts";
import { decide } from "./decide.ts";
import { ROUTE_HOLD_LAST, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, ROUTE_STICKY, type RoutingTable, Standing } from "./table.ts";

const THREE = ["dublin", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
const compiled = (routes: readonly Route[], more: Partial<Inventory> = {}) => compileTestTable(testInventory(routes, more), [COUNTRY_FILE]);
const named = (name: string, more: Partial<Route> = {}): Route => testRoute(THREE, { name, hosts: [`${name}.example.org`], ...more });

describe("what routes share", () => {
  const counts = ({ partitions, hot }: RoutingTable) => ({
    policies: hot.policyPartition.length,
    partitions: partitions.length,
    plans: hot.planTiers.length - 1,
    tiers: hot.tierSlots.length,
    slots: hot.slotOwner.length,
  });
  const one = counts(compiled([named("a")]).table);

  test("routes of one policy share all of it, whatever their names, addresses, TTLs and health say", () => {
    const other = named("b", {
      ttl: { min: seconds(1), max: seconds(2) },
      answers: 7,
      sticky: "ClientSubnet",
      backends: THREE.map((backend, i) => ({ ...backend, name: `other-${i}`, addresses: [`198.51.100.${i}`] })),
    });
    expect(counts(compiled([named("a"), other]).table)).toEqual(one);
  });
  test("weights make another policy, not another partition", () => {
    const other = named("b", { backends: THREE.map((backend) => ({ ...backend, weight: 7 })) });
    const both = counts(compiled([named("a"), other]).table);
    expect([both.policies, both.partitions]).toEqual([2, 1]);
  });
  test("policies that cut the world alike share a partition, be their plans different", () => {
    const other = named("b", { backends: THREE.map((backend) => ({ ...backend, priority: 1 })) });
    const both = counts(compiled([named("a"), other]).table);
    expect([both.policies, both.partitions, both.plans]).toEqual([2, 1, 2 * one.plans]);
  });
  test("a Require rule makes another one, even if it cuts alike", () => {
    const rule = (mode: "Require" | "Prefer", name: string) =>
      named(name, { order: "Weighted", rules: [testRule("r", mode, { countries: ["DE"] }, ["dublin"])] });
    expect(compiled([rule("Require", "a"), rule("Prefer", "b")]).table.partitions).toHaveLength(2);
    expect(compiled([rule("Prefer", "a"), rule("Prefer", "b")]).table.partitions).toHaveLength(1);
  });
  test("equal tiers of different policies share slots", () => {
    const weighted = (name: string) =>
      named(name, { order: "Weighted", rules: [testRule(name, "Prefer", { countries: ["DE"] }, ["dublin", "tokyo"])] });
    const first = compiled([weighted("a")]).table.hot.slotOwner.length;
    expect(compiled([weighted("a"), named("b", { order: "Weighted" })]).table.hot.slotOwner.length).toBe(first);
  });
});

describe("flags", () => {
  const flags = (more: Partial<Route>, inventory: Partial<Inventory> = {}) =>
    compiled([testRoute(more.backends ?? THREE, more)], inventory).table.hot.routeFlags[0]!;
  const families = (more: Partial<Route>, inventory: Partial<Inventory> = {}) =>
    flags(more, inventory) & (ROUTE_OFFERS_A | ROUTE_OFFERS_AAAA);
  const v4 = (name: string, more: Partial<Backend> = {}) => testBackend(name, 9, { addresses: ["192.0.2.9"], ...more });
  const v6 = (name: string, more: Partial<Backend> = {}) => testBackend(name, 9, { addresses: ["2001:db8::9"], ...more });
  const both = (name: string) => testBackend(name, 8);
  const A = ROUTE_OFFERS_A;
  const AAAA = ROUTE_OFFERS_AAAA;

  test("sticky and hold", () => {
    expect(flags({ sticky: "ClientSubnet" }) & ROUTE_STICKY).not.toBe(0);
    expect(flags({}) & (ROUTE_STICKY | ROUTE_HOLD_LAST)).toBe(0);
    expect(flags({ failover: testFailover({ whenAllUnhealthy: "HoldLast" }) }) & ROUTE_HOLD_LAST).not.toBe(0);
  });
  test.each([
    { name: "Common: both when all have both", backends: [both("dublin"), both("tokyo")], families: "Common", offers: A | AAAA },
    { name: "Common: A alone when one lacks IPv6", backends: [both("dublin"), v4("tokyo")], families: "Common", offers: A },
    {
      name: "Common: a standby does not count",
      backends: [both("dublin"), v4("tokyo", { weight: 0 })],
      families: "Common",
      offers: A | AAAA,
    },
    {
      name: "Common: all count when all weights are 0",
      backends: [both("dublin"), v4("tokyo", { weight: 0 })].map((backend) => ({ ...backend, weight: 0 })),
      families: "Common",
      offers: A,
    },
    {
      name: "Common: with no family in common each beats none",
      backends: [v6("dublin"), v4("tokyo")],
      families: "Common",
      offers: A | AAAA,
    },
    { name: "Each: what anybody has", backends: [both("dublin"), v4("tokyo")], families: "Each", offers: A | AAAA },
    {
      name: "a host name that is not resolved may have both: NODATA must not come of an incident",
      backends: [{ ...v4("dublin"), addresses: ["host.example.org"] }],
      families: "Common",
      offers: A | AAAA,
    },
    { name: "Each: nobody has IPv6", backends: [v4("dublin"), v4("tokyo")], families: "Each", offers: A },
  ] as const)("$name", ({ backends, families: wish, offers }) => expect(families({ backends, families: wish })).toBe(offers));
  test("a cluster of weight 0 makes its backends standbys here too", () => {
    const clusters = [testCluster("dublin"), testCluster("tokyo", { weight: 0 })];
    expect(families({ backends: [both("dublin"), v4("tokyo")] }, { clusters })).toBe(A | AAAA);
  });
});

describe("a fresh table", () => {
  const { table } = compiled([testRoute([{ ...THREE[0]!, addresses: ["192.0.2.1", "host.example.org"] }, ...THREE.slice(1)])]);
  test("knows nothing of anybody's health, and answers for all that", () => {
    expect(decide(table, 0, parsePrefix(CLIENTS.DE)!, 0, 0, 0)).toMatchObject({ mode: "FailOpenUnknown", clusters: ["dublin"], ttl: 5 });
  });
  test("leaves out host names that are not resolved, and knows which families are missing", () => {
    expect(table.names.addresses).not.toContain("host.example.org");
    expect(table.state.standing[1]).toBe(Standing.Absent);
  });
  test("survives a structured clone that shares its arrays", () => {
    const clone = structuredClone(table);
    everythingUsable(clone);
    expect(decide(table, 0, parsePrefix(CLIENTS.US)!, 0, 0, 0)).toMatchObject({ mode: "Usable", clusters: ["virginia"] });
  });
  test("holds no more addresses of one backend than an answer can draw from", () => {
    const many = testBackend("dublin", 1, { addresses: Array.from({ length: 100 }, (_, i) => `198.51.100.${i}`) });
    expect(compiled([testRoute([many])]).table.names.addresses).toHaveLength(64);
  });
});

describe("the scope budget", () => {
  const routes = [named("a"), named("b", { order: "Weighted" })];
  test("0 makes every partition a fallback, and scopes the networks of the file", () => {
    const { table, scopeFallbacks } = compileTestTable(testInventory(routes), [COUNTRY_FILE], { scopeBudget: 0 });
    everythingUsable(table);
    expect(scopeFallbacks).toBe(2);
    expect(decide(table, 1, parsePrefix(CLIENTS.DE)!, 0, 0, 0).scope).toBe(27);
    expect(decide(compiled(routes).table, 1, parsePrefix(CLIENTS.DE)!, 0, 0, 0).scope).toBe(0);
  });
  test("what fits is not a fallback", () => expect(compiled(routes).scopeFallbacks).toBe(0));
});

test("an empty inventory compiles", () => {
  const { table } = compiled([]);
  expect([table.partitions.length, table.hot.routeBackends.length, table.names.routes.length]).toEqual([0, 1, 0]);
});
