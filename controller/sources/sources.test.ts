import { expect, test } from "vitest";
import { parseNetwork } from "../../src/model/ip.ts";
import { accepted, endpointSlice, gateway, httpRoute, ingress, kubeObject, service } from "../../test/support/kube/source-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { applyAddressing } from "./addressing.ts";
import { readGateway } from "./read-gateway.ts";
import { readGatewayRoute } from "./read-gateway-route.ts";
import { readIngress } from "./read-ingress.ts";
import { readService } from "./read-service.ts";
import { indexSlices, readinessOf } from "./service-readiness.ts";
import { intersectHosts } from "./source-hosts.ts";

const reasons = (facts: { readonly problems: readonly { readonly reason: string }[] }) => facts.problems.map(({ reason }) => reason);

test("an Ingress names hosts in rules and tls, each once, and the Services behind all its paths", () => {
  const object = kubeObject(
    "networking.k8s.io/v1",
    "Ingress",
    { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { hostname: "LB.example.net." }] } } },
    {
      defaultBackend: { service: { name: "default" } },
      tls: [{ hosts: ["shop.example.org", "www.example.org"] }],
      rules: [
        {
          host: "Shop.example.org",
          http: { paths: [{ backend: { service: { name: "shop" } } }, { backend: { resource: { kind: "Bucket", name: "x" } } }] },
        },
        { host: "*.example.org", http: { paths: [{ backend: { service: { name: "shop" } } }] } },
        { http: { paths: [] } },
      ],
    },
  );
  expect(readIngress(object, [])).toEqual({
    hosts: ["shop.example.org", "*.example.org", "www.example.org"],
    addresses: ["192.0.2.1", "lb.example.net"],
    services: ["web/default", "web/shop"],
    problems: [],
  });
});

const oddIngresses: readonly {
  name: string;
  spec?: unknown;
  status?: unknown;
  hosts: readonly string[];
  addresses: readonly string[];
  reasons: readonly string[];
}[] = [
  { name: "an empty status is pending, not wrong", status: { loadBalancer: {} }, hosts: [], addresses: [], reasons: [] },
  { name: "no status at all", hosts: [], addresses: [], reasons: [] },
  {
    name: "two controllers during a migration",
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }, { ip: "192.0.2.1" }] } },
    hosts: [],
    addresses: ["192.0.2.1", "192.0.2.2"],
    reasons: [],
  },
  {
    name: "IPv6 in any spelling",
    status: { loadBalancer: { ingress: [{ ip: "2001:DB8:0:0::1" }] } },
    hosts: [],
    addresses: ["2001:db8::1"],
    reasons: [],
  },
  {
    name: "a metadata service",
    status: { loadBalancer: { ingress: [{ ip: "169.254.169.254" }, { ip: "192.0.2.1" }] } },
    hosts: [],
    addresses: ["192.0.2.1"],
    reasons: ["AddressRefused"],
  },
  {
    name: "loopback, also as a name",
    status: { loadBalancer: { ingress: [{ ip: "127.0.0.1" }, { hostname: "localhost" }] } },
    hosts: [],
    addresses: [],
    reasons: ["AddressRefused", "AddressRefused"],
  },
  {
    name: "names of the cluster's inside",
    status: {
      loadBalancer: {
        ingress: [{ hostname: "kubernetes.default.svc" }, { hostname: "a.b.svc.cluster.local" }, { hostname: "metadata.google.internal" }],
      },
    },
    hosts: [],
    addresses: [],
    reasons: ["AddressRefused", "AddressRefused", "AddressRefused"],
  },
  {
    name: "hosts that are none",
    spec: {
      rules: [{ host: "shop_1.example.org" }, { host: "a..b" }, { host: "192.0.2.1" }, { host: "x.*.org" }, { host: "ok.example.org" }],
    },
    hosts: ["ok.example.org"],
    addresses: [],
    reasons: ["HostRefused", "HostRefused", "HostRefused", "HostRefused"],
  },
  {
    name: "lists and fields of another shape",
    spec: { rules: "none", tls: [7, { hosts: [null, {}] }] },
    status: [1],
    hosts: [],
    addresses: [],
    reasons: [],
  },
];
test.each(oddIngresses)("Ingress: $name", ({ spec, status, hosts, addresses, reasons: told }) => {
  const facts = readIngress(kubeObject("networking.k8s.io/v1", "Ingress", { status }, spec), []);
  expect({ hosts: facts.hosts, addresses: facts.addresses, reasons: reasons(facts) }).toEqual({ hosts, addresses, reasons: told });
});

test("special networks are used when the operator allows them", () => {
  const allowed = parseNetwork("127.0.0.0/8");
  expect(readIngress(ingress({}, [], ["127.0.10.1"]), allowed === undefined ? [] : [allowed]).addresses).toEqual(["127.0.10.1"]);
});

