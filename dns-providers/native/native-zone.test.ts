import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Route } from "../../src/model/inventory.ts";
import { type RoutingTable, Standing } from "../../src/routing/table.ts";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { DesiredSet } from "../change.ts";
import { nativeZone } from "./native-zone.ts";

const SCOPE = { domain: "example.org", owner: "prod-eu" };
const at = (cluster: string, ...addresses: readonly string[]) => testBackend(cluster, 0, { addresses });
const DUBLIN = at("dublin", "20.0.0.1");
const TOKYO = at("tokyo", "20.0.0.2");
const PAULO = at("paulo", "20.0.0.3");
const shop = (name: string, more: Partial<Route> = {}): Route =>
  testRoute([DUBLIN, TOKYO, PAULO], { name, hosts: [`${name}.example.org`], ...more });

function draw(routes: readonly Route[], change: (table: RoutingTable) => void = () => {}): readonly DesiredSet[] {
  const inventory = testInventory(routes);
  const { table } = compileTestTable(inventory, []);
  everythingUsable(table);
  change(table);
  return nativeZone({
    ...{ table, routes, clusters: inventory.clusters, isInZone: () => true, scope: SCOPE },
    digest: (text) => createHash("sha256").update(text).digest("hex"),
    aliasZone: (host) => (host.endsWith(".elb.amazonaws.com") ? "ZELB" : undefined),
  });
}
const setStanding = (route: number, position: number, standing: Standing) => (table: RoutingTable) => {
  const row = table.hot.routeBackends[route]! + position;
  table.state.standing[2 * row] = standing;
  table.state.addressStanding[table.hot.backendAddresses[2 * row]!] = standing;
};
const label = ({ name }: DesiredSet): string => name.slice(0, name.indexOf("."));
const keys = (sets: readonly DesiredSet[]): readonly string[] => sets.map((set) => `${label(set)} ${set.routing?.id ?? ""}`).sort();
const hostOf = (sets: readonly DesiredSet[], name: string): string | undefined =>
  sets.find((set) => set.name === `${name}.example.org`)?.alias?.target;

test("routes of one policy share their helpers, and one of another has its own", () => {
  const alone = draw([shop("a")]);
  const three = draw([shop("a"), shop("b"), shop("c", { order: "Weighted" })]);
  expect(hostOf(three, "a")).toBe(hostOf(three, "b"));
  expect(hostOf(three, "a")).toBe(hostOf(alone, "a"));
  expect(hostOf(three, "c")).not.toBe(hostOf(three, "a"));
});

describe("health", () => {
  test("of what the provider looks at itself changes nothing: failover needs no write", () => {
    for (const standing of [Standing.Unhealthy, Standing.Unknown, Standing.Pending])
      expect(draw([shop("a"), shop("b")], setStanding(0, 0, standing))).toEqual(draw([shop("a"), shop("b")]));
  });
  test("of what it cannot look at is what we know, and names stay", () => {
    const hidden = [at("dublin", "10.0.0.1", "10.0.0.2"), at("tokyo", "10.0.0.3")];
    const route = testRoute(hidden, { name: "a", hosts: ["a.example.org"] });
    const before = draw([route]);
    expect(before.some(({ healthCheck }) => healthCheck !== undefined)).toBe(false);
    const after = draw([route], setStanding(0, 0, Standing.Unhealthy));
    expect(hostOf(after, "a")).toBe(hostOf(before, "a"));
    const near = (sets: readonly DesiredSet[]) => sets.filter((set) => label(set).startsWith("near")).map(({ routing }) => routing?.id);
    expect([near(before), near(after)]).toEqual([["dublin", "tokyo"], ["tokyo"]]);
  });
  test("with nothing healthy everything stays: the provider fails open", () => {
    const hidden = testRoute([at("dublin", "10.0.0.1"), at("tokyo", "10.0.0.3")], { name: "a", hosts: ["a.example.org"] });
    const down = (table: RoutingTable): void => {
      for (const position of [0, 1]) setStanding(0, position, Standing.Unhealthy)(table);
    };
    expect(keys(draw([hidden], down))).toEqual(keys(draw([hidden])));
  });
});

describe("an operator's act", () => {
  test("on a cluster, for all routes, changes their shared helpers", () => {
    const routes = [shop("a"), shop("b")];
    const drain = (table: RoutingTable): void => {
      for (const route of [0, 1]) setStanding(route, 1, Standing.Draining)(table);
    };
    const [before, after] = [draw(routes), draw(routes, drain)];
    expect(hostOf(after, "a")).toBe(hostOf(before, "a"));
    expect(after.length).toBe(before.length - 1);
  });
  test("on one route of several gives that route helpers of its own", () => {
    const routes = [shop("a"), shop("b"), shop("c")];
    const after = draw(routes, setStanding(2, 1, Standing.Draining));
    expect(hostOf(after, "a")).toBe(hostOf(draw(routes), "a"));
    expect(hostOf(after, "c")).not.toBe(hostOf(after, "a"));
  });
});

test("a Require rule is never left: its step does not follow health, and all others do", () => {
  const route = shop("a", { rules: [testRule("gdpr", "Require", { continents: ["EU"] }, ["dublin"], "Apply")] });
  const sets = draw([route]);
  const geo = sets.filter(({ routing }) => routing?.by.kind === "Geo");
  expect(geo.map(({ routing }) => routing?.id).sort()).toEqual(["AF", "AN", "AS", "NA", "OC", "SA", "default"]);
  for (const { alias } of geo) expect(alias?.followsHealth).toBe(false);
  for (const { alias } of sets.filter(({ routing }) => routing?.by.kind === "GeoProximity")) expect(alias?.followsHealth).toBe(true);
});

test("a route that rules leave nothing of for some clients is not published: nobody could be told from others", () => {
  const rules = [
    testRule("one", "Require", { continents: ["EU"] }, ["dublin"]),
    testRule("two", "Require", { countries: ["DE"] }, ["tokyo"]),
  ];
  expect(draw([shop("a", { rules })])).toEqual([]);
});

test("a load balancer of the provider's own is aliased, and its health followed", () => {
  const host = "shop-1.eu-west-1.elb.amazonaws.com";
  const resolved = { ...at("dublin", "20.0.0.9"), resolvedFrom: [host] };
  const sets = draw([testRoute([resolved, TOKYO], { name: "a", hosts: ["a.example.org"] })]);
  expect(sets).toContainEqual(expect.objectContaining({ alias: { target: host, zone: "ZELB", followsHealth: true } }));
  const rotated = { ...at("dublin", "20.0.0.10"), resolvedFrom: [host] };
  expect(draw([testRoute([rotated, TOKYO], { name: "a", hosts: ["a.example.org"] })])).toEqual(sets);
});

test("priorities and standbys are a chain, weights are shares in smallest numbers", () => {
  const backends = [
    { ...DUBLIN, weight: 70 },
    { ...TOKYO, weight: 30 },
    { ...PAULO, weight: 0 },
  ];
  const sets = draw([testRoute(backends, { name: "a", hosts: ["a.example.org"], order: "Weighted" })]);
  const told = sets.flatMap(({ routing }) => (routing === undefined || routing.by.kind === "MultiValue" ? [] : [[routing.id, routing.by]]));
  expect(told).toEqual(
    expect.arrayContaining([
      ["dublin", { kind: "Weighted", weight: 7 }],
      ["tokyo", { kind: "Weighted", weight: 3 }],
      ["primary", { kind: "Failover", role: "Primary" }],
      ["secondary", { kind: "Failover", role: "Secondary" }],
    ]),
  );
});
