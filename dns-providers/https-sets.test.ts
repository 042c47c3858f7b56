import { expect, test } from "vitest";
import type { Backend, Route } from "../src/model/inventory.ts";
import { Standing } from "../src/routing/table.ts";
import { dnsWorld, route, ZONES } from "../test/support/dns-world.ts";
import { createDrawZone } from "./sets-of.ts";

const EAST: Backend = { name: "east", cluster: "east", addresses: ["192.0.2.1"], weight: 100, priority: 0, bias: 0 };
const WEST: Backend = { ...EAST, name: "west", cluster: "west", addresses: ["203.0.113.1"] };

/** As drawn for a provider of such types. */
function draw(more: Partial<Route>, types: readonly string[] = ["A", "AAAA", "HTTPS"], standing?: Standing): readonly string[] {
  const hosts = ["shop.example.org", "*.example.org", "elsewhere.example.net"];
  const routes = [route("shop", hosts, [EAST, WEST], { rules: [], order: "Priority", ttlMin: 5, ...more } as Partial<Route>)];
  const { routing: table } = dnsWorld(ZONES, routes);
  if (standing !== undefined) table.state.standing.fill(standing);
  const isInZone = (_: Route, host: string): boolean => host.endsWith("example.org");
  const { sets } = createDrawZone()(
    { types, policies: [] },
    {
      ...{ table, routes, clusters: [], isInZone, before: () => undefined },
      ...{ scope: { domain: "example.org", owner: "prod-eu" }, digest: () => "", aliasZone: () => undefined },
    },
  );
  return sets.filter(({ type }) => type === "HTTPS").map(({ name, values, resource }) => `${name} ${values.join(" | ")} ${resource}`);
}

test("stand at each host of the zone that has addresses, and name the protocols alone", () => {
  expect(draw({ alpn: ["h2", "h3"] })).toEqual([
    "shop.example.org 1 . alpn=h2,h3 GlobalRoute/default/shop",
    "*.example.org 1 . alpn=h2,h3 GlobalRoute/default/shop",
  ]);
  expect(draw({ alpn: ["h2"] }, ["A", "AAAA", "HTTPS", "LUA"])).toHaveLength(2);
});

test("stand nowhere without protocols, without addresses, or where the provider does not take them", () => {
  expect(draw({ alpn: [] })).toEqual([]);
  expect(draw({ alpn: ["h2"] }, undefined, Standing.Excluded)).toEqual([]);
  expect(draw({ alpn: ["h2"] }, ["A", "AAAA"])).toEqual([]);
});
