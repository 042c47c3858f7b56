import { expect, test } from "vitest";
import { parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";
import { buildInventory } from "./to-inventory.ts";

function build(text: string) {
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, { find: () => undefined, suggest: () => undefined }, rejected);
  return { zones: built.inventory.zones, problems: [...problems, ...built.problems] };
}

const zone = (domain: string, records: readonly string[], more: readonly string[] = []) =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: DNSZone\nmetadata: {name: ${domain}}\nspec:\n  domain: ${domain}\n  provider:\n    type: Embedded\n` +
  `    embedded:\n${["nameservers: [ns.example.net]", ...more].map((line) => `      ${line}\n`).join("")}` +
  `      records:\n      - {name: text, type: TXT, values: [here]}\n${records.map((record) => `      - {${record}}\n`).join("")}`;

test("names are made absolute and values canonical", () => {
  const { zones, problems } = build(
    zone("example.org", [
      'name: "@", type: MX, values: [10 mail, "20 mx.example.net."]',
      "name: WWW.example.org., type: CNAME, values: [other]",
      'name: "*.eu", type: AAAA, ttl: 5m, values: ["2001:DB8::0:1"]',
      "name: _dmarc, type: TXT, values: [v=DMARC1]",
    ]),
  );
  expect(problems.map(formatProblem)).toEqual([]);
  expect(zones[0]?.records.slice(1)).toEqual([
    { name: "example.org", type: "MX", ttl: 3600, values: ["10 mail.example.org.", "20 mx.example.net."] },
    { name: "www.example.org", type: "CNAME", ttl: 3600, values: ["other.example.org."] },
    { name: "*.eu.example.org", type: "AAAA", ttl: 300, values: ["2001:db8::1"] },
    { name: "_dmarc.example.org", type: "TXT", ttl: 3600, values: ["v=DMARC1"] },
  ]);
});

test.each([
  ["dns.admin@example.org", "dns\\.admin.example.org"],
  ["Hostmaster.example.org", "hostmaster.example.org"],
])("the mailbox %s is %s in the SOA", (rname, name) => {
  expect(build(zone("example.org", [], [`soa: {rname: ${rname}, minimum: 10s}`])).zones[0]?.soa).toMatchObject({
    rname: name,
    minimum: 10,
  });
});

const DS = `12345 13 2 ${"ab".repeat(32)}`;

test("DS beside NS is a secure delegation, be it to another zone of ours", () => {
  const { zones, problems } = build(
    zone("example.org", [
      "name: child, type: NS, values: [ns.example.net.]",
      `name: child, type: DS, values: ["${DS}"]`,
      "name: inner, type: NS, values: [ns.example.net.]",
      `name: inner, type: DS, values: ["${DS}"]`,
    ]) + zone("inner.example.org", []),
  );
  expect(problems.map(formatProblem)).toEqual([]);
  expect(zones[0]?.records[2]).toEqual({ name: "child.example.org", type: "DS", ttl: 3600, values: [DS] });
});

/** The problem must stand in the last line of the first zone, or in that which `line` names. */
const cases: readonly {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly says: string;
  readonly kept?: boolean;
  readonly line?: number;
}[] = [
  {
    name: "a record of another zone",
    text: zone("example.org", ["name: www.example.net., type: A, values: [192.0.2.1]"]),
    code: "record-name",
    says: "outside the zone",
  },
  {
    name: "a forgotten dot",
    text: zone("example.org", ["name: www.example.org, type: A, values: [192.0.2.1]"]),
    code: "record-name",
    says: "Write www, or www.example.org. with its dot",
  },
  {
    name: "a forgotten dot at the apex",
    text: zone("example.org", ["name: example.org, type: A, values: [192.0.2.1]"]),
    code: "record-name",
    says: "Write @, or",
  },
  {
    name: "a wrong value",
    text: zone("example.org", ["name: a, type: A, values: [192.0.2.1, example.org.]"]),
    code: "record-value",
    says: '"example.org." is not an IPv4 address',
  },
  {
    name: "a CNAME at the apex",
    text: zone("example.org", ['name: "@", type: CNAME, values: [a.example.net.]']),
    code: "record-conflict",
    says: "a GlobalRoute",
  },
  {
    name: "a CNAME beside others",
    text: zone("example.org", ["name: text, type: CNAME, values: [a.example.net.]"]),
    code: "record-conflict",
    says: "has TXT too",
  },
  {
    name: "a CNAME of two values",
    text: zone("example.org", ["name: a, type: CNAME, values: [b, c]"]),
    code: "record-conflict",
    says: "one value",
  },
  {
    name: "the apex's NS among the records",
    text: zone("example.org", ['name: "@", type: NS, values: [a.example.net.]']),
    code: "record-conflict",
    says: "nameservers",
  },
  {
    name: "a zone's own DS",
    text: zone("example.org", [`name: "@", type: DS, values: ["${DS}"]`]),
    code: "record-conflict",
    says: "stand in its parent zone",
  },
  {
    name: "a DS without a delegation",
    text: zone("example.org", [`name: a, type: DS, values: ["${DS}"]`]),
    code: "record-conflict",
    says: "a.example.org has no NS records",
  },
  {
    name: "one RRset in two entries",
    text: zone("example.org", ["name: text.example.org., type: TXT, values: [there]"]),
    code: "record-conflict",
    says: "entry 0 already",
  },
  {
    name: "a name that is too long",
    text: zone("example.org", [`name: ${`${"a".repeat(60)}.`.repeat(4)}b, type: A, values: [192.0.2.1]`]),
    code: "record-name",
    says: "253",
  },
  {
    name: "a mailbox that is none",
    text: zone("example.org", [], ["soa: {rname: a@b@example.org}"]),
    code: "field-format",
    says: "hostmaster@example.org",
    line: 11,
  },
  {
    name: "an allowed suffix outside the zone",
    text: zone("example.org", []).replace("spec:", "spec:\n  allowedRoutes: [{suffixes: [shop.example.net]}]"),
    code: "record-name",
    says: "shop.example.org",
    line: 6,
  },
  {
    name: "a domain twice",
    text: zone("example.org", []) + zone("example.org", []).replace("name: example.org", "name: two"),
    code: "zone-duplicate",
    says: "DNSZone example.org's already",
    kept: true,
    line: 18,
  },
  {
    name: "a nameserver without address",
    text: zone("example.org", []).replace("[ns.example.net]", "[ns.example.net, ns2.example.org]"),
    code: "nameserver-address",
    says: "Add A or AAAA records for ns2.example.org",
    kept: true,
    line: 10,
  },
  {
    name: "a record below a delegation",
    text: zone("example.org", [
      "name: eu, type: NS, values: [ns1.eu]".replace("ns1.eu", "ns1.eu.example.org."),
      "name: www.eu, type: TXT, values: [a]",
    ]),
    code: "record-hidden",
    says: "eu.example.org is delegated",
    kept: true,
  },
  {
    name: "an inner zone that is not delegated",
    text: zone("example.org", []) + zone("eu.example.org", []),
    code: "zone-nested",
    says: "{name: eu, type: NS, values: [ns.example.net.]}",
    kept: true,
    line: 12,
  },
  {
    name: "a record of an inner zone",
    text:
      zone("example.org", ["name: eu, type: NS, values: [ns.example.net.]", "name: www.eu, type: A, values: [192.0.2.1]"]) +
      zone("eu.example.org", []),
    code: "record-hidden",
    says: "belongs to DNSZone eu.example.org",
    kept: true,
    line: 14,
  },
];

test.each(cases)("$name", ({ text, code, says, kept = false, line }) => {
  const { problems, zones } = build(text);
  expect(problems.map((problem) => problem.code)).toEqual([code]);
  expect(formatProblem(problems[0]!)).toContain(says);
  expect(problems[0]!.line).toBe(line ?? text.trimEnd().split("\n").length);
  expect(problems[0]!.severity).toBe(kept && code !== "zone-duplicate" ? "warning" : "error");
  expect(zones.some((zone) => zone.domain === "example.org")).toBe(kept);
});

test("glue below a delegation, a delegated inner zone, and a nameserver with an address are in order", () => {
  const outer = zone("example.org", [
    "name: eu, type: NS, values: [ns1.eu.example.org.]",
    "name: ns1.eu, type: A, values: [192.0.2.53]",
    "name: ns, type: A, values: [192.0.2.54]",
  ]);
  const { problems } = build(outer.replace("[ns.example.net]", "[ns.example.org]"));
  expect(problems.map(formatProblem)).toEqual([]);
  const inner =
    zone("example.org", ["name: eu, type: NS, values: [ns.example.net.]"]) + zone("eu.example.org", []) + zone("a.eu.example.org", []);
  expect(build(inner).problems).toMatchObject([{ code: "zone-nested", path: expect.stringContaining("DNSZone eu.example.org") }]);
});

test("a record at the host of a route is hidden by it", () => {
  const route =
    "---\napiVersion: globalroute.dev/v1alpha1\nkind: GlobalRoute\nmetadata: {name: a}\nspec:\n  hosts: [www.example.org]\n" +
    "  backends: [{name: a, cluster: a, addresses: [192.0.2.1]}]\n---\napiVersion: globalroute.dev/v1alpha1\nkind: MemberCluster\n" +
    'metadata: {name: a}\nspec: {location: {latitude: "1", longitude: "2"}}\n';
  const records = ["name: www, type: A, values: [192.0.2.1]", "name: www, type: MX, values: [10 mail]"];
  expect(build(zone("example.org", records) + route).problems).toMatchObject([
    { code: "record-hidden", line: 13, message: expect.stringContaining("a GlobalRoute answers for this name") },
  ]);
});
