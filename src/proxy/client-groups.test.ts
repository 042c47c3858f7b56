/** A proxy that looks its client's address up in the classes knows by which rules of a route to send it on: those by which DNS decides. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleBytes, oraclePlace } from "../../test/support/oracle/geo.ts";
import { oraclePlan } from "../../test/support/oracle/plan.ts";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { oracleWorldOf, routingWorld, subnetsOf } from "../../test/support/world/routing-world.ts";
import type { GeoTable, Place } from "../geo/geo-table.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { type Ip, networkContains, parseNetwork } from "../model/ip.ts";
import { decide } from "../routing/decide.ts";
import { type Policy, policyOf } from "../routing/policy.ts";
import { type ClientClasses, clientClasses, NO_CLASSES, type Questions, questionsOf } from "./client-classes.ts";
import { type ClientGroup, clientGroups, groupPlan, unseenRules, unseenWarning } from "./client-groups.ts";

const TOKYO: Place = { continent: "AS", country: "JP", latitude: 35.7, longitude: 139.7 };

/** Names of a table's rules, clusters and networks are numbers in its policies. */
function policiesOf(inventory: Inventory, subnets: readonly string[]): readonly Policy[] {
  const clusters = new Map(inventory.clusters.map(({ name }, i) => [name, i]));
  return inventory.routes.map((route) => policyOf(route, inventory, clusters, new Map(subnets.map((subnet, i) => [subnet, i]))));
}

const asked = ({ subnets }: GeoTable, routes: readonly Route[]): Questions =>
  questionsOf(routes, new Map(subnets.map((subnet, i) => [subnet, i])));

/** As a proxy does it, by going through all networks. */
function lookUp({ classes }: ClientClasses) {
  const parsed = classes.map(({ name, networks }) => ({ name, networks: networks.map((text) => parseNetwork(text)!) }));
  return (groups: readonly ClientGroup[], client: Ip): ClientGroup => {
    const held = parsed.filter(({ networks }) => networks.some((network) => networkContains(network, client)));
    expect(held.length).toBeLessThan(2);
    const [named] = groups.filter((group) => held.some(({ name }) => group.classes?.includes(name)));
    return named ?? groups.find((group) => group.classes === undefined)!;
  };
}

test("for any client the plan is that of DNS, but for how far everything is", () => {
  const seen = { Address: 0, Network: 0, Place: 0, groups: 0, restricted: 0 };
  const aimless = (route: Route): Route => ({ ...route, order: route.order === "Priority" ? "Priority" : "Weighted", tolerance: {} });
  fc.assert(
    fc.property(routingWorld, ({ geo, inventory: drawn, clients }) => {
      const inventory = { ...drawn, routes: drawn.routes.map(aimless) };
      const world = { geo, inventory, clients };
      const subnets = subnetsOf(world);
      const oracle = oracleWorldOf(world, subnets);
      const { table, measures } = compileTestTable(inventory, geo.files);
      const policies = policiesOf(inventory, table.geo.subnets);
      const classes = clientClasses(table.geo, asked(table.geo, inventory.routes));
      const groupOf = lookUp(classes);
      seen[classes.by]++;
      inventory.routes.forEach((route, index) => {
        const policy = policies[index]!;
        const groups = clientGroups(policy, classes);
        seen.groups += groups.length - 1;
        expect(groups.filter((group) => group.classes === undefined)).toHaveLength(1);
        for (const address of clients) {
          const group = groupOf(groups, { family: address.family, bytes: oracleBytes(address) });
          const { tiers } = groupPlan({ table, route, index, policy, measures, place: TOKYO }, classes, group);
          const own = oraclePlace(oracle, address);
          // Where nothing tells places apart, clients are taken for clients of the proxy's own.
          const plan = oraclePlan(inventory, route, classes.by === "Address" ? own : { ...TOKYO, ...only(own.subnets) }, subnets);
          if (plan.isRestricted) seen.restricted++;
          const names = plan.tiers.map((tier) => tier.map((position) => route.backends[position]!.name));
          expect(tiers.map((tier) => tier.map(({ name }) => name))).toEqual(names);
          expect(tiers.flat().every(({ weight }) => Number.isInteger(weight) && weight >= 1)).toBe(true);
        }
      });
    }),
    { numRuns: 50, seed: 11 },
  );
  expect(Math.min(seen.Address, seen.Network, seen.groups, seen.restricted)).toBeGreaterThan(10);
});

const only = (subnets: Place["subnets"]): Place => (subnets === undefined ? {} : { subnets });

