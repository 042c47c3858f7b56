/**
 * Objects that must not come into being, as data: those that the API server itself refuses, and those that only the controller can see to be
 * wrong. One list for the decoder, the fake API server and a real one.
 */

/** An object as one would post it. */
export interface PostedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

export interface InvalidObject {
  readonly name: string;
  readonly object: PostedObject;
  /** Where the API server points to. */
  readonly field: string;
  /** What its message tells: what to use, to set or to remove. */
  readonly says: string;
}

type Spec = Readonly<Record<string, unknown>>;

const posted = (kind: string, name: string, spec: Spec, namespace?: string): PostedObject => ({
  apiVersion: "globalroute.dev/v1alpha1",
  kind,
  metadata: namespace === undefined ? { name } : { name, namespace },
  spec,
});

const backend = { name: "eu", cluster: "eu", addresses: ["192.0.2.1"] };
const route = (more: Spec, name = "invalid", namespace = "default"): PostedObject =>
  posted("GlobalRoute", name, { hosts: ["shop.example.org"], backends: [backend], ...more }, namespace);
const rule = (more: Spec) => ({
  routing: { rules: [{ name: "r", clients: { countries: ["DE"] }, to: { clusters: ["eu"] }, mode: "Prefer", ...more }] },
});
const cluster = (more: Spec, name = "invalid"): PostedObject =>
  posted("MemberCluster", name, { location: { cloud: "aws", region: "eu-west-1" }, ...more });
const embedded = { nameservers: ["ns.example.net"] };
const zone = (more: Spec, name = "invalid"): PostedObject =>
  posted("DNSZone", name, { domain: "example.org", provider: { type: "Embedded", embedded }, ...more });
const override = (more: Spec, namespace = "default"): PostedObject =>
  posted(
    "TrafficOverride",
    "invalid",
    { targetRef: { kind: "GlobalRoute", name: "shop" }, action: "ApproveFailback", reason: "a test", ...more },
    namespace,
  );
const probe = (more: Spec): PostedObject => route({ health: { probe: more } });

