import { expect, test } from "vitest";
import { parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";
import type { RegionTable } from "./region-table.ts";
import { buildInventory } from "./to-inventory.ts";

const regions: RegionTable = {
  find: (cloud, region) =>
    cloud === "aws" && region === "eu-west-1"
      ? { city: "Dublin", country: "IE", continent: "EU", latitude: 53.35, longitude: -6.26 }
      : undefined,
  suggest: () => undefined,
};

function build(text: string) {
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, regions, rejected);
  return { inventory: built.inventory, problems: [...problems, ...built.problems].map(formatProblem) };
}

const head = (kind: string, name: string) => `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const DUBLIN = "{name: dublin, location: {cloud: aws, region: eu-west-1}}";
const fleet = (name: string, spec: string) => `${head("ProxyFleet", name)}spec: ${spec}\n`;
const envoys = (name: string, places = `[${DUBLIN}]`, envoy = "{}") => fleet(name, `{type: Envoy, places: ${places}, envoy: ${envoy}}`);
const haproxies = (name: string, members: string) => fleet(name, `{type: HAProxy, places: [${DUBLIN}], haproxy: {members: ${members}}}`);
const member = (more = "") => `{name: one, place: dublin, listen: [{address: 192.0.2.1, port: 80}]${more}}`;
const route = (publish = "") =>
  `${head("MemberCluster", "eu")}spec: {location: {cloud: aws, region: eu-west-1}}\n${head("DNSZone", "example")}spec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns.example.net]}}}\n${head("GlobalRoute", "shop")}spec:\n  hosts: [shop.example.org]\n  backends: [{name: eu, cluster: eu, addresses: [192.0.2.1]}]\n${publish}`;

test("Envoys: places are found in the region table, and defaults are filled in", () => {
  const { inventory, problems } = build(envoys("edge", `[${DUBLIN}]`, "{listener: {address: 0.0.0.0, port: 8080}}"));
  expect(problems).toEqual([]);
  expect(inventory.fleets).toEqual([
    {
      type: "Envoy",
      name: "edge",
      places: [{ name: "dublin", location: { latitude: 53.35, longitude: -6.26, country: "IE", continent: "EU", label: "aws eu-west-1" } }],
      endpointCaFile: "/etc/ssl/certs/ca-certificates.crt",
      listener: { address: "0.0.0.0", port: 8080, trustedHops: 0 },
    },
  ]);
});

test("HAProxies", () => {
  const { inventory, problems } = build(haproxies("edge", `[${member(", admin: {address: 192.0.2.1, port: 9999}")}]`));
  expect(problems).toEqual([]);
  expect(inventory.fleets).toMatchObject([
    {
      type: "HAProxy",
      members: [
        {
          name: "one",
          place: "dublin",
          reload: "Master",
          listen: [{ address: "192.0.2.1", port: 80 }],
          admin: { address: "192.0.2.1", port: 9999 },
        },
      ],
    },
  ]);
});

test("without a fleet an inventory is as it was", () => {
  expect(Object.keys(build(route()).inventory)).not.toContain("fleets");
});

test("a route names its fleets, or has every one", () => {
  expect(build(envoys("edge") + route("  publish: {proxies: [{name: edge}]}\n")).inventory.routes).toMatchObject([{ fleets: ["edge"] }]);
  const [everywhere] = build(envoys("edge") + route()).inventory.routes;
  expect(everywhere?.fleets).toBeUndefined();
});

const wrong: readonly { readonly name: string; readonly text: string; readonly told: readonly (string | RegExp)[] }[] = [
  {
    name: "a type without its member",
    text: fleet("edge", `{type: HAProxy, places: [${DUBLIN}]}`),
    told: [/a\.yaml:5:14: .*type is HAProxy, and haproxy is missing.*Add haproxy/],
  },
  {
    name: "the member of another type",
    text: fleet("edge", `{type: Envoy, places: [${DUBLIN}], envoy: {}, haproxy: {members: [${member()}]}}`),
    told: [/haproxy goes with type HAProxy, and type is Envoy.*Remove it/],
  },
  {
    name: "a region that nobody knows",
    text: envoys("edge", "[{name: dublin, location: {cloud: aws, region: eu-wst-1}}]"),
    told: [/spec\.places\[0\]\.location\.region: aws eu-wst-1 is not in the region table/],
  },
  {
    name: "a HAProxy at no place of the fleet",
    text: haproxies("edge", "[{name: one, place: dublon, listen: [{address: 192.0.2.1, port: 80}]}]"),
    told: [/one stands at dublon, which is no place of the fleet. Did you mean dublin\?/],
  },
  {
    name: "a file that could be more than a path",
    text: envoys("edge", `[${DUBLIN}]`, '{endpointCaFile: "/ca.pem\\n  bind :80"}'),
    told: [/is not the absolute path of a file/],
  },
  {
    name: "a route that names a fleet which is not there",
    text: envoys("edge") + route("  publish: {proxies: [{name: egde}]}\n"),
    told: [/spec\.publish\.proxies\[0\]\.name: there is no ProxyFleet egde. Did you mean edge\?/],
  },
  {
    name: "a route that names a fleet which has errors",
    text: envoys("edge", "[{name: dublin, location: {cloud: aws, region: x}}]") + route("  publish: {proxies: [{name: edge}]}\n"),
    told: [/ProxyFleet edge has errors of its own. Correct that object first/, /x is not in the region table/],
  },
];
test.each(wrong)("$name is told with its place and a remedy", ({ text, told }) => {
  const { problems } = build(text);
  for (const words of told) expect(problems.join("\n")).toMatch(words);
  expect(problems).toHaveLength(told.length);
});
