/** Objects as tests of the Kubernetes rooms write them: short, with the members that matter. */
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import { API_GROUP, API_VERSION, type Kind } from "../../../src/model/kinds.ts";

export interface Meta {
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly created?: string;
  readonly deleting?: boolean;
  readonly generation?: number;
  readonly status?: unknown;
}

/** `route: "true"` and others, with the prefix put in front. */
export const annotated = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries({ route: "true", ...more }).map(([name, value]) => [`${API_GROUP}/${name}`, value]));

export function kubeObject(apiVersion: string, kind: string, meta: Meta, spec: unknown): KubeObject {
  const { namespace = "web", name = "shop", labels, annotations, created = "2026-01-01T00:00:00Z", deleting = false, generation } = meta;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === "" ? {} : { namespace }),
      uid: `uid-${kind}-${namespace}-${name}`,
      resourceVersion: "1",
      creationTimestamp: created,
      ...(generation === undefined ? {} : { generation }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(deleting ? { deletionTimestamp: "2026-02-01T00:00:00Z" } : {}),
    },
    spec,
    ...(meta.status === undefined ? {} : { status: meta.status }),
  };
}

/** One of ours; generation 1 unless told otherwise. */
export const ours = (kind: Kind, meta: Meta, spec: unknown): KubeObject =>
  kubeObject(`${API_GROUP}/${API_VERSION}`, kind, { generation: 1, ...meta }, spec);

const toIngress = (address: string) => (/^[\d.]+$|:/.test(address) ? { ip: address } : { hostname: address });

export const ingress = (meta: Meta, hosts: readonly string[], addresses: readonly string[], service = "shop"): KubeObject =>
  kubeObject(
    "networking.k8s.io/v1",
    "Ingress",
    { status: { loadBalancer: { ingress: addresses.map(toIngress) } }, ...meta },
    {
      rules: hosts.map((host) => ({
        host,
        http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: service, port: { number: 80 } } } }] },
      })),
    },
  );

export const service = (meta: Meta, addresses: readonly string[], spec: Readonly<Record<string, unknown>> = {}): KubeObject =>
  kubeObject(
    "v1",
    "Service",
    { status: { loadBalancer: { ingress: addresses.map(toIngress) } }, ...meta },
    { type: "LoadBalancer", ...spec },
  );

export const gateway = (meta: Meta, listeners: readonly unknown[], addresses: readonly unknown[]): KubeObject =>
  kubeObject("gateway.networking.k8s.io/v1", "Gateway", { status: { addresses }, ...meta }, { gatewayClassName: "example", listeners });

export const accepted = (parentRef: unknown, status: "True" | "False" = "True", reason = "Accepted") => ({
  parentRef,
  controllerName: "example.org/gateway",
  conditions: [
    { type: "Accepted", status, reason },
    { type: "ResolvedRefs", status: "True", reason: "ResolvedRefs" },
  ],
});

export const httpRoute = (
  meta: Meta,
  hostnames: readonly string[],
  parentRefs: readonly unknown[],
  parents?: readonly unknown[],
): KubeObject =>
  kubeObject(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    { status: { parents: parents ?? parentRefs.map((ref) => accepted(ref)) }, ...meta },
    {
      ...(hostnames.length === 0 ? {} : { hostnames }),
      parentRefs,
      rules: [{ backendRefs: [{ name: "shop", port: 80 }] }],
    },
  );

export const endpointSlice = (meta: Meta, serviceName: string, conditions: readonly unknown[]): KubeObject => ({
  ...kubeObject("discovery.k8s.io/v1", "EndpointSlice", { ...meta, labels: { "kubernetes.io/service-name": serviceName } }, undefined),
  endpoints: conditions.map((condition, i) => ({
    addresses: [`10.0.0.${i + 1}`],
    ...(condition === undefined ? {} : { conditions: condition }),
  })),
});

export const memberCluster = (name: string, meta: Meta = {}, spec: Readonly<Record<string, unknown>> = {}): KubeObject =>
  ours("MemberCluster", { ...meta, namespace: "", name }, { location: { cloud: "aws", region: "eu-west-1" }, ...spec });

export const dnsZone = (domain: string, allowedRoutes?: readonly unknown[], meta: Meta = {}): KubeObject =>
  ours(
    "DNSZone",
    { name: domain.replaceAll(".", "-"), ...meta, namespace: "" },
    {
      domain,
      provider: { type: "Embedded", embedded: { nameservers: ["ns1.example.net"] } },
      ...(allowedRoutes === undefined ? {} : { allowedRoutes }),
    },
  );

export const globalRoute = (meta: Meta, spec: Readonly<Record<string, unknown>>): KubeObject => ours("GlobalRoute", meta, spec);

export const override = (meta: Meta, spec: Readonly<Record<string, unknown>>): KubeObject =>
  ours("TrafficOverride", meta, { reason: "maintenance", until: "2027-01-01T00:00:00Z", ...spec });
