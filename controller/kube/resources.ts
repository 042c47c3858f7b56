/** The kinds of objects that this program reads or writes. */
import { API_GROUP, API_VERSION } from "../../src/model/kinds.ts";
import type { Resource } from "./kube-object.ts";

const ours = (kind: string, plural: string, namespaced: boolean): Resource => ({
  group: API_GROUP,
  version: API_VERSION,
  kind,
  plural,
  namespaced,
});
const core = (kind: string, plural: string, namespaced = true): Resource => ({ group: "", version: "v1", kind, plural, namespaced });
const of = (group: string, version: string, kind: string, plural: string, namespaced = true): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

export const GLOBAL_ROUTES = ours("GlobalRoute", "globalroutes", true);
export const MEMBER_CLUSTERS = ours("MemberCluster", "memberclusters", false);
export const DNS_ZONES = ours("DNSZone", "dnszones", false);
export const TRAFFIC_OVERRIDES = ours("TrafficOverride", "trafficoverrides", true);
export const PROXY_FLEETS = ours("ProxyFleet", "proxyfleets", false);

export const NAMESPACES = core("Namespace", "namespaces", false);
export const SECRETS = core("Secret", "secrets");
export const SERVICES = core("Service", "services");
export const SERVICE_ACCOUNTS = core("ServiceAccount", "serviceaccounts");
export const ENDPOINT_SLICES = of("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
export const INGRESSES = of("networking.k8s.io", "v1", "Ingress", "ingresses");
export const LEASES = of("coordination.k8s.io", "v1", "Lease", "leases");
export const EVENTS = of("events.k8s.io", "v1", "Event", "events");
export const CRDS = of("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false);

const rbac = (kind: string, plural: string, namespaced: boolean): Resource =>
  of("rbac.authorization.k8s.io", "v1", kind, plural, namespaced);
export const CLUSTER_ROLES = rbac("ClusterRole", "clusterroles", false);
export const CLUSTER_ROLE_BINDINGS = rbac("ClusterRoleBinding", "clusterrolebindings", false);
export const ROLES = rbac("Role", "roles", true);
export const ROLE_BINDINGS = rbac("RoleBinding", "rolebindings", true);

const gateway = (kind: string, plural: string, version = "v1"): Resource => of("gateway.networking.k8s.io", version, kind, plural);
export const GATEWAYS = gateway("Gateway", "gateways");
export const HTTP_ROUTES = gateway("HTTPRoute", "httproutes");
export const GRPC_ROUTES = gateway("GRPCRoute", "grpcroutes");
/** Served as v1 from Gateway API 1.6 on, and as v1alpha2 or v1alpha3 before: whoever watches it takes the newest that is served. */
export const TLS_ROUTES = gateway("TLSRoute", "tlsroutes");
