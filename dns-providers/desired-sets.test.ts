import { describe, expect, test } from "vitest";
import type { Backend, Route, Rule } from "../src/model/inventory.ts";
import { Standing } from "../src/routing/table.ts";
import { dnsWorld, route, ZONES } from "../test/support/dns-world.ts";
import type { DesiredSet } from "./change.ts";
import { plainZone } from "./desired-sets.ts";

const backend = (cluster: string, addresses: readonly string[], more: Partial<Backend> = {}): Backend => ({
  ...{ name: cluster, cluster, addresses, weight: 100, priority: 0, bias: 0 },
  ...more,
});
const EAST = backend("east", ["192.0.2.1", "2001:db8::1"]);
const WEST = backend("west", ["203.0.113.1"]);
const clients = { continents: ["EU"], countries: [], subdivisions: [], asns: [], subnets: [] };
const rule = (to: readonly string[], more: Partial<Rule> = {}): Rule => ({
  ...{ name: to.join("-"), to, mode: "Require", unknownPlace: "Skip", clients },
  ...more,
});

function world(backends: readonly Backend[], more: Partial<Route> = {}) {
  const hosts = more.hosts ?? ["shop.example.org"];
  const routes = [route("shop", hosts, backends, { rules: [], order: "Priority", ...more })];
  const { routing } = dnsWorld(ZONES, routes);
  const isInZone = (_route: Route, host: string): boolean => host.endsWith("example.org");
  const zone = (before: (key: string) => DesiredSet | undefined = () => undefined) =>
    plainZone({ table: routing, routes, isInZone, before });
  return { routing, zone };
}
const told = (sets: readonly DesiredSet[]): readonly string[] => sets.map(({ name, type, values }) => `${name} ${type} ${values.join()}`);

describe("what everyone gets", () => {
  test("is one set for each host and family, with the shortest TTL of the route, for the object that it comes from", () => {
    const { zone } = world([EAST, WEST], { families: "Each", hosts: ["shop.example.org", "elsewhere.example.net", "*.example.org"] });
    expect(told(zone())).toEqual([
      "shop.example.org A 192.0.2.1",
      "*.example.org A 192.0.2.1",
      "shop.example.org AAAA 2001:db8::1",
      "*.example.org AAAA 2001:db8::1",
    ]);
    expect(zone()[0]).toMatchObject({ resource: "GlobalRoute/default/shop" });
  });

  test("follows health", () => {
    const { zone, routing } = world([EAST, WEST]);
    routing.state.standing[0] = Standing.Unhealthy;
    expect(told(zone())[0]).toBe("shop.example.org A 203.0.113.1");
  });

  test("stays where nothing may be answered", () => {
    const { zone, routing } = world([WEST]);
    const before = zone()[0]!;
    routing.state.standing[0] = Standing.Excluded;
    expect(told(zone())).toEqual([]);
    expect(zone((key) => (key === "shop.example.org A" ? before : undefined))).toEqual([before]);
  });
});

describe("a Require rule", () => {
  test("is never left, whoever asks: what it takes from some is given to nobody", () => {
    const { zone, routing } = world([EAST, WEST], { rules: [rule(["west"])] });
    expect(told(zone())).toEqual(["shop.example.org A 203.0.113.1"]);
    routing.state.standing[2] = Standing.Unhealthy;
    expect(told(zone())).toEqual(["shop.example.org A 203.0.113.1"]); // fail-open among what is allowed
  });

  test("and another that leaves no cluster: nothing is published", () => {
    expect(world([EAST, WEST], { rules: [rule(["west"]), rule(["east"])] }).zone()).toEqual([]);
  });
});