const services: readonly {
  name: string;
  object: KubeObject;
  addresses: readonly string[];
  hosts?: readonly string[];
  reasons?: readonly string[];
}[] = [
  {
    name: "what the load balancer was given",
    object: service({}, ["192.0.2.1", "lb.example.net"]),
    addresses: ["192.0.2.1", "lb.example.net"],
  },
  {
    name: "ipMode makes no difference",
    object: service({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "Proxy" }] } } }, []),
    addresses: ["192.0.2.1"],
  },
  {
    name: "external addresses while there is no load balancer",
    object: service({}, [], { externalIPs: ["192.0.2.9"] }),
    addresses: ["192.0.2.9"],
  },
  {
    name: "external addresses of a ClusterIP Service",
    object: service({}, [], { type: "ClusterIP", externalIPs: ["192.0.2.9"] }),
    addresses: ["192.0.2.9"],
  },
  {
    name: "a ClusterIP Service has none",
    object: service({}, ["192.0.2.1"], { type: "ClusterIP" }),
    addresses: [],
    reasons: ["NotAddressable"],
  },
  {
    name: "an ExternalName points anywhere",
    object: service({}, [], { type: "ExternalName", externalName: "metadata.google.internal", externalIPs: ["192.0.2.1"] }),
    addresses: [],
    reasons: ["NotAddressable"],
  },
  { name: "pending", object: service({ status: {} }, []), addresses: [] },
  {
    name: "hosts by either prefix of ExternalDNS",
    object: service(
      {
        annotations: {
          "external-dns.alpha.kubernetes.io/hostname": "a.example.org, b.example.org.",
          "external-dns.kubernetes.io/hostname": "b.example.org",
        },
      },
      ["192.0.2.1"],
    ),
    addresses: ["192.0.2.1"],
    hosts: ["b.example.org", "a.example.org"],
  },
];
test.each(services)("Service: $name", ({ object, addresses, hosts = [], reasons: told = [] }) => {
  const facts = readService(object, []);
  expect({ addresses: facts.addresses, hosts: facts.hosts, reasons: reasons(facts) }).toEqual({ addresses, hosts, reasons: told });
});

test("a Gateway has its listeners' hosts and those addresses that mean something to DNS", () => {
  const facts = readGateway(
    gateway(
      {},
      [{ name: "a", hostname: "*.example.org" }, { name: "b" }],
      [
        { value: "192.0.2.1" },
        { type: "Hostname", value: "lb.example.net" },
        { type: "NamedAddress", value: "blue" },
        { type: "IPAddress" },
      ],
    ),
    [],
  );
  expect(facts).toMatchObject({ hosts: ["*.example.org"], addresses: ["192.0.2.1", "lb.example.net"], services: [] });
  expect(reasons(facts)).toEqual(["NotAddressable"]);
});

const pairs: readonly [string, string, string | undefined][] = [
  ["shop.example.org", "shop.example.org", "shop.example.org"],
  ["shop.example.org", "*.example.org", "shop.example.org"],
  ["*.example.org", "shop.example.org", "shop.example.org"],
  ["*.example.org", "*.a.example.org", "*.a.example.org"],
  ["*.example.org", "a.b.example.org", "a.b.example.org"],
  ["*.example.org", "example.org", undefined],
  ["shop.example.org", "www.example.org", undefined],
  ["*.shop.example.org", "evilshop.example.org", undefined],
];
test.each(pairs)("%s and %s have %s in common, whichever stands first", (a, b, both) => {
  expect(intersectHosts(a, b)).toBe(both);
  expect(intersectHosts(b, a)).toBe(both);
});

const edge = gateway(
  { namespace: "infra", name: "edge" },
  [
    { name: "web", port: 443, hostname: "*.example.org" },
    { name: "api", port: 8443, hostname: "api.example.org" },
  ],
  [{ value: "192.0.2.1" }],
);
const other = gateway({ name: "other" }, [{ name: "any", port: 80 }], [{ value: "192.0.2.2" }]);
const gateways = new Map([
  ["infra/edge", edge],
  ["web/other", other],
]);
const toEdge = { name: "edge", namespace: "infra" };