describe("a shop with a rule for Germany and one for partners", () => {
  const partners = ["198.51.100.0/28", "203.0.113.0/24", "2001:db8:f000::/36"];
  const route = testRoute(
    ["frankfurt", "dublin", "virginia", "tokyo"].map((name, i) => testBackend(name, i + 1)),
    {
      rules: [
        testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt", "dublin"]),
        testRule("partners", "Prefer", { subnets: partners }, ["virginia"]),
      ],
    },
  );
  const inventory = testInventory([route]);
  const { table, measures } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const [policy] = policiesOf(inventory, table.geo.subnets);
  const questions = asked(table.geo, [route]);
  const planOf = (classes: ClientClasses, group: ClientGroup) =>
    groupPlan({ table, route, index: 0, policy: policy!, measures, place: TOKYO }, classes, group).tiers.map((tier) =>
      tier.map(({ cluster }) => cluster).join(),
    );

  test("groups are named by the rules that apply to them, and distance is from the proxy", () => {
    const classes = clientClasses(table.geo, questions);
    expect(classes.by).toBe("Address");
    const groups = clientGroups(policy!, classes);
    expect(groups.map((group) => [group.name, ...planOf(classes, group)])).toEqual([
      ["-", "tokyo", "frankfurt", "dublin", "virginia"],
      ["germany", "frankfurt", "dublin"],
      ["germany+partners", "frankfurt", "dublin"],
      ["partners", "virginia", "tokyo", "frankfurt", "dublin"],
    ]);
    const networksOf = (name: string) =>
      groups
        .find((group) => group.name === name)
        ?.classes?.flatMap((cls) => classes.classes.find((one) => one.name === cls)?.networks ?? [])
        .toSorted();
    expect(networksOf("germany")).toEqual(["198.51.100.16/28", "2001:db8::/40"]);
    expect(networksOf("germany+partners")).toEqual(["198.51.100.0/28"]);
    expect(networksOf("partners")).toEqual(["2001:db8:f000::/36", "203.0.113.0/24"]);
    expect(networksOf("-")).toBeUndefined();
    expect(unseenRules(route, classes)).toEqual([]);
    expect(unseenWarning(route, classes)).toBeUndefined();
  });

  test("too many networks: rules' own still count, and the Require rule that goes by country is told of", () => {
    const classes = clientClasses(table.geo, questions, 4);
    expect(classes.by).toBe("Network");
    expect(clientGroups(policy!, classes).map(({ name }) => name)).toEqual(["", "+partners"]);
    expect(unseenRules(route, classes)).toEqual(["germany"]);
    expect(unseenWarning(route, classes)).toMatch(/^default\/shop: proxies cannot tell .* germany .* Load geo data/);
  });

  test("a proxy that does not see its clients has one group, and so has one that is told of too many networks still", () => {
    expect(clientClasses(table.geo, questions, 2)).toEqual(NO_CLASSES);
    expect(clientGroups(policy!, NO_CLASSES).map((group) => [group.name, ...planOf(NO_CLASSES, group)])).toEqual([
      ["", "tokyo", "frankfurt", "dublin", "virginia"],
    ]);
    expect(unseenRules(route, NO_CLASSES)).toEqual(["germany"]);
  });

  test("names of classes follow from the rules, not from the geo data", () => {
    const other = compileTestTable(inventory, []).table.geo;
    const nameOf = (of: ClientClasses) => of.classes.map(({ name }) => name);
    const before = clientClasses(table.geo, questions);
    const again = clientClasses(compileTestTable(inventory, [COUNTRY_FILE]).table.geo, questions);
    expect(nameOf(again)).toEqual(nameOf(before));
    const byNetwork = clientClasses(other, asked(other, [route]));
    expect(byNetwork.by).toBe("Network"); // without a file nobody knows countries
    expect(nameOf(before)).not.toContain(nameOf(byNetwork)[0]);
  });

  test("what a proxy does is what DNS answers, address by address", () => {
    const classes = clientClasses(table.geo, questions);
    const groups = clientGroups(policy!, classes);
    for (const text of ["198.51.100.1", "198.51.100.20", "198.51.100.33", "203.0.113.9", "192.0.2.1", "2001:db8::1", "2001:db8:f000::1"]) {
      const client = parseNetwork(text)!;
      const { clusters } = decide(table, 0, client, 0, 0.5, 0);
      const tiers = planOf(classes, lookUp(classes)(groups, client)).flatMap((tier) => tier.split(","));
      expect(tiers).toContain(clusters[0]);
      if (text.startsWith("198.51.100.")) expect(tiers.includes("tokyo")).toBe(text === "198.51.100.33");
    }
  });
});
