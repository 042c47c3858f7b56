import { describe, expect, test } from "vitest";
import type { Route } from "../../src/model/inventory.ts";
import { type RoutingTable, Standing } from "../../src/routing/table.ts";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { testBackend, testFailover, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import type { DesiredSet } from "../change.ts";
import { createLuaZone } from "./lua-policy.ts";

const V4 = (cluster: string, number: number, more = {}) => testBackend(cluster, number, { addresses: [`192.0.2.${number}`], ...more });
const SITES = [V4("dublin", 1), V4("virginia", 2), V4("tokyo", 3)];

function world(route: Route, file = COUNTRY_FILE) {
  const { table } = compileTestTable(testInventory([route]), [file]);
  everythingUsable(table);
  const isInZone = (_route: Route, host: string): boolean => host.endsWith("example.org");
  const zone = (before: (key: string) => DesiredSet | undefined = () => undefined) =>
    createLuaZone()({ table, routes: [route], isInZone, before });
  return { table, zone };
}
/** The script of the one record that a route has. */
function scriptOf(set: DesiredSet | undefined): string {
  expect(set).toMatchObject({ type: "LUA", values: { length: 1 } });
  return Array.from(set!.values[0]!.slice(2).matchAll(/"([^"]*)"/g), ([, string]) => string).join("");
}
const fall = ({ state }: RoutingTable, backend: number, standing: Standing = Standing.Unhealthy): void => {
  state.standing[2 * backend] = standing;
};

describe("a route's records", () => {
  test("are one set for each host, with the shortest TTL, a script for each family", () => {
    const route = testRoute([testBackend("dublin", 1)], { hosts: ["shop.example.org", "*.shop.example.org", "shop.example.net"] });
    const { sets, lost } = world(route).zone();
    expect(sets).toEqual(
      ["shop.example.org", "*.shop.example.org"].map((name) => ({
        ...{ name, type: "LUA", ttl: 5, resource: "GlobalRoute/default/shop" },
        values: [`A ";return {'192.0.2.1',} "`, `AAAA ";return {'2001:db8::1',} "`],
      })),
    );
    expect(lost.size).toBe(0);
  });

  test("have our plans as tables by country", () => {
    const { sets } = world(testRoute(SITES)).zone();
    expect(scriptOf(sets[0])).toBe(
      [
        ";local g=countryCode():lower() ",
        "local function n(m) local i=m:find(','..g..',',1,true) return i and m:match(':(%d+)',i) end ",
        "local p do p=n(',de,ie,:1;,br,us,:2;,jp,:3;') or '0' end ",
        "if p=='0' then local r=pdnsrandom(3) ",
        "if r<1 then return {'192.0.2.1',} end if r<2 then return {'192.0.2.2',} end return {'192.0.2.3',} end ",
        "if p=='1' then return {'192.0.2.1',} end ",
        "if p=='2' then return {'192.0.2.2',} end ",
        "return {'192.0.2.3',} ",
      ].join(""),
    );
  });

  test("follow health: who is asked for a failed cluster's clients is another one", () => {
    const { table, zone } = world(testRoute(SITES));
    fall(table, 0);
    expect(scriptOf(zone().sets[0])).toContain("p=n(',br,de,ie,us,:1;,jp,:2;')");
  });

  test("do not ask where a client is when all get the same", () => {
    const { table, zone } = world(testRoute(SITES));
    fall(table, 0);
    fall(table, 1);
    expect(scriptOf(zone().sets[0])).toBe(";return {'192.0.2.3',} ");
  });
});

describe("nothing is ever emptied", () => {
  test("when none is healthy, all of them are answered as if they were", () => {
    const { table, zone } = world(testRoute(SITES));
    for (const backend of [0, 1, 2]) fall(table, backend);
    expect(scriptOf(zone().sets[0])).toContain("p=n(',de,ie,:1;,br,us,:2;,jp,:3;')");
  });

  test("clients to whom nothing may be answered get SERVFAIL, and never another region", () => {
    const rules = [testRule("gdpr", "Require", { continents: ["EU"] }, ["dublin"])];
    const { table, zone } = world(testRoute(SITES, { rules }));
    fall(table, 0, Standing.Excluded);
    const script = scriptOf(zone().sets[0]);
    const pool = /,de,ie,:(\d)/.exec(script)?.[1];
    expect(script).toMatch(
      new RegExp(`if p=='${pool}' then error\\('nothing may be answered'\\) end|error\\('nothing may be answered'\\) $`),
    );
  });

  test("when nothing may be answered to anybody, what is there stays", () => {
    const { table, zone } = world(testRoute([V4("dublin", 1)]));
    const [before] = zone().sets;
    fall(table, 0, Standing.Excluded);
    expect(zone().sets).toEqual([]);
    expect(zone((key) => (key === "shop.example.org LUA" ? before : undefined)).sets).toEqual([before]);
  });
});

describe("who of several", () => {
  const weighted = [V4("dublin", 1, { weight: 30 }), V4("virginia", 2, { weight: 10 })];
  test("is drawn in proportion to weights", () => {
    expect(scriptOf(world(testRoute(weighted, { order: "Weighted" })).zone().sets[0])).toBe(
      ";local r=pdnsrandom(4) if r<3 then return {'192.0.2.1',} end return {'192.0.2.2',} ",
    );
  });

  test("follows from the client's /24 or /48 when that is asked for", () => {
    const script = scriptOf(world(testRoute(weighted, { order: "Weighted", sticky: "ClientSubnet" })).zone().sets[0]);
    expect(script).toContain("bestwho:getRaw():byte(1,6)");
    expect(script).not.toContain("pdnsrandom");
  });

  test("of many addresses some neighbours are answered, of one cluster", () => {
    const many = V4("dublin", 1, { addresses: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] });
    const script = scriptOf(world(testRoute([many], { answers: 2 })).zone().sets[0]);
    expect(script).toContain("f=pdnsrandom(q)");
    expect(script).toContain("return c({},{'192.0.2.1','192.0.2.2','192.0.2.3',}) ");
  });
});

describe("what is lost is told", () => {
  test("what follows from the route alone", () => {
    const { lost } = world(testRoute(SITES, { spread: 2, failover: testFailover({ tricklePercent: 5 }) })).zone();
    expect(lost.get("default/shop")).toMatchObject({ lost: ["spread"] });
  });

  test("places that PowerDNS cannot tell apart", () => {
    const at = (network: string, longitude: number) => ({
      network,
      record: { country: { iso_code: "US" }, location: { latitude: 40, longitude } },
    });
    const { zone } = world(
      testRoute(SITES),
      writeMmdb([at("198.51.100.0/25", -150), at("198.51.100.128/25", -74), at("203.0.113.0/24", 139)]),
    );
    expect(zone().lost.get("default/shop")).toMatchObject({ lost: ["places within a country"] });
  });

  test("a policy that is too large: everyone gets what all Require rules allow", () => {
    const asns = Array.from({ length: 8000 }, (_, i) => 64_512 + i);
    const rules = [testRule("as", "Require", { asns }, ["tokyo"], "Skip")];
    const { sets, lost } = world(testRoute(SITES, { rules })).zone();
    expect(scriptOf(sets[0])).toBe(";return {'192.0.2.3',}");
    expect(lost.get("default/shop")).toMatchObject({ lost: ["a policy as large as this", "Require rules"] });
  });
});
