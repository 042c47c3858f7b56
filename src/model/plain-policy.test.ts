import { describe, expect, test } from "vitest";
import { route } from "../../test/support/dns-world.ts";
import type { Backend, Route, Rule } from "./inventory.ts";
import { plainPolicy } from "./plain-policy.ts";

const backend = (cluster: string, weight = 100): Backend => ({
  ...{ name: cluster, cluster, addresses: ["192.0.2.1"], weight, priority: 0, bias: 0 },
});
const clients = { continents: ["EU"], countries: [], subdivisions: [], asns: [], subnets: [] };
const rule = (to: readonly string[], mode: Rule["mode"]): Rule => ({ name: to.join("-"), to, mode, unknownPlace: "Skip", clients });
const PLAIN = { rules: [], order: "Priority" } as const;

describe("what is lost where everyone gets the same answer", () => {
  const cases: readonly { name: string; backends?: readonly Backend[]; more: Partial<Route>; lost: readonly string[] }[] = [
    { name: "nothing of a plain order of priorities", more: {}, lost: [] },
    { name: "nothing with one cluster", backends: [backend("east")], more: { order: "Nearest", sticky: "ClientSubnet" }, lost: [] },
    { name: "nearness", more: { order: "Nearest" }, lost: ["order"] },
    { name: "latency", more: { order: "Latency" }, lost: ["order"] },
    { name: "shares", backends: [backend("east"), backend("west", 10)], more: { order: "Weighted" }, lost: ["weights"] },
    { name: "nothing by a warm standby", backends: [backend("east"), backend("west", 0)], more: { order: "Weighted" }, lost: [] },
    { name: "preferences", more: { rules: [rule(["west"], "Prefer")] }, lost: ["Prefer rules"] },
    { name: "stickiness", more: { sticky: "ClientSubnet" }, lost: ["sticky"] },
    { name: "HTTPS records", more: { alpn: ["h2"] }, lost: ["alpn"] },
  ];
  test.each(cases)("$name", ({ backends = [backend("east"), backend("west")], more, lost }) => {
    const policy = plainPolicy(route("shop", ["shop.example.org"], backends, { ...PLAIN, ...more }));
    expect(policy?.lost ?? []).toEqual(lost);
    if (policy !== undefined) expect(policy.instead).toMatch(/^every client gets .*, from east, west$/);
  });

  test("with Require rules only what all of them allow is left, which may be nothing", () => {
    const backends = [backend("east"), backend("west")];
    const of = (...rules: readonly Rule[]) => plainPolicy(route("shop", ["shop.example.org"], backends, { ...PLAIN, rules }));
    expect(of(rule(["west"], "Require"))).toEqual({
      lost: ["Require rules"],
      instead: "every client gets what serves a client of unknown place, from west",
    });
    expect(of(rule(["west"], "Require"), rule(["east"], "Require"))?.instead).toContain("nothing is published");
  });
});

test("HTTPS records are not lost where the provider takes them", () => {
  const one = route("shop", ["shop.example.org"], [backend("east")], { ...PLAIN, alpn: ["h2"] });
  expect(plainPolicy(one, true)).toBeUndefined();
});
