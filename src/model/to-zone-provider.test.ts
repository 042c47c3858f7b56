import { expect, test } from "vitest";
import { parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";
import { buildInventory } from "./to-inventory.ts";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const SETTINGS = "rfc2136: {server: {host: ns1.example.net}, key: {name: writer.example.org, file: writer.key}}";
const zone = (provider: string, more = "owner: prod-eu"): string =>
  `${head("DNSZone", "example-org")}spec:\n  domain: example.org\n  ${more}\n  provider: {${provider}}\n`;

function build(text: string) {
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, { find: () => undefined, suggest: () => undefined }, rejected);
  return { zones: built.inventory.zones, problems: [...problems, ...built.problems].map(formatProblem) };
}

test("a zone that is kept elsewhere has a provider with its defaults, and nothing that is answered here", () => {
  const { zones, problems } = build(zone(`type: RFC2136, ${SETTINGS}`));
  expect(problems).toEqual([]);
  expect(zones).toMatchObject([
    {
      domain: "example.org",
      owner: "prod-eu",
      nameservers: [],
      records: [],
      provider: {
        type: "RFC2136",
        server: { host: "ns1.example.net", port: 53 },
        key: { name: "writer.example.org", algorithm: "hmac-sha256", path: "writer.key" },
        adoptFrom: [],
        policy: "UpsertOnly",
      },
    },
  ]);
});

test.each([
  ["without an owner", zone(`type: RFC2136, ${SETTINGS}`, "policy: Sync"), "owner is missing"],
  ["without its settings", zone("type: RFC2136"), "type is RFC2136, and rfc2136 is missing"],
  ["embedded without its settings", zone("type: Embedded"), "type is Embedded, and embedded is missing"],
  [
    "with the settings of another",
    zone(`type: RFC2136, embedded: {nameservers: [ns1.example.net]}, ${SETTINGS}`),
    "embedded goes with type Embedded, and type is RFC2136",
  ],
  ["with a server that is none", zone(`type: RFC2136, ${SETTINGS.replace("ns1.example.net", "http://ns1")}`), "http://ns1"],
])("a zone %s is refused with what to do", (_, text, says) => {
  const { zones, problems } = build(text);
  expect(problems.join("\n")).toContain(says);
  expect(zones).toEqual([]);
});

test("what a route loses there is told on the route", () => {
  const clusters = ["eu", "us"].map(
    (name) => `${head("MemberCluster", name)}spec: {location: {latitude: "1", longitude: "${name.length}"}}\n`,
  );
  const backends = "backends: [{name: eu, cluster: eu, addresses: [192.0.2.1]}, {name: us, cluster: us, addresses: [192.0.2.2]}]";
  const routeOf = (order: string) =>
    `${head("GlobalRoute", "shop")}spec: {hosts: [shop.example.org], routing: {order: ${order}}, ${backends}}\n`;
  const whole = (order: string) => build([zone(`type: RFC2136, ${SETTINGS}`), ...clusters, routeOf(order)].join("")).problems;
  expect(whole("Nearest").filter((line) => line.includes("policy-not-expressible"))).toEqual([
    expect.stringMatching(/RFC2136, which keeps DNSZone example-org, cannot follow order; instead every client gets .* from eu, us/),
  ]);
  expect(whole("Priority").join("\n")).not.toContain("policy-not-expressible");
});
