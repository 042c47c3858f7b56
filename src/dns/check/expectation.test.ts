import { describe, expect, test } from "vitest";
import { parseManifests } from "../../model/manifest.ts";
import { buildInventory } from "../../model/to-inventory.ts";
import { expectationOf } from "./expectation.ts";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const clusters = ["eu", "us"]
  .map((name) => `${head("MemberCluster", name)}spec: {location: {latitude: "1", longitude: "2", country: IE}}\n`)
  .join("");
const zone = (domain: string, more = ""): string =>
  `${head("DNSZone", domain.replaceAll(".", "-"))}spec: {domain: ${domain}, owner: test, provider: {type: Embedded, embedded: {nameservers: [ns1.example.net]${more}}}}\n`;
const route = (name: string, hosts: string, backends: readonly string[], more = ""): string =>
  `${head("GlobalRoute", name)}spec:\n  hosts: [${hosts}]\n  backends:\n${backends.map((one) => `  - {${one}}\n`).join("")}${more}`;
const EU = "name: eu, cluster: eu, addresses: [192.0.2.1]";
const US = 'name: us, cluster: us, addresses: [198.51.100.1, "2001:DB8::1"]';

function inventoryOf(text: string) {
  const { objects, rejected } = parseManifests([{ path: "a.yaml", text: clusters + text }]);
  return buildInventory(objects, { find: () => undefined, suggest: () => undefined }, rejected).inventory;
}
const expected = (text: string, domain = "example.org", most = 20) => expectationOf(domain, inventoryOf(text), most);

test("a zone that no object has", () => expect(expected(zone("example.net"))).toBeUndefined());

test("a zone with its hosts: not those of a zone inside it, and of different routes first", () => {
  const text =
    zone("example.org") +
    zone("in.example.org") +
    route("one", "a.example.org, b.example.org", [EU]) +
    route("two", "c.in.example.org, d.example.org", [EU, US]);
  const it = expected(text)!;
  expect(it).toMatchObject({ object: "example-org", nameservers: ["ns1.example.net"], isSigned: false, serialsApart: "Only", allHosts: 3 });
  expect(it.hosts.map(({ host }) => host)).toEqual(["a.example.org", "d.example.org", "b.example.org"]);
  expect(it.hosts[1]).toEqual({
    ...{ host: "d.example.org", name: "d.example.org", route: "default/two", ttl: { min: 5, max: 60 }, hasHostNames: false },
    ...{ addresses: ["192.0.2.1", "198.51.100.1", "2001:db8::1"], types: ["A"], varies: true },
  });
  expect(expected(text, "example.org", 1)).toMatchObject({ hosts: [{ host: "a.example.org" }], allHosts: 3 });
});

describe("a host", () => {
  const hostOf = (host: string, backends: readonly string[], more?: string) =>
    expected(zone("example.org") + route("shop", host, backends, more))!.hosts[0]!;
  test("of a wildcard is asked for by a name below it", () => {
    expect(hostOf('"*.apps.example.org"', [EU], "  health: {probe: {host: probe.example.org}}\n")).toMatchObject({
      host: "*.apps.example.org",
      name: "globalroute-check.apps.example.org",
    });
  });
  test("has the families that every weighted backend has, or with Each any", () => {
    expect(hostOf("a.example.org", [`${EU}, weight: 0`, US]).types).toEqual(["A", "AAAA"]);
    expect(hostOf("a.example.org", [EU, US], "  families: Each\n").types).toEqual(["A", "AAAA"]);
  });
  test("of host names has an answer, and which is not known", () => {
    expect(hostOf("a.example.org", ["name: eu, cluster: eu, addresses: [lb.example.net]"])).toMatchObject({
      hasHostNames: true,
      addresses: [],
      types: ["A"],
    });
  });
  test("is the same for all clients with one cluster, or by weight alone", () => {
    expect(hostOf("a.example.org", [EU]).varies).toBe(false);
    expect(hostOf("a.example.org", [EU, US], "  routing: {order: Weighted}\n").varies).toBe(false);
  });
});