/** Refused by the API server. The decoder refuses each too. */
export const refusedByServer: readonly InvalidObject[] = [
  {
    name: "no hosts",
    object: posted("GlobalRoute", "invalid", { backends: [backend] }, "default"),
    field: "spec.hosts",
    says: "Required value",
  },
  { name: "a host in capitals", object: route({ hosts: ["Shop.example.org"] }), field: "spec.hosts[0]", says: "in lower case" },
  { name: "a URL as host", object: route({ hosts: ["https://shop.example.org/"] }), field: "spec.hosts[0]", says: "no scheme, port, path" },
  { name: "a host twice", object: route({ hosts: ["a.example.org", "a.example.org"] }), field: "spec.hosts[1]", says: "Duplicate value" },
  {
    name: "neither addresses nor sourceRef",
    object: route({ backends: [{ name: "eu", cluster: "eu" }] }),
    field: "spec.backends[0]",
    says: "exactly one of addresses and sourceRef: remove one, or add the one that is missing",
  },
  {
    name: "both addresses and sourceRef",
    object: route({ backends: [{ ...backend, sourceRef: { kind: "Ingress", name: "shop" } }] }),
    field: "spec.backends[0]",
    says: "exactly one of addresses and sourceRef: remove one",
  },
  {
    name: "a source of a strange kind",
    object: route({ backends: [{ name: "eu", cluster: "eu", sourceRef: { kind: "Deployment", name: "shop" } }] }),
    field: "spec.backends[0].sourceRef.kind",
    says: 'supported values: "Ingress", "Gateway", "Service"',
  },
  {
    name: "an address with a port",
    object: route({ backends: [{ ...backend, addresses: ["https://192.0.2.1/"] }] }),
    field: "spec.backends[0].addresses[0]",
    says: "bare IP address or host name",
  },
  { name: "a backend's name twice", object: route({ backends: [backend, backend] }), field: "spec.backends[1]", says: "Duplicate value" },
  {
    name: "a backend's name in capitals",
    object: route({ backends: [{ ...backend, name: "EU" }] }),
    field: "spec.backends[0].name",
    says: "lower-case letters",
  },
  {
    name: "no backends and no discovery",
    object: route({ backends: [], discovery: "None" }),
    field: "spec",
    says: "write discovery: SameNamespace",
  },
  { name: "a duration without unit", object: route({ ttl: { min: "5" } }), field: "spec.ttl.min", says: "as in 5s" },
  { name: "a TTL of half a second", object: route({ ttl: { min: "1500ms" } }), field: "spec.ttl.min", says: "whole seconds, as in 5s" },
  { name: "a TTL of nothing", object: route({ ttl: { min: "0s" } }), field: "spec.ttl.min", says: "must be from 1s to 24h" },
  { name: "a TTL the wrong way round", object: route({ ttl: { min: "60s", max: "5s" } }), field: "spec.ttl", says: "swap or correct them" },
  { name: "an unknown order", object: route({ routing: { order: "Neerest" } }), field: "spec.routing.order", says: '"Nearest", "Latency"' },
  {
    name: "a tolerance of the other order",
    object: route({ routing: { order: "Weighted", tolerance: { distanceKm: 300 } } }),
    field: "spec.routing",
    says: "remove it, or set order: Nearest",
  },
  {
    name: "one endpoint gets more time than the request has",
    object: route({ http: { timeouts: { request: "5s", backendRequest: "6s" } } }),
    field: "spec.http.timeouts",
    says: "shorten it, or lengthen request",
  },
  {
    name: "a status that is none of a failure",
    object: route({ http: { retry: { codes: [302] } } }),
    field: "spec.http.retry.codes[0]",
    says: "greater than or equal to 400",
  },
  {
    name: "two tolerances",
    object: route({ routing: { tolerance: { distanceKm: 300, latency: "10ms" } } }),
    field: "spec.routing.tolerance",
    says: "keep distanceKm with order Nearest",
  },
  {
    name: "shedding that ends before it begins",
    object: route({ routing: { shed: { lowPercent: 90, highPercent: 80 } } }),
    field: "spec.routing.shed",
    says: "lower it, or raise highPercent",
  },
  {
    name: "a Require rule for whom?",
    object: route(rule({ mode: "Require" })),
    field: "spec.routing.rules[0]",
    says: "unknownPlace is required with Require",
  },
  { name: "a rule for nobody", object: route(rule({ clients: {} })), field: "spec.routing.rules[0].clients", says: "add one of its lists" },
  { name: "a rule to nowhere", object: route(rule({ to: {} })), field: "spec.routing.rules[0].to", says: "add one of them" },
  {
    name: "a country in small letters",
    object: route(rule({ clients: { countries: ["de"] } })),
    field: "clients.countries[0]",
    says: "two capital letters, as in DE",
  },
  {
    name: "a network without digits",
    object: route(rule({ clients: { subnets: ["lan"] } })),
    field: "clients.subnets[0]",
    says: "as in 198.51.100.0/24",
  },
  {
    name: "a path of a TCP probe",
    object: probe({ type: "TCP", path: "/healthz" }),
    field: "spec.health.probe",
    says: "path goes with type HTTP only; remove it",
  },
  {
    name: "unverified TLS without TLS",
    object: probe({ insecureSkipVerify: true }),
    field: "spec.health.probe",
    says: "remove it, or set scheme: HTTPS",
  },
  { name: "a path without slash", object: probe({ path: "healthz" }), field: "spec.health.probe.path", says: "with a slash first" },
  {
    name: "a timeout longer than the interval",
    object: route({ health: { interval: "1s", timeout: "2s" } }),
    field: "spec.health",
    says: "shorten it, or lengthen interval",
  },
  {
    name: "a quorum of how many?",
    object: route({ health: { quorum: { type: "Count" } } }),
    field: "spec.health.quorum",
    says: "add it, or remove it",
  },
  {
    name: "a rollout of a backend that is not there",
    object: route({ rollout: { steps: [{ name: "one", backend: "green", weight: 10, pause: "10m" }] } }),
    field: "spec",
    says: "correct backend, or add it to backends",
  },
  {
    name: "a step that never ends",
    object: route({ rollout: { steps: [{ name: "one", backend: "eu", weight: 10 }] } }),
    field: "spec.rollout.steps[0]",
    says: "set pause, as in 10m, or write approval: true",
  },
  { name: "half a location", object: cluster({ location: { cloud: "aws" } }), field: "spec.location", says: "add the one that is missing" },
  {
    name: "two locations",
    object: cluster({ location: { cloud: "aws", region: "eu-west-1", latitude: "53", longitude: "-6" } }),
    field: "spec.location",
    says: "remove one pair",
  },
  {
    name: "a latitude off the globe",
    object: cluster({ location: { latitude: "91", longitude: "0" } }),
    field: "spec.location.latitude",
    says: "from -90 to 90",
  },
  {
    name: "static addresses, but none",
    object: cluster({ addressing: { type: "Static" } }),
    field: "spec.addressing",
    says: "addresses is required with type Static",
  },
  {
    name: "translation of what is listed",
    object: cluster({ addressing: { type: "Static", addresses: ["192.0.2.1"], nat: [{ from: "10.0.0.1", to: "192.0.2.1" }] } }),
    field: "spec.addressing",
    says: "nat goes with type Status only: remove it",
  },
  {
    name: "a secret without name",
    object: cluster({ access: { secretRef: {} } }),
    field: "spec.access.secretRef.name",
    says: "Required value",
  },
  { name: "a domain with a dot at its end", object: zone({ domain: "example.org." }), field: "spec.domain", says: "dot at the end" },
  {
    name: "a zone without servers",
    object: zone({ provider: { type: "Embedded", embedded: { nameservers: [] } } }),
    field: "nameservers",
    says: "at least 1 items",
  },
  {
    name: "two keys that sign",
    object: zone({
      provider: {
        type: "Embedded",
        embedded: {
          ...embedded,
          dnssec: {
            keys: [
              { name: "a", file: "a.pem" },
              { name: "b", file: "b.pem" },
            ],
          },
        },
      },
    }),
    field: "spec.provider.embedded.dnssec",
    says: "set state: Active on one",
  },
  {
    name: "DNSEndpoints without a namespace",
    object: zone({ owner: "prod", provider: { type: "ExternalDNS", externalDns: {} } }),
    field: "spec.provider.externalDns.namespace",
    says: "Required value",
  },
  {
    name: "ExternalDNS with the settings of another",
    object: zone({ owner: "prod", provider: { type: "ExternalDNS", embedded } }),
    field: "spec.provider",
    says: "externalDns goes with type ExternalDNS, and with no other",
  },
  {
    name: "copies for everybody",
    object: zone({ provider: { type: "Embedded", embedded: { ...embedded, transfer: { allow: [{}] } } } }),
    field: "spec.provider.embedded.transfer.allow[0]",
    says: "must name networks, a key, or both",
  },
  { name: "a drain without end", object: override({ action: "Drain" }), field: "spec", says: "set it to when the work is done" },
  {
    name: "a drill without a start",
    object: override({ action: "Drill", until: "2126-11-21T18:00:00Z" }),
    field: "spec",
    says: "start is required with Drill",
  },
  {
    name: "an end before the start",
    object: override({ start: "2026-11-21T18:00:00Z", until: "2026-11-21T17:00:00Z" }),
    field: "spec",
    says: "until must lie after start: move one of them",
  },
  {
    name: "a backend of a cluster",
    object: override({ targetRef: { kind: "MemberCluster", name: "eu", backend: "eu" } }),
    field: "spec.targetRef",
    says: "backend goes with kind GlobalRoute only: remove it",
  },
  {
    name: "promotion of a cluster",
    object: override({ action: "PromoteStep", targetRef: { kind: "MemberCluster", name: "eu" } }),
    field: "spec",
    says: "PromoteStep and AbortRollout go with kind GlobalRoute",
  },
  { name: "no reason", object: override({ reason: "" }), field: "spec.reason", says: "at least 1 chars" },
];

