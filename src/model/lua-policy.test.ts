import { expect, test } from "vitest";
import { testBackend, testFailover, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { luaPolicy } from "./lua-policy.ts";

const SITES = [testBackend("dublin", 1), testBackend("tokyo", 2, { weight: 0 })];

test("nothing is lost of orders, tolerance, rules, weights and sticky clients", () => {
  const rules = [testRule("gdpr", "Require", { continents: ["EU"], asns: [64500], subnets: ["192.0.2.0/28"] }, ["dublin"])];
  expect(luaPolicy(testRoute(SITES, { rules, sticky: "ClientSubnet", spread: 2, tolerance: { distanceKm: 300 } }))).toBeUndefined();
});

test("spread is told while some trickle to the next cluster", () => {
  const route = testRoute(SITES, { alpn: ["h2"], spread: 2, failover: testFailover({ tricklePercent: 5 }) });
  expect(luaPolicy(route)).toMatchObject({ lost: ["spread"] });
});
