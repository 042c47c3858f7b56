import { expect, test } from "vitest";
import { parseManifests } from "./manifest.ts";
import { formatProblem } from "./problem.ts";
import type { RegionTable } from "./region-table.ts";
import { httpPolicyOf } from "./to-http.ts";
import { buildInventory } from "./to-inventory.ts";

const dublin = { city: "Dublin", country: "IE", continent: "EU", latitude: 53.35, longitude: -6.26 };
const regions: RegionTable = {
  find: (cloud, region) => (cloud === "aws" && region === "eu-west-1" ? dublin : undefined),
  suggest: (_, region) => (region === "eu-wst-1" ? "aws eu-west-1" : undefined),
};

function build(text: string) {
  const { objects, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  const built = buildInventory(objects, regions, rejected);
  return { inventory: built.inventory, problems: [...problems, ...built.problems] };
}

const head = (kind: string, name: string) => `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const cluster = (name: string, labels = "", location = "{cloud: aws, region: eu-west-1}") =>
  `${head("MemberCluster", name).replace("}\n", `, labels: {${labels}}}\n`)}spec: {location: ${location}}\n`;
const zone = (name: string, domain: string, more = "", records = "[]", nameservers = "[ns.example.net]") =>
  `${head("DNSZone", name)}spec:\n  domain: ${domain}\n  provider: {type: Embedded, embedded: {nameservers: ${nameservers}, records: ${records}}}\n${more}`;
const override = (spec: string) => `${head("TrafficOverride", "now")}spec: ${spec}\n`;

interface RouteText {
  readonly name?: string;
  readonly hosts?: string;
  readonly backends?: string;
  readonly rest?: string;
}
const route = ({ name = "shop", hosts = "[shop.example.org]", backends = "", rest = "" }: RouteText) =>
  `${head("GlobalRoute", name)}spec:\n  hosts: ${hosts}\n  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n${backends}${rest}`;
const us = "  - {name: us, cluster: us, addresses: [198.51.100.1]}\n";
const rule = (text: string) => `    - {${text}}\n`;
const rules = (...texts: readonly string[]) => `  routing:\n    rules:\n${texts.map(rule).join("")}`;

/** Lines of `world` and then the text that is tried. */
const world = cluster("eu", "site: a, tier: gold") + cluster("us", "site: b") + zone("example", "example.org");

test("a whole world: nothing to complain about, and every default that depends on others", () => {
  const { inventory, problems } = build(
    world +
      route({
        hosts: '["*.example.org", shop.example.org]',
        backends: us,
        rest: "  ttl: {max: 3s}\n  health: {interval: 1s, probe: {scheme: HTTPS}}\n",
      }) +
      override("{targetRef: {kind: GlobalRoute, name: shop, backend: us}, action: Drain, until: 2026-11-21T18:00:00+01:00, reason: work}"),
  );
  expect(problems.map(formatProblem)).toEqual([]);
  expect(inventory.clusters[0]).toEqual({
    name: "eu",
    labels: { site: "a", tier: "gold" },
    location: { latitude: 53.35, longitude: -6.26, country: "IE", continent: "EU", label: "aws eu-west-1" },
    state: "Active",
    weight: 100,
  });
  expect(inventory.routes[0]).toMatchObject({
    hosts: ["*.example.org", "shop.example.org"],
    ttl: { min: 3, max: 3 },
    tolerance: {},
    zones: [],
    health: {
      interval: 1000,
      timeout: 1000,
      probe: {
        type: "HTTP",
        scheme: "HTTPS",
        port: 443,
        path: "/",
        host: "shop.example.org",
        service: "",
        verify: true,
        expect: { status: [{ from: 200, to: 399 }] },
      },
    },
  });
  expect(inventory.zones[0]).toMatchObject({
    domain: "example.org",
    soa: { mname: "ns.example.net", rname: "hostmaster.example.org", refresh: 3600, retry: 600, expire: 1_209_600, minimum: 30, ttl: 3600 },
    records: [],
    allowedSuffixes: [],
  });
  expect(inventory.overrides).toEqual([
    {
      namespace: "default",
      name: "now",
      target: { kind: "GlobalRoute", namespace: "default", name: "shop", backend: "us" },
      action: "Drain",
      reason: "work",
      until: Date.UTC(2026, 10, 21, 17),
    },
  ]);
  expect(JSON.parse(JSON.stringify(inventory))).toEqual(inventory);
});

test.each([
  ["{type: TCP}", { type: "TCP", scheme: "HTTP", port: 80, path: "", host: "", expect: { status: [] } }],
  ["{type: TLS}", { type: "TLS", scheme: "HTTPS", port: 443, path: "", host: "shop.example.org" }],
  ["{type: GRPC, scheme: HTTPS, service: a.b}", { type: "GRPC", scheme: "HTTPS", port: 443, service: "a.b" }],
  ["{type: GRPC}", { scheme: "HTTP", port: 80 }],
  ["{port: 81, host: a.example.org}", { type: "HTTP", scheme: "HTTP", port: 81, host: "a.example.org" }],
  [
    '{expect: {status: ["200", "300-301"], body: ok}}',
    {
      expect: {
        status: [
          { from: 200, to: 200 },
          { from: 300, to: 301 },
        ],
        body: "ok",
      },
    },
  ],
  ["{scheme: HTTPS, insecureSkipVerify: true}", { verify: false }],
])("probe %s", (probe, expected) => {
  const { inventory, problems } = build(world + route({ rest: `  health: {probe: ${probe}}\n` }));
  expect(problems).toEqual([]);
  expect(inventory.routes[0]?.health.probe).toMatchObject(expected);
});

test.each([
  ["{}", { timeouts: { request: 0, backendRequest: 10_000 }, retry: { attempts: 2, codes: [502, 503, 504] }, limits: {} }],
  ["{timeouts: {request: 4s}}", { timeouts: { request: 4000, backendRequest: 4000 } }],
  ["{timeouts: {request: 4s, backendRequest: 4s}, hedge: {after: 4s}}", { hedge: { after: 4000 } }],
  ["{retry: {attempts: 0, codes: []}, limits: {bodyBytes: 0}}", { retry: { attempts: 0, codes: [] }, limits: { bodyBytes: 0 } }],
])("http %s", (http, expected) => {
  const { inventory, problems } = build(world + route({ rest: `  http: ${http}\n` }));
  expect(problems).toEqual([]);
  expect(inventory.routes[0]!.http).toMatchObject(expected);
});

test("a route that says nothing of http has the defaults, and nothing in the inventory", () => {
  const [silent] = build(world + route({})).inventory.routes;
  expect(silent).not.toHaveProperty("http");
  expect(httpPolicyOf(silent!)).toEqual(build(world + route({ rest: "  http: {}\n" })).inventory.routes[0]!.http);
});

test("rules select by name, by label, or by both; named sets become countries", () => {
  const { inventory, problems } = build(
    world +
      route({
        backends: us,
        rest: rules(
          "name: a, mode: Require, unknownPlace: Apply, clients: {sets: [eu-gdpr], countries: [CH, DE]}, to: {selector: {matchLabels: {site: a, tier: gold}}}",
          "name: b, mode: Prefer, clients: {continents: [NA]}, to: {clusters: [eu, us], selector: {matchLabels: {site: b}}}",
        ),
      }),
  );
  expect(problems).toEqual([]);
  const [a, b] = inventory.routes[0]?.rules ?? [];
  expect(a).toMatchObject({ to: ["eu"], unknownPlace: "Apply" });
  expect(b).toMatchObject({ to: ["us"], unknownPlace: "Skip" });
  expect(a?.clients.countries).toHaveLength(38);
  expect(a?.clients.countries).toEqual([...new Set(a?.clients.countries)].sort());
});

const require = (name: string, clients: string, to: string, unknownPlace = "Skip") =>
  `name: ${name}, mode: Require, unknownPlace: ${unknownPlace}, clients: {${clients}}, to: {clusters: [${to}]}`;

/** `at` is the text at which the problem must point; `kept` what of the tried object is in the inventory. */
const cases: readonly {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly at: string;
  readonly says: string;
  readonly kept?: boolean;
}[] = [
  {
    name: "an unknown cluster",
    text: route({ backends: us.replace("cluster: us", "cluster: use") }),
    code: "cluster-unknown",
    at: "use,",
    says: "Did you mean us?",
  },
  {
    name: "a cluster with errors of its own",
    text: cluster("asia", "", "{}") + route({ backends: us.replace("cluster: us", "cluster: asia") }),
    code: "cluster-unknown",
    at: "asia, addresses",
    says: "errors of its own",
  },
  {
    name: "a cluster that could not even be read",
    text: cluster("asia", "", "[]") + route({ backends: us.replace("cluster: us", "cluster: asia") }),
    code: "cluster-unknown",
    at: "asia, addresses",
    says: "errors of its own",
  },
  { name: "a location without anything", text: cluster("x", "", "{}"), code: "location-incomplete", at: "{}}", says: "cloud and region" },
  { name: "a cloud alone", text: cluster("x", "", "{cloud: aws}"), code: "location-incomplete", at: "{cloud: aws}", says: "Add region" },
  {
    name: "a region alone",
    text: cluster("x", "", "{region: eu-west-1}"),
    code: "location-incomplete",
    at: "{region: eu-west-1}",
    says: "Add cloud",
  },
  {
    name: "a latitude alone",
    text: cluster("x", "", '{latitude: "1"}'),
    code: "location-incomplete",
    at: '{latitude: "1"}',
    says: "Add longitude",
  },
  {
    name: "a longitude alone",
    text: cluster("x", "", '{longitude: "1"}'),
    code: "location-incomplete",
    at: '{longitude: "1"}',
    says: "Add latitude",
  },
  {
    name: "two locations",
    text: cluster("x", "", '{cloud: aws, latitude: "1"}'),
    code: "location-incomplete",
    at: '{cloud: aws, latitude: "1"}',
    says: "Keep one",
  },
  {
    name: "an unknown region",
    text: cluster("x", "", "{cloud: aws, region: eu-wst-1}"),
    code: "region-unknown",
    at: "eu-wst-1",
    says: "Did you mean aws eu-west-1?",
  },
  {
    name: "a host on two routes",
    text: `${route({})}${route({ name: "two", hosts: "[two.example.org, shop.example.org]" })}`,
    code: "host-overlap",
    at: "shop.example.org]\n  backends:\n  - {name: eu, cluster: eu, addresses: [192.0.2.1]}\n$",
    says: "GlobalRoute default/shop's already",
  },
  {
    name: "an object twice",
    text: `${route({})}${route({ hosts: "[b.example.org]" })}`,
    code: "object-duplicate",
    at: "shop}\nspec:\n  hosts: [b",
    says: "a.yaml:21 already",
  },
  {
    name: "a host outside every zone",
    text: route({ hosts: "[shop.example.net]" }),
    code: "host-without-zone",
    at: "shop.example.net",
    says: "Add a DNSZone",
    kept: true,
  },
  {
    name: "a host whose name only ends like a zone",
    text: route({ hosts: "[shopexample.org]" }),
    code: "host-without-zone",
    at: "shopexample.org",
    says: "Add a DNSZone",
    kept: true,
  },
  {
    name: "a host in a zone that is not named",
    text: zone("two", "example.com") + route({ rest: "  publish: {dns: [{zone: two}]}\n" }),
    code: "host-without-zone",
    at: "shop.example.org",
    says: "Add zone: example",
    kept: true,
  },
  {
    name: "a host that its zone does not allow",
    text:
      zone("two", "example.com", "  allowedRoutes: [{suffixes: [a.example.com]}, {suffixes: [b.example.com]}]\n") +
      route({ hosts: "[xa.example.com]" }),
    code: "host-not-allowed",
    at: "xa.example.com",
    says: "a.example.com, b.example.com",
    kept: true,
  },
  {
    name: "an unknown zone",
    text: route({ rest: "  publish: {dns: [{zone: exampel}, {zone: example}]}\n" }),
    code: "zone-unknown",
    at: "exampel}",
    says: "Did you mean example?",
  },
  {
    name: "TTL bounds upside down",
    text: route({ rest: "  ttl: {min: 2m, max: 90s}\n" }),
    code: "range-order",
    at: "2m",
    says: "2m is longer than max, 1m30s",
  },
  {
    name: "a timeout over the interval",
    text: route({ rest: "  health: {interval: 1s, timeout: 1100ms}\n" }),
    code: "range-order",
    at: "1100ms",
    says: "1s100ms is longer than the interval, 1s",
  },
  {
    name: "one endpoint gets more time than the request has",
    text: route({ rest: "  http: {timeouts: {request: 5s, backendRequest: 6s}}\n" }),
    code: "range-order",
    at: "6s",
    says: "6s is longer than request, 5s",
  },
  {
    name: "a hedge that would come after the timeout",
    text: route({ rest: "  http: {timeouts: {request: 5s}, hedge: {after: 7s}}\n" }),
    code: "range-order",
    at: "7s",
    says: "7s is longer than timeouts.backendRequest, 5s",
  },
  {
    name: "a status that is none of a failure",
    text: route({ rest: "  http: {retry: {codes: [302]}}\n" }),
    code: "field-range",
    at: "302",
    says: "400",
  },
  {
    name: "both tolerances",
    text: route({ rest: "  routing: {tolerance: {distanceKm: 1, latency: 1ms}}\n" }),
    code: "tolerance-order",
    at: "{distanceKm",
    says: "both",
  },
  {
    name: "no tolerance in tolerance",
    text: route({ rest: "  routing: {tolerance: {}}\n" }),
    code: "tolerance-order",
    at: "{}}",
    says: "neither",
  },
  {
    name: "latency tolerance by distance",
    text: route({ rest: "  routing: {tolerance: {latency: 5ms}}\n" }),
    code: "tolerance-order",
    at: "5ms",
    says: "order: Latency",
  },
  {
    name: "distance tolerance by weight",
    text: route({ rest: "  routing: {order: Weighted, tolerance: {distanceKm: 5}}\n" }),
    code: "tolerance-order",
    at: "5}",
    says: "order: Nearest",
  },
  { name: "spread", text: route({ rest: "  spread: 2\n" }), code: "shares-equal", at: "2\n", says: "about equal", kept: true },
  {
    name: "shed bounds upside down",
    text: route({ rest: "  routing: {shed: {lowPercent: 80, highPercent: 80}}\n" }),
    code: "range-order",
    at: "80, high",
    says: "highPercent",
  },
  {
    name: "Count without count",
    text: route({ rest: "  health: {quorum: {type: Count}}\n" }),
    code: "field-missing",
    at: "{type: Count}",
    says: "Add count",
  },
  {
    name: "count without Count",
    text: route({ rest: "  health: {quorum: {count: 2}}\n" }),
    code: "field-unused",
    at: "2}}",
    says: "type: Count",
  },
  {
    name: "a path for TCP",
    text: route({ rest: "  health: {probe: {type: TCP, path: /a}}\n" }),
    code: "field-unused",
    at: "/a",
    says: "type HTTP only",
  },
  {
    name: "an expectation of TLS",
    text: route({ rest: "  health: {probe: {type: TLS, expect: {body: a}}}\n" }),
    code: "field-unused",
    at: "{body",
    says: "type HTTP only",
  },
  {
    name: "a service for HTTP",
    text: route({ rest: "  health: {probe: {service: a}}\n" }),
    code: "field-unused",
    at: "a}}",
    says: "type GRPC only",
  },
  {
    name: "a scheme for TLS",
    text: route({ rest: "  health: {probe: {type: TLS, scheme: HTTP}}\n" }),
    code: "field-unused",
    at: "HTTP}}",
    says: "HTTP and GRPC only",
  },
  {
    name: "trust in no certificate",
    text: route({ rest: "  health: {probe: {insecureSkipVerify: true}}\n" }),
    code: "field-unused",
    at: "true}}",
    says: "TLS",
  },
  {
    name: "nothing but wildcards to probe",
    text: route({ hosts: '["*.example.org"]' }),
    code: "probe-host",
    at: "hosts",
    says: "health.example.org",
  },
  {
    name: "a Require without unknownPlace",
    text: route({ rest: rules("name: a, mode: Require, clients: {countries: [DE]}, to: {clusters: [eu]}") }),
    code: "unknown-place",
    at: "{name: a,",
    says: "Apply",
  },
  {
    name: "a rule for nobody",
    text: route({ rest: rules("name: a, mode: Prefer, clients: {}, to: {clusters: [eu]}") }),
    code: "clients-empty",
    at: "{}, to",
    says: "0.0.0.0/0",
  },
  {
    name: "a rule to nowhere",
    text: route({ rest: rules("name: a, mode: Prefer, clients: {countries: [DE]}, to: {}") }),
    code: "field-missing",
    at: "{}}",
    says: "Add clusters, selector",
  },
  {
    name: "a rule to an unknown cluster",
    text: route({ rest: rules("name: a, mode: Prefer, clients: {countries: [DE]}, to: {clusters: [eu, eux]}") }),
    code: "cluster-unknown",
    at: "eux",
    says: "Did you mean eu?",
  },
  {
    name: "a rule whose labels match nothing",
    text: route({ rest: rules("name: a, mode: Prefer, clients: {countries: [DE]}, to: {selector: {matchLabels: {site: a, tier: tin}}}") }),
    code: "rule-selects-nothing",
    at: "{selector",
    says: "no MemberCluster has site=a, tier=tin",
  },
  {
    name: "a rule whose names and labels have nothing in common",
    text: route({
      rest: rules("name: a, mode: Prefer, clients: {countries: [DE]}, to: {clusters: [eu], selector: {matchLabels: {site: b}}}"),
    }),
    code: "rule-selects-nothing",
    at: "{clusters: [eu], sel",
    says: "none of eu has site=b",
  },
  {
    name: "a Require to a cluster without backend",
    text: route({ rest: rules(require("a", "countries: [US]", "us")) }),
    code: "rule-without-backend",
    at: "{clusters: [us]",
    says: "could not be served",
  },
  {
    name: "a Prefer to a cluster without backend",
    text: route({ rest: rules("name: a, mode: Prefer, clients: {countries: [US]}, to: {clusters: [us]}") }),
    code: "rule-without-backend",
    at: "{clusters: [us]",
    says: "prefers nothing",
    kept: true,
  },
  {
    name: "two Requires without a common cluster",
    text: route({ backends: us, rest: rules(require("a", "continents: [EU]", "eu"), require("b", "countries: [US, DE]", "us")) }),
    code: "require-disjoint",
    at: "{name: b",
    says: "clients in DE",
    kept: true,
  },
  {
    name: "a Drain without end",
    text: route({}) + override("{targetRef: {kind: MemberCluster, name: eu}, action: Drain, reason: r}"),
    code: "override-time",
    at: "{targetRef",
    says: "required with Drain",
  },
  {
    name: "an end before the start",
    text:
      route({}) +
      override(
        "{targetRef: {kind: MemberCluster, name: eu}, action: Drain, reason: r, start: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z}",
      ),
    code: "override-time",
    at: "2026-01-01",
    says: "after start",
  },
  {
    name: "an override of an unknown cluster",
    text: route({}) + override("{targetRef: {kind: MemberCluster, name: eux}, action: ApproveFailback, reason: r}"),
    code: "override-target",
    at: "eux",
    says: "Did you mean eu?",
    kept: true,
  },
  {
    name: "an override of an unknown route",
    text: route({}) + override("{targetRef: {kind: GlobalRoute, name: shopp}, action: ApproveFailback, reason: r}"),
    code: "override-target",
    at: "shopp",
    says: "Did you mean shop?",
    kept: true,
  },
  {
    name: "an override of an unknown backend",
    text: route({}) + override("{targetRef: {kind: GlobalRoute, name: shop, backend: es}, action: ApproveFailback, reason: r}"),
    code: "override-target",
    at: "es}",
    says: "Did you mean eu?",
    kept: true,
  },
  {
    name: "a backend of a cluster",
    text: route({}) + override("{targetRef: {kind: MemberCluster, name: eu, backend: eu}, action: ApproveFailback, reason: r}"),
    code: "field-unused",
    at: "eu}, action",
    says: "GlobalRoute only",
  },
];

test.each(cases)("$name: place, code, remedy, and whether it is kept", ({ text, code, at, says, kept = false }) => {
  const whole = world + text;
  const { problems, inventory } = build(whole);
  const found = problems.filter((problem) => problem.code === code);
  expect(found, problems.map(formatProblem).join("\n")).toHaveLength(1);
  const [problem] = found;
  expect(problem!.severity).toBe(kept ? "warning" : "error");
  expect(formatProblem(problem!)).toContain(says);
  expect(problem!.remedy).toMatch(/^[A-Z].*\.$/s);
  const target = whole.split("\n")[problem!.line - 1]!.slice(problem!.column - 1);
  const rest = `${target}\n${whole.split("\n").slice(problem!.line).join("\n")}$`;
  expect(rest.slice(0, at.length)).toBe(at);
  const last = inventory[code === "object-duplicate" ? "routes" : lastKind(text)];
  expect(last.some((object) => object.name === lastName(text))).toBe(kept || code === "object-duplicate");
});

const lastKind = (text: string) => {
  const kind = [...text.matchAll(/^kind: (\w+)/gm)].at(-1)![1];
  return kind === "MemberCluster" ? "clusters" : kind === "TrafficOverride" ? "overrides" : "routes";
};
const lastName = (text: string) => [...text.matchAll(/^metadata: \{name: ([\w-]+)/gm)].at(-1)![1];

test("an error in one object leaves the others in place", () => {
  const { inventory } = build(world + route({ name: "bad", hosts: "[bad.example.org]", rest: "  health: {timeout: 6s}\n" }) + route({}));
  expect(inventory.routes.map((kept) => kept.name)).toEqual(["shop"]);
});

test("a host stays with the route that claimed it first, even while that has errors", () => {
  const { inventory, problems } = build(world + route({ rest: "  health: {timeout: 6s}\n" }) + route({ name: "thief" }));
  expect(inventory.routes).toEqual([]);
  expect(problems.map((problem) => problem.code)).toEqual(["range-order", "host-overlap"]);
});

test("bounds may be equal: a fixed TTL, a timeout as long as the interval, a tolerance of each order", () => {
  const { inventory, problems } = build(
    world +
      route({ rest: "  ttl: {min: 30s, max: 30s}\n  health: {interval: 2s, timeout: 2s}\n  routing: {tolerance: {distanceKm: 300}}\n" }) +
      route({
        name: "two",
        hosts: "[two.example.org]",
        rest: "  ttl: {min: 2m}\n  routing: {order: Latency, tolerance: {latency: 10ms}}\n",
      }),
  );
  expect(problems).toEqual([]);
  expect(inventory.routes).toMatchObject([
    { ttl: { min: 30, max: 30 }, health: { timeout: 2000 }, tolerance: { distanceKm: 300 } },
    { ttl: { min: 120, max: 120 }, health: { interval: 5000, timeout: 2000 }, tolerance: { latencyMs: 10 } },
  ]);
});

test("a route of one namespace does not collide with the same name in another", () => {
  const other = route({ hosts: "[b.example.org]" }).replace("{name: shop}", "{name: shop, namespace: other}");
  expect(build(world + route({}) + other)).toMatchObject({
    problems: [],
    inventory: { routes: [{ namespace: "default" }, { namespace: "other" }] },
  });
});