/** Changes that the API server refuses although each state by itself is sound. */
export const refusedChanges: readonly {
  readonly name: string;
  readonly from: PostedObject;
  readonly to: PostedObject;
  readonly says: string;
}[] = [
  {
    name: "another domain",
    from: zone({}, "changing"),
    to: zone({ domain: "example.net" }, "changing"),
    says: "make another DNSZone for another domain",
  },
  {
    name: "another owner",
    from: zone({ owner: "prod" }, "changing"),
    to: zone({ owner: "test" }, "changing"),
    says: "make another DNSZone for another owner",
  },
  {
    name: "DNSEndpoints elsewhere",
    from: zone({ owner: "prod", provider: { type: "ExternalDNS", externalDns: { namespace: "dns" } } }, "changing"),
    to: zone({ owner: "prod", provider: { type: "ExternalDNS", externalDns: { namespace: "edge" } } }, "changing"),
    says: "what was written stays where it is",
  },
  {
    name: "no owner any more",
    from: zone({ owner: "prod" }, "changing"),
    to: zone({}, "changing"),
    says: "owner is immutable once it is set",
  },
];

export interface UnfoundedObject {
  readonly name: string;
  /** Sound one by one: the API server takes them. `good` is there besides. */
  readonly objects: readonly PostedObject[];
  /** Code of the problem that the controller and `globalroute validate` report. */
  readonly code: string;
  /** Part of its text, the same in both. */
  readonly says: string;
  /** Only a controller can tell. */
  readonly needsCluster?: true;
}

/** What is there besides. */
export const good: readonly PostedObject[] = [
  { ...cluster({}, "eu"), metadata: { name: "eu", labels: { tier: "gold" } } },
  cluster({ location: { latitude: "40.7", longitude: "-74" } }, "us"),
  zone({ allowedRoutes: [{}] }, "example"),
  route({}, "shop"),
];

