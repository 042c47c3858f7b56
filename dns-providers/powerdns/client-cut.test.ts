import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Place } from "../../src/geo/geo-table.ts";
import { leafOfV4, leafOfV6 } from "../../src/geo/lookup.ts";
import type { Route } from "../../src/model/inventory.ts";
import { type Ip, networkContains, parseIp, parseNetwork } from "../../src/model/ip.ts";
import { newChoice } from "../../src/routing/choose.ts";
import { ipNumber, placeClient } from "../../src/routing/decide.ts";
import type { RoutingTable } from "../../src/routing/table.ts";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { oracleBytes } from "../../test/support/oracle/geo.ts";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import { routingWorld } from "../../test/support/world/routing-world.ts";
import { type Branch, type ClientCut, cutClients, OTHER_ASN, UNKNOWN_ASN } from "./client-cut.ts";

const placeAt = ({ geo }: RoutingTable, ip: Ip): Place =>
  geo.places[geo.leafPlace[ip.family === 4 ? leafOfV4(geo, ipNumber(ip.bytes)) : leafOfV6(geo, ip.bytes, 0)]!]!;

/** The class that a server comes to which follows the cut: it tests networks by itself, and knows of a place what an mmdb file tells. */
function classOf(cut: ClientCut, ip: Ip, place: Place): number {
  const subnetGroup = cut.networks.find(({ networks }) => networks.some((text) => networkContains(parseNetwork(text)!, ip)))?.group ?? 0;
  const named = place.asn === undefined ? undefined : cut.asns.find(({ numbers }) => numbers.includes(place.asn!))?.group;
  const asnGroup = cut.asns.length === 0 ? OTHER_ASN : place.asn === undefined ? UNKNOWN_ASN : (named ?? OTHER_ASN);
  const ofSubnet = cut.branches.filter((branch) => branch.subnetGroup === subnetGroup);
  const branch = ofSubnet.find((one) => one.asnGroup === asnGroup) ?? ofSubnet.at(-1) ?? cut.branches.at(-1)!;
  return branch.classes.get(spotOf(cut, place)) ?? branch.otherwise;
}

function spotOf({ subdivisions: named }: ClientCut, { country, continent, subdivisions }: Place): string {
  if (country === undefined) return `+${continent?.toLowerCase() ?? "--"}`;
  const code = country.toLowerCase();
  if (!named.some((one) => one.startsWith(`${code}-`))) return code;
  if (subdivisions === undefined) return `${code}-?`;
  return named.includes(subdivisions[0]!.toLowerCase()) ? subdivisions[0]!.toLowerCase() : code;
}

