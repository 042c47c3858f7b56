import { expect, test } from "vitest";
import { disjointRequires } from "./disjoint-rules.ts";
import type { ClientMatch, Rule } from "./inventory.ts";

const nobody: ClientMatch = { continents: [], countries: [], subdivisions: [], asns: [], subnets: [] };
const rule = (clients: Partial<ClientMatch>, to: readonly string[], more: Partial<Rule> = {}): Rule => ({
  name: "rule",
  clients: { ...nobody, ...clients },
  to,
  mode: "Require",
  unknownPlace: "Skip",
  ...more,
});
const backends = new Set(["eu", "us"]);
const why = (a: Rule, b: Rule) => disjointRequires([a, b], backends)[0]?.why;

const eu = (clients: Partial<ClientMatch>) => rule(clients, ["eu"]);
const us = (clients: Partial<ClientMatch>) => rule(clients, ["us"]);

test.each([
  ["one country", eu({ countries: ["DE", "FR"] }), us({ countries: ["FR"] }), "clients in FR"],
  ["a country of the other's continent", eu({ continents: ["EU"] }), us({ countries: ["US", "DE"] }), "clients in DE"],
  ["a country and a continent", eu({ countries: ["DE"] }), us({ continents: ["EU"] }), "clients in DE"],
  ["one continent", eu({ continents: ["EU", "AF"] }), us({ continents: ["AF"] }), "clients in AF"],
  ["a part of the other's country", eu({ countries: ["US"] }), us({ subdivisions: ["US-CA"] }), "clients in US-CA"],
  ["a part of the other's continent", eu({ subdivisions: ["US-CA"] }), us({ continents: ["NA"] }), "clients in US-CA"],
  ["one AS", eu({ asns: [64500] }), us({ asns: [64500] }), "clients of AS64500"],
  [
    "networks of which one holds the other",
    eu({ subnets: ["192.0.2.0/24"] }),
    us({ subnets: ["192.0.2.128/25"] }),
    "clients in 192.0.2.0/24",
  ],
  [
    "a network and a country",
    eu({ subnets: ["192.0.2.0/24"] }),
    us({ countries: ["US"] }),
    "clients whose network and place fall under one each",
  ],
  ["an AS and a country", eu({ countries: ["DE"] }), us({ asns: [64500] }), "clients whose network and place fall under one each"],
  [
    "unknown places",
    rule({ countries: ["DE"] }, ["eu"], { unknownPlace: "Apply" }),
    rule({ countries: ["US"] }, ["us"], { unknownPlace: "Apply" }),
    "clients of unknown place",
  ],
  [
    "clusters in common that have no backend",
    rule({ countries: ["DE"] }, ["eu", "asia"]),
    rule({ countries: ["DE"] }, ["asia", "us"]),
    "clients in DE",
  ],
])("meet in %s", (_, a, b, expected) => {
  expect(why(a, b)).toBe(expected);
  expect(why(b, a)).toBe(expected.replace("192.0.2.0/24", "192.0.2.128/25"));
});

test.each([
  ["countries", eu({ countries: ["DE"] }), us({ countries: ["US"] })],
  ["a continent and a country elsewhere", eu({ continents: ["EU"] }), us({ countries: ["US"] })],
  ["subdivisions", eu({ subdivisions: ["US-WA"] }), us({ subdivisions: ["US-CA"] })],
  ["networks", eu({ subnets: ["192.0.2.0/25"] }), us({ subnets: ["192.0.2.128/25", "2001:db8::/32"] })],
  ["AS numbers", eu({ asns: [64500] }), us({ asns: [64501] })],
  ["a common cluster", eu({ countries: ["DE"] }), rule({ countries: ["DE"] }, ["us", "eu"])],
  ["one that only prefers", eu({ countries: ["DE"] }), rule({ countries: ["DE"] }, ["us"], { mode: "Prefer" })],
  ["one that skips unknown places", rule({ countries: ["DE"] }, ["eu"], { unknownPlace: "Apply" }), us({ countries: ["US"] })],
])("do not clash: %s", (_, a, b) => {
  expect(why(a, b)).toBeUndefined();
  expect(why(b, a)).toBeUndefined();
});

test("pairs are told by position", () => {
  const rules = [eu({ countries: ["DE"] }), us({ countries: ["US"] }), us({ countries: ["DE"] })];
  expect(disjointRequires(rules, backends)).toEqual([{ first: 0, second: 2, why: "clients in DE" }]);
});
