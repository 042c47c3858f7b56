import { expect, test } from "vitest";
import type { Capabilities } from "../geo/capabilities.ts";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { readObjects } from "./read-objects.ts";

const COUNTRY: Capabilities = { continent: true, country: true, subdivision: false, asn: false, coordinates: false };
const CITY: Capabilities = { ...COUNTRY, subdivision: true, coordinates: true };

const cluster = (name: string, region: string) => `---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: ${name}}
spec: {location: {cloud: aws, region: ${region}}}
`;
const text = (routing: string, east = "us-east-1") => `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends:
  - {name: west, cluster: us-west, addresses: [192.0.2.1]}
  - {name: east, cluster: us-east, addresses: [192.0.2.2]}
  routing:
    ${routing}
${cluster("us-west", "us-west-2")}${cluster("us-east", east)}`;
const rule = (clients: string) => `rules: [{name: one, mode: Prefer, clients: ${clients}, to: {clusters: [us-west]}}]`;

const warnings = (yaml: string, geo: Capabilities) =>
  readObjects({ files: [{ path: "shop.yaml", text: yaml }], problems: [] }, loadCloudRegions(), { geo })
    .problems.filter(({ code }) => code.startsWith("geo-"))
    .map(({ code, line, severity }) => `${severity} ${code} at ${line}`);

test.each([
  {
    name: "subdivisions without a city file",
    yaml: text(rule("{subdivisions: [US-CA]}"), "eu-west-1"),
    geo: COUNTRY,
    found: ["warning geo-field at 10"],
  },
  { name: "ASNs without an ASN file", yaml: text(rule("{asns: [64500]}"), "eu-west-1"), geo: CITY, found: ["warning geo-field at 10"] },
  { name: "countries need no more than countries", yaml: text(rule("{countries: [US]}"), "eu-west-1"), geo: COUNTRY, found: [] },
  { name: "two clusters of one country by distance", yaml: text("order: Nearest"), geo: COUNTRY, found: ["warning geo-one-place at 8"] },
  { name: "two clusters of one country with a city file", yaml: text("order: Nearest"), geo: CITY, found: [] },
  { name: "two clusters of one country by weight", yaml: text("order: Weighted"), geo: COUNTRY, found: [] },
])("$name", ({ yaml, geo, found }) => {
  expect(warnings(yaml, geo)).toEqual(found);
});
