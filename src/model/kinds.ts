/** The kinds of objects that GlobalRoute reads: one table for parsing, CRDs and the reference page. */
import type { z } from "zod";
import { dnsZoneSpec } from "./schema/dns-zone.ts";
import { globalRouteSpec } from "./schema/global-route.ts";
import { memberClusterSpec } from "./schema/member-cluster.ts";
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
  readonly scope: "Namespaced" | "Cluster";
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** What the object is, for `kubectl explain` and the head of its reference. */
  readonly description: string;
  readonly columns: readonly PrinterColumn[];
}

const age: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

export const kinds = {
  GlobalRoute: {
    spec: globalRouteSpec,
    scope: "Namespaced",
    plural: "globalroutes",
    shortNames: ["gr"],
    description:
      "A GlobalRoute names the hosts of a service, the clusters that serve it, and the policy that says which client is sent where.",
    columns: [
      { name: "Hosts", type: "string", jsonPath: ".spec.hosts" },
      { name: "Order", type: "string", jsonPath: ".spec.routing.order" },
      { name: "Clusters", type: "string", jsonPath: ".spec.backends[*].cluster", priority: 1 },
      age,
    ],
  },
  MemberCluster: {
    spec: memberClusterSpec,
    scope: "Cluster",
    plural: "memberclusters",
    shortNames: ["mc"],
    description:
      "A MemberCluster is a Kubernetes cluster, or any other site, that serves routes: where it is, and what its owner wants of it.",
    columns: [
      { name: "Cloud", type: "string", jsonPath: ".spec.location.cloud" },
      { name: "Region", type: "string", jsonPath: ".spec.location.region" },
      { name: "State", type: "string", jsonPath: ".spec.state" },
      { name: "Weight", type: "integer", jsonPath: ".spec.weight", priority: 1 },
      age,
    ],
  },
  DNSZone: {
    spec: dnsZoneSpec,
    scope: "Cluster",
    plural: "dnszones",
    shortNames: ["dz"],
    description:
      "A DNSZone is a domain: who answers for it, its records that do not depend on the client, and which routes may put names into it.",
    columns: [
      { name: "Domain", type: "string", jsonPath: ".spec.domain" },
      { name: "Provider", type: "string", jsonPath: ".spec.provider.type" },
      age,
    ],
  },
  TrafficOverride: {
    spec: trafficOverrideSpec,
    scope: "Namespaced",
    plural: "trafficoverrides",
    shortNames: ["tro"],
    description:
      "A TrafficOverride is an operator's act, such as draining a cluster: its target, its reason and its end. Deleting it undoes it.",
    columns: [
      { name: "Kind", type: "string", jsonPath: ".spec.targetRef.kind" },
      { name: "Target", type: "string", jsonPath: ".spec.targetRef.name" },
      { name: "Action", type: "string", jsonPath: ".spec.action" },
      { name: "Until", type: "string", jsonPath: ".spec.until" },
      { name: "Reason", type: "string", jsonPath: ".spec.reason", priority: 1 },
      age,
    ],
  },
} as const satisfies Record<string, KindFacts>;

export type Kind = keyof typeof kinds;
export const kindNames = ["GlobalRoute", "MemberCluster", "DNSZone", "TrafficOverride"] as const satisfies readonly Kind[];
export const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** The spec of a kind, decoded: defaults filled in, durations as numbers, addresses canonical. */
export type SpecOf<K extends Kind> = z.output<(typeof kinds)[K]["spec"]>;
