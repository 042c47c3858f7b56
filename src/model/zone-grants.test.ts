import { expect, test } from "vitest";
import { type AllowedRoutes, type Claimant, type ZoneGrant, zoneGrant } from "./zone-grants.ts";

const team = (name: string) => ({ matchLabels: { team: name } });
const web: Claimant = { namespaceLabels: { team: "web", "kubernetes.io/metadata.name": "web" } };
const host = "shop.example.org";

const cases: readonly {
  readonly name: string;
  readonly allowed: AllowedRoutes;
  readonly host?: string;
  readonly who?: Claimant;
  readonly grant: ZoneGrant;
}[] = [
  { name: "no entries: nobody", allowed: undefined, grant: "Closed" },
  { name: "an entry without members: everybody", allowed: [{}], grant: "Granted" },
  { name: "the namespace's labels fit", allowed: [{ namespaceSelector: team("web") }], grant: "Granted" },
  { name: "they do not", allowed: [{ namespaceSelector: team("db") }], grant: "Namespace" },
  { name: "all labels must fit", allowed: [{ namespaceSelector: { matchLabels: { team: "web", env: "prod" } } }], grant: "Namespace" },
  { name: "a selector without labels fits any namespace", allowed: [{ namespaceSelector: { matchLabels: {} } }], grant: "Granted" },
  {
    name: "a namespace of unknown labels has none",
    allowed: [{ namespaceSelector: team("web") }],
    who: { namespaceLabels: undefined },
    grant: "Namespace",
  },
  {
    name: "labels of Object.prototype are none",
    allowed: [{ namespaceSelector: { matchLabels: { constructor: "" } } }],
    grant: "Namespace",
  },
  { name: "the name itself", allowed: [{ suffixes: [host] }], grant: "Granted" },
  { name: "a name below", allowed: [{ suffixes: ["example.org"] }], grant: "Granted" },
  { name: "a wildcard below", allowed: [{ suffixes: [host] }], host: `*.${host}`, grant: "Granted" },
  { name: "a wildcard that reaches beyond", allowed: [{ suffixes: [host] }], host: "*.example.org", grant: "Name" },
  { name: "a name that only ends alike", allowed: [{ suffixes: [host] }], host: "evilshop.example.org", grant: "Name" },
  { name: "a name that only begins alike", allowed: [{ suffixes: [host] }], host: "shop.example.org.evil.example", grant: "Name" },
  { name: "the apex above", allowed: [{ suffixes: [host] }], host: "example.org", grant: "Name" },
  {
    name: "entries do not add up: the name of one, the namespace of another",
    allowed: [
      { suffixes: [host], namespaceSelector: team("db") },
      { suffixes: ["other.example.org"], namespaceSelector: team("web") },
    ],
    grant: "Namespace",
  },
  {
    name: "any entry is enough",
    allowed: [{ suffixes: ["other.example.org"] }, { suffixes: [host], namespaceSelector: team("web") }],
    grant: "Granted",
  },
  {
    name: "a source of a cluster whose labels fit",
    allowed: [{ clusterSelector: { matchLabels: { env: "prod" } } }],
    who: { ...web, clusterLabels: { env: "prod" } },
    grant: "Granted",
  },
  {
    name: "a source of another cluster",
    allowed: [{ clusterSelector: { matchLabels: { env: "prod" } } }],
    who: { ...web, clusterLabels: { env: "test" } },
    grant: "Cluster",
  },
  {
    name: "what the route says itself comes from no cluster",
    allowed: [{ clusterSelector: { matchLabels: { env: "prod" } } }],
    grant: "Granted",
  },
];

test.each(cases)("$name", ({ allowed, host: name = host, who = web, grant }) => {
  expect(zoneGrant(allowed, name, who)).toBe(grant);
});
