import { expect, test } from "vitest";
import { type ApiContext, offlineContext } from "./api-context.ts";
import { parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";
import { buildInventory } from "./to-inventory.ts";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const SETTINGS = "rfc2136: {server: {host: ns1.example.net}, key: {name: writer.example.org, file: writer.key}}";
const zone = (provider: string, more = "owner: prod-eu"): string =>
  `${head("DNSZone", "example-org")}spec:\n  domain: example.org\n  ${more}\n  provider: {${provider}}\n`;

function build(text: string, api?: ApiContext) {
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, { find: () => undefined, suggest: () => undefined }, rejected, api);
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

test("a zone that ExternalDNS publishes: in files it is refused with what to do, and a controller keeps it", () => {
  const text = zone("type: ExternalDNS, externalDns: {namespace: dns}");
  const inFiles = build(text);
  expect(inFiles.zones).toEqual([]);
  expect(inFiles.problems).toEqual([
    expect.stringMatching(/^a\.yaml:\d+:.*externalDns.* works only with a Kubernetes controller.*keep the zone Embedded/s),
  ]);
  const inKubernetes = build(text, offlineContext([], "globalroute-system"));
  expect(inKubernetes.problems).toEqual([]);
  expect(inKubernetes.zones[0]?.provider).toEqual({
    type: "ExternalDNS",
    namespace: "dns",
    interval: 60_000,
    adoptFrom: [],
    policy: "UpsertOnly",
  });
});

test.each([
  ["without an owner", zone(`type: RFC2136, ${SETTINGS}`, "policy: Sync"), "owner is missing"],
  ["without its settings", zone("type: RFC2136"), "type is RFC2136, and rfc2136 is missing"],
  ["for ExternalDNS without a namespace", zone("type: ExternalDNS, externalDns: {}"), "externalDns.namespace"],
  ["for ExternalDNS with a namespace that is none", zone("type: ExternalDNS, externalDns: {namespace: a.b}"), '"a.b"'],
  ["for ExternalDNS without its settings", zone("type: ExternalDNS"), "type is ExternalDNS, and externalDns is missing"],
  ["embedded without its settings", zone("type: Embedded"), "type is Embedded, and embedded is missing"],
  [
    "with the settings of another",
    zone(`type: RFC2136, embedded: {nameservers: [ns1.example.net]}, ${SETTINGS}`),
    "embedded goes with type Embedded, and type is RFC2136",
  ],
  [
    "whose records are to go with its file",
    zone(`type: RFC2136, ${SETTINGS}`, "owner: prod-eu\n  deletionPolicy: Delete"),
    "Delete works only with a Kubernetes controller. Remove it: records of a zone whose file is removed stay at the provider, unless",
  ],
  ["with a server that is none", zone(`type: RFC2136, ${SETTINGS.replace("ns1.example.net", "http://ns1")}`), "http://ns1"],
])("a zone %s is refused with what to do", (_, text, says) => {
  const { zones, problems } = build(text);
  expect(problems.join("\n")).toContain(says);
  expect(zones).toEqual([]);
});

test.each([
  ["RFC2136", SETTINGS],
  ["ExternalDNS", "externalDns: {namespace: dns}"],
])("what a route loses at %s is told on the route", (type, settings) => {
  const clusters = ["eu", "us"].map(
    (name) => `${head("MemberCluster", name)}spec: {location: {latitude: "1", longitude: "${name.length}"}}\n`,
  );
  const backends = "backends: [{name: eu, cluster: eu, addresses: [192.0.2.1]}, {name: us, cluster: us, addresses: [192.0.2.2]}]";
  const routeOf = (order: string) =>
    `${head("GlobalRoute", "shop")}spec: {discovery: None, hosts: [shop.example.org], routing: {order: ${order}}, ${backends}}\n`;
  const api = type === "ExternalDNS" ? offlineContext([], "globalroute-system") : undefined;
  const of = zone(`type: ${type}, ${settings}`, "owner: prod-eu\n  allowedRoutes: [{}]");
  const whole = (order: string) => build([of, ...clusters, routeOf(order)].join(""), api).problems;
  expect(whole("Nearest").filter((line) => line.includes("policy-not-expressible"))).toEqual([
    expect.stringMatching(
      new RegExp(`${type}, which keeps DNSZone example-org, cannot follow order; instead every client gets .* from eu, us`),
    ),
  ]);
  expect(whole("Priority").join("\n")).not.toContain("policy-not-expressible");
});