const cart = (more: Spec): PostedObject => route({ hosts: ["cart.example.org"], ...more }, "cart");
const requireRule = (to: Spec) => rule({ mode: "Require", unknownPlace: "Apply", to });

/** Sound for the API server, wrong beside what else there is. */
export const refusedByController: readonly UnfoundedObject[] = [
  {
    name: "a cluster that is not there",
    objects: [cart({ backends: [{ ...backend, cluster: "eux" }] })],
    code: "cluster-unknown",
    says: "there is no MemberCluster eux. Did you mean eu? Correct the name, or add a MemberCluster called so.",
  },
  {
    name: "a region that is not there",
    objects: [cluster({ location: { cloud: "aws", region: "eu-wst-1" } }, "new")],
    code: "region-unknown",
    says: "aws eu-wst-1 is not in the region table",
  },
  {
    name: "a host that another route has",
    objects: [route({}, "shop-again")],
    code: "host-overlap",
    says: "shop.example.org is GlobalRoute default/shop's already. Remove it from one of them.",
  },
  {
    name: "a host without zone",
    objects: [route({ hosts: ["shop.example.net"] }, "lost")],
    code: "host-without-zone",
    says: "no DNSZone holds shop.example.net, so nobody is answered for it. Add a DNSZone for its domain",
  },
  {
    name: "a rule that selects nothing",
    objects: [cart(requireRule({ selector: { matchLabels: { tier: "silver" } } }))],
    code: "rule-selects-nothing",
    says: "no MemberCluster has tier=silver. Correct the labels here or on the clusters.",
  },
  {
    name: "a rule whose clusters have no backend",
    objects: [cart(requireRule({ clusters: ["us"] }))],
    code: "rule-without-backend",
    says: "the route has no backend in us, so these clients could not be served. Add a backend there",
  },
  {
    name: "a domain that another zone has",
    objects: [zone({}, "example-again")],
    code: "zone-duplicate",
    says: "example.org is DNSZone example's already. Remove it from one of them.",
  },
  {
    name: "a zone that is not there",
    objects: [cart({ publish: { dns: [{ zone: "exmaple" }] } })],
    code: "zone-unknown",
    says: "there is no DNSZone exmaple. Did you mean example?",
  },
  {
    name: "a record outside its zone",
    objects: [
      zone(
        {
          domain: "example.com",
          provider: {
            type: "Embedded",
            embedded: { ...embedded, records: [{ name: "www.example.net.", type: "A", values: ["192.0.2.1"] }] },
          },
        },
        "com",
      ),
    ],
    code: "record-name",
    says: "www.example.net. lies outside the zone example.com. Move it to the zone that holds it.",
  },
  {
    name: "a probe that knows no host",
    objects: [cart({ hosts: ["*.cart.example.org"] })],
    code: "probe-host",
    says: "is required, because all hosts of the route are wildcards. Add host with a name that every cluster serves, such as health.cart.example.org.",
  },
  {
    name: "an override of nothing",
    objects: [override({ targetRef: { kind: "GlobalRoute", name: "shp" } })],
    code: "override-target",
    says: "there is no GlobalRoute default/shp. Did you mean shop?",
  },
  {
    name: "a number as address",
    objects: [cart({ backends: [{ ...backend, addresses: ["192.0.2.256"] }] })],
    code: "address-syntax",
    says: "192.0.2.256",
  },
  {
    name: "a tenant who drains a cluster",
    objects: [override({ action: "Drain", until: "2126-11-21T18:00:00Z", targetRef: { kind: "MemberCluster", name: "eu" } })],
    code: "override-namespace",
    says: "Make it in namespace globalroute-system, or aim at the GlobalRoutes of its own namespace.",
    needsCluster: true,
  },
  {
    name: "a name that the zone lets nobody use",
    objects: [zone({ domain: "closed.example.org" }, "closed"), route({ hosts: ["a.closed.example.org"] }, "intruder")],
    code: "host-not-allowed",
    says: "DNSZone closed allows no routes, so nobody is answered for a.closed.example.org. Add an entry for namespace default to its allowedRoutes; [{}] allows every route.",
    needsCluster: true,
  },
  {
    name: "a source that has no address",
    objects: [cart({ backends: [{ name: "eu", cluster: "eu", sourceRef: { kind: "Ingress", name: "cart" } }] })],
    code: "backend-missing",
    says: "none of them has an address yet. See where each one's addresses come from in status.backends.",
    needsCluster: true,
  },
];
