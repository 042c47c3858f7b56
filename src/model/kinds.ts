/** The kinds of objects that GlobalRoute reads: one table for parsing, CRDs and the reference page. */
import type { z } from "zod";
import { dnsZoneSpec } from "./schema/dns-zone.ts";
import { globalRouteSpec } from "./schema/global-route.ts";
import { memberClusterSpec } from "./schema/member-cluster.ts";
import { proxyFleetSpec } from "./schema/proxy-fleet.ts";
import { dnsZoneStatus } from "./schema/status/dns-zone.ts";
import { globalRouteStatus } from "./schema/status/global-route.ts";
import { memberClusterStatus } from "./schema/status/member-cluster.ts";
import { proxyFleetStatus } from "./schema/status/proxy-fleet.ts";
import { trafficOverrideStatus } from "./schema/status/traffic-override.ts";
import { trafficOverrideSpec } from "./schema/traffic-override.ts";

export const API_GROUP = "globalroute.dev";
export const API_VERSION = "v1alpha1";

interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  /** Above 0 only with `kubectl get -o wide`. */
  readonly priority?: number;
}

interface KindFacts {
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly scope: "Namespaced" | "Cluster";
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** What the object is, for `kubectl explain` and the head of its reference. */
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
}

const condition = (type: string): PrinterColumn => ({
  name: type,
  type: "string",
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
});
const age: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

export const kinds = {
  GlobalRoute: {
    spec: globalRouteSpec,
    status: globalRouteStatus,
    scope: "Namespaced",
    plural: "globalroutes",
    shortNames: ["gr"],
    description:
      "A GlobalRoute names the hosts of a service, the clusters that serve it, and the policy that says which client is sent where.",
    columns: [
      { name: "Hosts", type: "string", jsonPath: ".status.summary.hosts" },
      { name: "Serving", type: "string", jsonPath: ".status.summary.serving" },
      { name: "Backends", type: "string", jsonPath: ".status.summary.health" },
      condition("Healthy"),
      condition("Ready"),
      { name: "Order", type: "string", jsonPath: ".spec.routing.order", priority: 1 },
      { name: "Failover", type: "date", jsonPath: ".status.lastFailover.at", priority: 1 },
      age,
    ],
  },
  MemberCluster: {
    spec: memberClusterSpec,
    status: memberClusterStatus,
    scope: "Cluster",
    plural: "memberclusters",
    shortNames: ["mc"],
    description:
      "A MemberCluster is a Kubernetes cluster, or any other site, that serves routes: where it is, and what its owner wants of it.",
    columns: [
      { name: "Location", type: "string", jsonPath: ".status.summary.location" },
      { name: "State", type: "string", jsonPath: ".status.state" },
      { name: "Endpoints", type: "string", jsonPath: ".status.summary.endpoints" },
      { name: "Health", type: "string", jsonPath: ".status.health" },
      condition("Connected"),
      condition("Ready"),
      { name: "Weight", type: "integer", jsonPath: ".spec.weight", priority: 1 },
      { name: "Version", type: "string", jsonPath: ".status.version", priority: 1 },
      age,
    ],
  },
  DNSZone: {
    spec: dnsZoneSpec,
    status: dnsZoneStatus,
    scope: "Cluster",
    plural: "dnszones",
    shortNames: ["dz"],
    description:
      "A DNSZone is a domain: who answers for it, its records that do not depend on the client, and which routes may put names into it.",
    columns: [
      { name: "Domain", type: "string", jsonPath: ".spec.domain" },
      { name: "Provider", type: "string", jsonPath: ".spec.provider.type" },
      { name: "Routes", type: "integer", jsonPath: ".status.routes" },
      condition("Ready"),
      { name: "Serial", type: "integer", jsonPath: ".status.serial", priority: 1 },
      age,
    ],
  },
  TrafficOverride: {
    spec: trafficOverrideSpec,
    status: trafficOverrideStatus,
    scope: "Namespaced",
    plural: "trafficoverrides",
    shortNames: ["tro"],
    description:
      "A TrafficOverride is an operator's act, such as draining a cluster: its target, its reason and its end. Deleting it undoes it.",
    columns: [
      { name: "Kind", type: "string", jsonPath: ".spec.targetRef.kind" },
      { name: "Target", type: "string", jsonPath: ".spec.targetRef.name" },
      { name: "Action", type: "string", jsonPath: ".spec.action" },
      condition("Active"),
      { name: "Until", type: "string", jsonPath: ".spec.until" },
      { name: "Reason", type: "string", jsonPath: ".spec.reason", priority: 1 },
      age,
    ],
  },
  ProxyFleet: {
    spec: proxyFleetSpec,
    status: proxyFleetStatus,
    scope: "Cluster",
    plural: "proxyfleets",
    shortNames: ["pf"],
    description:
      "A ProxyFleet is a set of proxies, Envoys or HAProxies, that pass requests on to the clusters which DNS would name: where they stand, and how they are told.",
    columns: [
      { name: "Type", type: "string", jsonPath: ".spec.type" },
      { name: "Proxies", type: "string", jsonPath: ".status.summary.proxies" },
      condition("Programmed"),
      condition("Ready"),
      age,
    ],
  },
} as const satisfies Record<string, KindFacts>;

export type Kind = keyof typeof kinds;
export const kindNames = ["GlobalRoute", "MemberCluster", "DNSZone", "TrafficOverride", "ProxyFleet"] as const satisfies readonly Kind[];
export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** The spec of a kind, decoded: defaults filled in, durations as numbers, addresses canonical. */
export type SpecOf<K extends Kind> = z.output<(typeof kinds)[K]["spec"]>;
