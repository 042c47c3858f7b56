/** What reconciling makes of the objects of all clusters: what is to be served, and what is to be told and written about it. */

import type { BackendReadiness } from "../../src/engine/source.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { KubeObject } from "../kube/kube-object.ts";

export interface Reconciled {
  /** Whole: an object that is not accepted is in it as it was served last. */
  readonly inventory: Inventory;
  /** In the words of `globalroute validate`. */
  readonly problems: readonly Problem[];
  /** One for each object of ours on the hub, and for each generated route that is not there yet (without uid). */
  readonly reports: readonly ObjectReport[];
  /** The generated GlobalRoutes that there should be, whole but for what the API server adds. What else has the label is to go. */
  readonly generated: readonly KubeObject[];
  /** What is wrong with sources and annotations, for Events on them. */
  readonly warnings: readonly SourceWarning[];
  /** `readinessKey` → endpoints behind a backend, where its cluster can be asked. */
  readonly readiness: ReadonlyMap<string, BackendReadiness>;
  /** `programmedKey` → `metadata.generation`, of objects that are in the inventory as that generation says. */
  readonly generations: ReadonlyMap<string, number>;
}

/** What became of one object of ours. */
export interface ObjectReport {
  readonly kind: Kind;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** `Accepted` of its status. An object that is not accepted goes on being served as it was when it last was. */
  readonly accepted: { readonly status: "True" | "False"; readonly reason: string; readonly message: string };
  /** GlobalRoutes: where each backend's addresses come from. */
  readonly backends: readonly BackendReport[];
  /** GlobalRoutes made of annotations: the source whose policy counts, as `eu-west/web/Ingress/shop`. */
  readonly policySource?: string;
  /** Present when who keeps a zone cannot follow a part of the policy: which, and what is published instead. */
  readonly notExpressible?: string;
}

export interface BackendReport {
  readonly name: string;
  readonly cluster: string;
  /** `Ingress web/shop`, or empty for addresses of the spec. */
  readonly source: string;
  /** Why it has no address, or keeps old ones: `Pending`, `SourceMissing`, …; empty when all is well. */
  readonly reason: string;
  /** An annotated source, and not listed in the spec. Absent when that is not known. */
  readonly discovered?: boolean;
}

export interface SourceWarning {
  /** MemberCluster in which the source lives; empty = the hub. */
  readonly cluster: string;
  readonly object: Pick<KubeObject, "apiVersion" | "kind" | "metadata">;
  /** CamelCase, stable: `AnnotationInvalid`, `RouteRefused`, `PolicyConflict`, `HostNotAllowed`, … */
  readonly reason: string;
  /** Which source of which cluster, the fact, and the remedy. */
  readonly message: string;
}
