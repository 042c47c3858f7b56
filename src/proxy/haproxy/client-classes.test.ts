/** That the networks find for every address the rules that DNS applies to it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../../test/support/world/build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable } from "../../../test/support/world/compile-test-world.ts";
import { leafOfV4, leafOfV6 } from "../../geo/lookup.ts";
import type { Rule } from "../../model/inventory.ts";
import { formatIp, networkContains, parseIp, parseNetwork } from "../../model/ip.ts";
import { ipNumber } from "../../routing/decide.ts";
import { rankMembers } from "../../routing/plan.ts";
import { policyOf } from "../../routing/policy.ts";
import { clientClasses } from "./client-classes.ts";

const GERMANY = { country: "DE", continent: "EU", latitude: 51.1, longitude: 10.2 };

function worldOf(...rulesOfRoutes: readonly (readonly Rule[])[]) {
  const backends = ["frankfurt", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1));
  const routes = rulesOfRoutes.map((rules, i) => testRoute(backends, { name: `r${i}`, hosts: [`r${i}.example.org`], rules }));
  const inventory = testInventory(routes);
  const { table } = compileTestTable(inventory, [COUNTRY_FILE]);
  const index = new Map(inventory.clusters.map(({ name }, i) => [name, i]));
  const policies = routes.map((route) => policyOf(route, inventory, index, new Map(table.geo.subnets.map((text, i) => [text, i]))));
  const found = clientClasses({ geo: table.geo, policies, home: GERMANY });
  const networks = found.classes.flatMap(({ name, networks }) => networks.map((text) => ({ name, network: parseNetwork(text)! })));
  /** As HAProxy's map_ip finds it. */
  const classOf = (address: string): string | undefined => {
    const ip = parseIp(address)!;
    const holding = networks.filter(({ network }) => networkContains(network, ip));
    return holding.toSorted((a, b) => b.network.length - a.network.length)[0]?.name;
  };
  const placeOf = (address: string) => {
    const { family, bytes } = parseIp(address)!;
    const leaf = family === 4 ? leafOfV4(table.geo, ipNumber(bytes)) : leafOfV6(table.geo, bytes, 0);
    return table.geo.places[table.geo.leafPlace[leaf]!]!;
  };
  return { found, networks, classOf, placeOf, policies };
}

const requireDe = testRule("eu", "Require", { countries: ["DE"] }, ["frankfurt"]);
const office = testRule("office", "Prefer", { subnets: ["198.51.100.16/28", "2001:db8:f::/48"] }, ["tokyo"]);

test("without rules nobody is told apart", () => expect(worldOf([]).found.classes).toEqual([]));

describe("rules by country and by network", () => {
  const { found, classOf, policies } = worldOf([requireDe, office]);
  test("who has the same rules is one class", () => {
    expect(found.classes.length).toBe(3); // Germany, an office there, all others
    expect(classOf(CLIENTS.US)).toBe(classOf(CLIENTS.BR));
    expect(classOf(CLIENTS.US)).toBe(classOf("203.0.113.9"));
    expect(classOf(CLIENTS.DE)).not.toBe(classOf("198.51.100.17"));
  });
  test("who has the rules of the proxy's own place needs no plan of their own", () => {
    const places = found.placesFor(policies[0]!);
    expect(places.has(classOf(CLIENTS.DE)!)).toBe(false);
    expect(places.get(classOf(CLIENTS.JP)!)).toMatchObject({ latitude: 51.1, longitude: 10.2 });
    expect(places.get(classOf("198.51.100.17")!)?.subnets?.length).toBe(1);
  });
});

test("names stay while another set of routes has the same rules", () => {
  const names = (...rules: readonly (readonly Rule[])[]) => worldOf(...rules).found.classes.map(({ name }) => name);
  expect(names([requireDe], [])).toEqual(names([requireDe]));
  expect(names([requireDe], [requireDe])).toEqual(names([requireDe]));
});

test("for every address: the class's place has the rules applied that the address's own place has", () => {
  const country = fc.subarray(["DE", "IE", "US", "JP", "BR"], { minLength: 1, maxLength: 3 });
  const subnet = fc.subarray(["198.51.100.0/26", "198.51.100.40/29", "198.51.0.0/16", "203.0.113.0/25", "2001:db8:100::/44", "::/3"], {
    maxLength: 3,
  });
  const rule = fc.tuple(
    country,
    subnet,
    fc.constantFrom("Require" as const, "Prefer" as const),
    fc.constantFrom("Apply" as const, "Skip" as const),
  );
  const rules = fc
    .array(rule, { minLength: 1, maxLength: 3 })
    .map((all) =>
      all.map(([countries, subnets, mode, unknown], i) =>
        testRule(`rule${i}`, mode, { countries, subnets }, [["frankfurt", "virginia", "tokyo"][i]!], unknown),
      ),
    );
  const v4 = fc
    .tuple(fc.constantFrom([198, 51, 100], [203, 0, 113], [198, 51, 7], [9, 9, 9]), fc.nat(255))
    .map(([head, last]) => [...head, last].join("."));
  const v6 = fc
    .tuple(fc.constantFrom("2001:db8:0", "2001:db8:100", "2001:db8:200", "2001:db8:10f", "3fff:1"), fc.nat(65535))
    .map(([head, n]) => `${head}:${n.toString(16)}::1`);
  fc.assert(
    fc.property(
      fc.array(rules, { minLength: 1, maxLength: 3 }),
      fc.array(fc.oneof(v4, v6), { minLength: 30, maxLength: 30 }),
      (all, addresses) => {
        const { found, classOf, placeOf, policies } = worldOf(...all);
        for (const address of addresses) {
          const name = classOf(formatIp(parseIp(address)!))!;
          for (const policy of policies) {
            const effective = found.placesFor(policy).get(name) ?? GERMANY;
            expect(applied(policy, effective)).toEqual(applied(policy, placeOf(address)));
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

const applied = (...given: Parameters<typeof rankMembers>) => rankMembers(...given).applied.map(({ rule }) => rule.name);