test("whoever follows the cut comes to the class that the table has for the client, unless the cut says that it is blurred", () => {
  let compared = 0;
  fc.assert(
    fc.property(routingWorld, ({ inventory, geo, clients }) => {
      const { table } = compileTestTable(inventory, geo.files);
      const { hot } = table;
      inventory.routes.forEach((route, i) => {
        const cut = cutClients(table, i, route.rules);
        if (cut.isBlurred) return;
        for (const client of clients) {
          const ip: Ip = { family: client.family, bytes: oracleBytes(client) };
          const choice = newChoice();
          placeClient(table, i, { ...ip, length: 8 * ip.bytes.length }, choice);
          expect(classOf(cut, ip, placeAt(table, ip))).toBe(choice.plan - hot.policyPlans[hot.routePolicy[i]!]!);
          compared++;
        }
      });
    }),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(1000);
});

const SITES = [testBackend("dublin", 1), testBackend("virginia", 2), testBackend("tokyo", 3)];

function cutOf(more: Partial<Route>, file = COUNTRY_FILE): ClientCut {
  const route = testRoute(SITES, more);
  return cutClients(compileTestTable(testInventory([route]), [file]).table, 0, route.rules);
}
const groups = ({ branches }: ClientCut): readonly (readonly number[])[] =>
  branches.map(({ subnetGroup, asnGroup }: Branch) => [subnetGroup, asnGroup]);

describe("what a route asks for", () => {
  test("countries alone: one branch", () => {
    const cut = cutOf({});
    expect(groups(cut)).toEqual([[0, OTHER_ASN]]);
    expect([...cut.branches[0]!.classes.keys()].sort()).toEqual(["br", "de", "ie", "jp", "us"]);
  });

  test("networks: longer ones first, those of equal rules together, and a branch for each kind of them", () => {
    const rules = [
      testRule("wide", "Require", { subnets: ["198.51.100.0/24", "2001:db8::/32"] }, ["dublin"]),
      testRule("narrow", "Prefer", { subnets: ["198.51.100.0/25"] }, ["dublin"]),
    ];
    const { networks, branches } = cutOf({ rules });
    expect(networks.map(({ networks: texts }) => texts)).toEqual([["2001:db8::/32"], ["198.51.100.0/25"], ["198.51.100.0/24"]]);
    expect(new Set(networks.map(({ group }) => group)).size).toBe(2);
    expect(branches.map(({ subnetGroup }) => subnetGroup)).toEqual([2, 1, 0]);
  });

  test("AS numbers: known ones that no rule names are not of unknown place", () => {
    const file = writeMmdb([
      { network: "198.51.100.0/25", record: { country: { iso_code: "DE" }, autonomous_system_number: 64500 } },
      { network: "198.51.100.128/25", record: { country: { iso_code: "DE" }, autonomous_system_number: 64501 } },
    ]);
    const cut = cutOf({ rules: [testRule("as", "Require", { asns: [64500] }, ["tokyo"], "Apply")] }, file);
    expect(cut.asns).toEqual([{ group: 2, numbers: [64500] }]);
    expect(groups(cut)).toEqual([
      [0, 2],
      [0, OTHER_ASN],
      [0, UNKNOWN_ASN],
    ]);
  });

  test("subdivisions", () => {
    const us = (network: string, part?: string) => ({
      network,
      record: { country: { iso_code: "US" }, ...(part === undefined ? {} : { subdivisions: [{ iso_code: part }] }) },
    });
    const file = writeMmdb([us("198.51.100.0/26", "CA"), us("198.51.100.64/26", "WA"), us("198.51.100.128/26")]);
    const cut = cutOf({ rules: [testRule("ca", "Require", { subdivisions: ["US-CA"] }, ["tokyo"], "Apply")] }, file);
    expect([...cut.branches[0]!.classes.keys()].sort()).toEqual(["us", "us-?", "us-ca"]);
    expect(cut.isBlurred).toBe(false);
  });
});

describe("clients that are one to PowerDNS and several to us", () => {
  const at = (network: string, latitude: number, longitude: number) => ({
    network,
    record: { country: { iso_code: "US" }, location: { latitude, longitude } },
  });
  test("get what most of their addresses get, and that is told", () => {
    const file = writeMmdb([at("198.51.100.0/26", 34, -118), at("198.51.100.64/26", 40.7, -74), at("198.51.100.128/25", 21.3, -157.9)]);
    const route = testRoute([testBackend("virginia", 1), testBackend("tokyo", 2)]);
    const { table } = compileTestTable(testInventory([route]), [file]);
    const cut = cutClients(table, 0, route.rules);
    expect(cut.isBlurred).toBe(true);
    const choice = newChoice();
    placeClient(table, 0, { ...parseIp("198.51.100.1")!, length: 32 }, choice);
    const east = choice.plan;
    placeClient(table, 0, { ...parseIp("198.51.100.200")!, length: 32 }, choice);
    const { policyPlans, routePolicy } = table.hot;
    const class_ = cut.branches[0]!.classes.get("us")! + policyPlans[routePolicy[0]!]!;
    expect([class_ === choice.plan, class_ === east].filter(Boolean).length).toBeGreaterThan(0);
  });

  test("a Require rule of some of them bounds all", () => {
    const file = writeMmdb([
      { network: "198.51.100.0/28", record: { country: { iso_code: "US" }, subdivisions: [{ iso_code: "X" }, { iso_code: "CA" }] } },
      { network: "198.51.100.128/25", record: { country: { iso_code: "US" }, subdivisions: [{ iso_code: "X" }, { iso_code: "WA" }] } },
    ]);
    const route = testRoute(SITES, { rules: [testRule("ca", "Require", { subdivisions: ["US-CA"] }, ["tokyo"])] });
    const { table } = compileTestTable(testInventory([route]), [file]);
    const cut = cutClients(table, 0, route.rules);
    expect(cut.isBlurred).toBe(true);
    const choice = newChoice();
    placeClient(table, 0, { ...parseIp("198.51.100.1")!, length: 32 }, choice);
    expect(cut.branches[0]!.classes.get("us")).toBe(choice.plan - table.hot.policyPlans[table.hot.routePolicy[0]!]!);
  });
});
