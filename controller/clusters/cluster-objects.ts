/** What is known of the clusters: plain values, from watches to reconciling. */
import type { KubeObject } from "../kube/kube-object.ts";

export const SOURCE_KINDS = ["Ingress", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "Service", "EndpointSlice"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Of one member cluster. */
export interface ClusterObjects {
  /** Name of the MemberCluster. */
  readonly cluster: string;
  /** UID of the cluster's `kube-system` namespace: the identity of the cluster behind the credential. Absent until it was read. */
  readonly uid?: string;
  /**
   * All objects of a kind, as last seen. A kind that is absent has not been read yet, so nothing is known of it, which is something else
   * than that there is none; an unreachable API server leaves here what was seen last.
   */
  readonly objects: Readonly<Partial<Record<SourceKind, readonly KubeObject[]>>>;
  /** Whether what `objects` holds is of now; false while the API server cannot be asked. */
  readonly isCurrent: boolean;
}

/** Of the cluster that holds our own objects. */
export interface HubObjects {
  readonly routes: readonly KubeObject[];
  readonly clusters: readonly KubeObject[];
  readonly zones: readonly KubeObject[];
  readonly overrides: readonly KubeObject[];
  readonly fleets: readonly KubeObject[];
  /** Namespace → its labels. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Where the controller runs: secrets and overrides of clusters live there. */
  readonly controllerNamespace: string;
}

/** How the connection to a member cluster is, for its status. */
export interface ClusterConnection {
  readonly cluster: string;
  readonly state: "Connected" | "Connecting" | "Unreachable" | "Refused";
  /** CamelCase: `Connected`, `SecretMissing`, `KubeconfigRefused`, `Unauthorized`, `Forbidden`, `Unreachable`, `SameCluster`, … */
  readonly reason: string;
  /** For people; ends with the remedy. Never holds a credential. */
  readonly message: string;
  /** Kinds that cannot be read, each with the permission that is missing, as `list ingresses.networking.k8s.io`. */
  readonly forbidden: readonly { readonly kind: SourceKind; readonly permission: string }[];
  /** Of the API server, such as `v1.35.4`, once it was read. */
  readonly version?: string;
}