const gatewayRoutes: readonly {
  name: string;
  object: KubeObject;
  hosts: readonly string[];
  addresses: readonly string[];
  reasons?: readonly string[];
}[] = [
  {
    name: "hosts of its own within the listener's",
    object: httpRoute({}, ["shop.example.org", "shop.example.net"], [toEdge]),
    hosts: ["shop.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "without hosts it takes the listeners'",
    object: httpRoute({}, [], [toEdge]),
    hosts: ["*.example.org", "api.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "one listener by name",
    object: httpRoute({}, [], [{ ...toEdge, sectionName: "api" }]),
    hosts: ["api.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "one listener by port",
    object: httpRoute({}, [], [{ ...toEdge, port: 443 }]),
    hosts: ["*.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "several parents are several addresses",
    object: httpRoute({}, ["shop.example.org"], [toEdge, { name: "other" }]),
    hosts: ["shop.example.org"],
    addresses: ["192.0.2.1", "192.0.2.2"],
  },
  {
    name: "a parent that refuses gives no address",
    object: httpRoute(
      {},
      ["shop.example.org"],
      [toEdge, { name: "other" }],
      [accepted(toEdge, "False", "NotAllowedByListeners"), accepted({ name: "other" })],
    ),
    hosts: ["shop.example.org"],
    addresses: ["192.0.2.2"],
    reasons: ["NotAccepted"],
  },
  {
    name: "a parent that has said nothing yet",
    object: httpRoute({}, ["shop.example.org"], [toEdge], []),
    hosts: ["shop.example.org"],
    addresses: [],
    reasons: ["NotAccepted"],
  },
  {
    name: "one of two controllers of a parent is enough",
    object: httpRoute({}, ["shop.example.org"], [toEdge], [accepted(toEdge, "False"), accepted(toEdge)]),
    hosts: ["shop.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "references that do not resolve",
    object: httpRoute(
      {},
      ["shop.example.org"],
      [toEdge],
      [
        {
          parentRef: toEdge,
          conditions: [
            { type: "Accepted", status: "True" },
            { type: "ResolvedRefs", status: "False", reason: "RefNotPermitted" },
          ],
        },
      ],
    ),
    hosts: ["shop.example.org"],
    addresses: [],
    reasons: ["NotAccepted"],
  },
  {
    name: "a parent that is a Service is a mesh's",
    object: httpRoute({}, ["shop.example.org"], [{ group: "", kind: "Service", name: "shop" }, toEdge]),
    hosts: ["shop.example.org"],
    addresses: ["192.0.2.1"],
  },
  {
    name: "a Gateway that is not there",
    object: httpRoute({}, ["shop.example.org"], [{ name: "gone" }]),
    hosts: ["shop.example.org"],
    addresses: [],
    reasons: ["GatewayMissing"],
  },
];
test.each(gatewayRoutes)("HTTPRoute: $name", ({ object, hosts, addresses, reasons: told = [] }) => {
  const facts = readGatewayRoute(object, gateways, []);
  expect({ hosts: facts.hosts, addresses: facts.addresses, reasons: reasons(facts) }).toEqual({ hosts, addresses, reasons: told });
});

test("while Gateways have not been read, a route has the hosts that it names and no address, and nothing is told", () => {
  expect(readGatewayRoute(httpRoute({}, ["shop.example.org"], [toEdge]), undefined, [])).toEqual({
    hosts: ["shop.example.org"],
    addresses: [],
    services: ["web/shop"],
    problems: [],
  });
});

const endpoints: readonly {
  name: string;
  slices: readonly (readonly unknown[])[];
  readiness: { ready: number; total: number } | undefined;
}[] = [
  { name: "no slice is known: nothing can be said", slices: [], readiness: undefined },
  { name: "a Service scaled to zero", slices: [[]], readiness: { ready: 0, total: 0 } },
  { name: "conditions that are not given mean ready", slices: [[undefined, {}, { ready: null }]], readiness: { ready: 3, total: 3 } },
  { name: "several slices count together", slices: [[{ ready: true }], [{ ready: false }]], readiness: { ready: 1, total: 2 } },
  {
    name: "ending ones do not count while others are ready",
    slices: [[{ ready: true }, { ready: false, serving: true, terminating: true }]],
    readiness: { ready: 1, total: 2 },
  },
  {
    name: "ending ones count when nobody else is left",
    slices: [
      [
        { ready: false, serving: true, terminating: true },
        { ready: false, serving: false, terminating: true },
      ],
    ],
    readiness: { ready: 1, total: 2 },
  },
  { name: "none is ready", slices: [[{ ready: false }, { ready: false, serving: true }]], readiness: { ready: 0, total: 2 } },
];
test.each(endpoints)("EndpointSlices: $name", ({ slices, readiness }) => {
  const index = indexSlices(slices.map((conditions, i) => endpointSlice({ name: `any-name-${i}` }, "shop", conditions)));
  expect(readinessOf(["web/shop", "web/unknown"], index)).toEqual(readiness);
});

test("a cluster's addressing replaces what sources publish, but never makes addresses of nothing", () => {
  const published = ["10.0.0.1", "10.0.0.2"];
  expect(applyAddressing(published, undefined)).toEqual(published);
  expect(applyAddressing(published, { type: "Static", addresses: ["192.0.2.1"] })).toEqual(["192.0.2.1"]);
  expect(applyAddressing(published, { type: "HostName", hostName: "edge.example.net" })).toEqual(["edge.example.net"]);
  expect(applyAddressing(published, { type: "Status", nat: [{ from: "10.0.0.1", to: "192.0.2.7" }] })).toEqual(["192.0.2.7", "10.0.0.2"]);
  expect(applyAddressing([], { type: "Static", addresses: ["192.0.2.1"] })).toEqual([]);
});
