/** What a source in a member cluster says: an Ingress, a Gateway or one of its routes, a Service of type LoadBalancer. */
import type { SourceKind } from "../clusters/cluster-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";

/** Kinds that have host names and addresses of their own. */
export type AddressedKind = Exclude<SourceKind, "EndpointSlice">;
export const ADDRESSED_KINDS = [
  "Ingress",
  "Gateway",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "Service",
] as const satisfies readonly AddressedKind[];

/** Endpoints of the Services behind a source. */
export interface Readiness {
  readonly ready: number;
  readonly total: number;
}

/** What one object says, whatever its cluster. */
export interface SourceFacts {
  /** Valid host names, lower case, each once and in order; the first label may be `*`. */
  readonly hosts: readonly string[];
  /** Canonical addresses and host names, each once and in order; empty = none yet, which is something else than down. */
  readonly addresses: readonly string[];
  /** `namespace/name` of the Services behind it. */
  readonly services: readonly string[];
  /** What is wrong with it, each with a remedy. */
  readonly problems: readonly SourceProblem[];
}

export interface SourceReading extends SourceFacts {
  readonly cluster: string;
  readonly kind: AddressedKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** RFC 3339, by the cluster's own clock; empty if it does not say. */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** It has a deletionTimestamp: something still holds it back. */
  readonly deleting: boolean;
  readonly object: Pick<KubeObject, "apiVersion" | "kind" | "metadata">;
}

export interface SourceProblem {
  /** CamelCase, as in {@link SourceWarning}. */
  readonly reason: "AddressRefused" | "HostRefused" | "NotAccepted" | "NotAddressable" | "GatewayMissing" | "SourceUnreadable";
  /** The fact and the remedy. */
  readonly message: string;
}

/** `web/Ingress/shop`: unique within a cluster. */
export const sourceKey = (source: { readonly namespace: string; readonly kind: string; readonly name: string }): string =>
  `${source.namespace}/${source.kind}/${source.name}`;

/** `eu-west/web/Ingress/shop`: unique in the world; the form of `status.policySource`. */
export const sourceId = (source: {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}): string => `${source.cluster}/${sourceKey(source)}`;
