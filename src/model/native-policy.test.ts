import { describe, expect, test } from "vitest";
import { testBackend, testRoute, testRule } from "../../test/support/world/build-route.ts";
import type { Route } from "./inventory.ts";
import { nativePolicy, tellableRules, uncheckable } from "./native-policy.ts";

const BACKENDS = [testBackend("dublin", 0, { addresses: ["20.0.0.1"] }), testBackend("tokyo", 0, { addresses: ["20.0.0.2"] })];
const route = (more: Partial<Route> = {}): Route => testRoute(BACKENDS, more);

describe("rules that ask for more than the provider knows of clients", () => {
  const bound = (mode: "Require" | "Prefer", clients: Parameters<typeof testRule>[2]) =>
    tellableRules([testRule("rule", mode, clients, ["dublin"])]).map((rule) => rule.clients);
  test("networks of operators: a Require rule binds everybody, a Prefer rule nobody by them", () => {
    expect(bound("Require", { asns: [64500], countries: ["DE"] })).toMatchObject([{ continents: { length: 7 }, countries: [], asns: [] }]);
    expect(bound("Prefer", { asns: [64500], countries: ["DE"] })).toMatchObject([{ countries: ["DE"], asns: [] }]);
    expect(bound("Prefer", { asns: [64500] })).toEqual([]);
  });
  test("subdivisions outside the US: the whole country, or nobody there", () => {
    expect(bound("Require", { subdivisions: ["DE-BY", "US-WA"] })).toMatchObject([{ countries: ["DE"], subdivisions: ["US-WA"] }]);
    expect(bound("Prefer", { subdivisions: ["DE-BY", "US-WA"] })).toMatchObject([{ countries: [], subdivisions: ["US-WA"] }]);
  });
  test("long subnets: the wider one, or none", () => {
    expect(bound("Require", { subnets: ["192.0.2.77/32", "2001:db8:1:2::/64"] })).toMatchObject([
      { subnets: ["192.0.2.0/24", "2001:db8:1::/48"] },
    ]);
    expect(bound("Prefer", { subnets: ["192.0.2.77/32", "198.51.100.0/24"] })).toMatchObject([{ subnets: ["198.51.100.0/24"] }]);
    expect(bound("Require", { subnets: ["0.0.0.0/0"] })).toMatchObject([{ subnets: ["0.0.0.0/1", "128.0.0.0/1"] }]);
  });
});

describe("what the provider cannot look at", () => {
  const health = (more: Partial<Route["health"]["probe"]>): Route["health"] => {
    const { health: usual } = route();
    return { ...usual, probe: { ...usual.probe, type: "HTTP", expect: { status: [{ from: 200, to: 399 }] }, ...more } };
  };
  test.each([
    ["gRPC", health({ type: "GRPC" }), "20.0.0.1", /no probes of type GRPC/],
    ["TLS alone", health({ type: "TLS" }), "20.0.0.1", /no probes of type TLS/],
    ["a status of its own", health({ expect: { status: [{ from: 204, to: 204 }] } }), "20.0.0.1", /every status from 200 to 399/],
    ["a long body", health({ expect: { status: [{ from: 200, to: 399 }], body: "x".repeat(256) } }), "20.0.0.1", /255 characters/],
    ["a private address", health({}), "10.0.0.1", /10\.0\.0\.1 is not on the public internet/],
    ["an address for texts", health({}), "2001:db8::1", /not on the public internet/],
  ] as const)("%s", (_, policy, address, told) => {
    expect(uncheckable(policy, address)).toMatch(told);
  });
  test.each([
    ["HTTP", health({})],
    ["TCP", route().health],
  ])("%s is looked at", (_, policy) => {
    expect(uncheckable(policy, "20.0.0.1")).toBeUndefined();
    expect(uncheckable(policy, "2600::1")).toBeUndefined();
  });
});

test("a route of which nothing is lost is told nothing", () => {
  expect(nativePolicy(route())).toBeUndefined();
  expect(nativePolicy(route({ order: "Weighted" }))).toBeUndefined();
  expect(nativePolicy(route({ alpn: ["h2"] }), true)).toBeUndefined(); // where the provider takes HTTPS records
  expect(
    nativePolicy(route({ order: "Priority", rules: [testRule("gdpr", "Require", { continents: ["EU"] }, ["dublin"])] })),
  ).toBeUndefined();
});

test.each([
  ["tolerance", { tolerance: { distanceKm: 300 } }, "each client gets the first cluster alone"],
  ["order Latency", { order: "Latency" }, "latencies are Amazon's"],
  ["sticky", { order: "Weighted", sticky: "ClientSubnet" }, "every query is shared out anew"],
  ["spread", { spread: 2 }, "an answer names one cluster"],
  ["alpn", { alpn: ["h2"] }, "no HTTPS record"],
  ["asns", { rules: [testRule("isp", "Require", { asns: [64500] }, ["dublin"])] }, "Require rules with asns bind everybody"],
  [
    "the probe",
    { backends: [testBackend("dublin", 0, { addresses: ["10.0.0.1"] })] },
    "by our writes, because 10.0.0.1 is not on the public internet",
  ],
] as const)("%s is told, with what is published instead", (part, more, instead) => {
  expect(nativePolicy(route(more))).toEqual({ lost: [part], instead: expect.stringContaining(instead) });
});
