/** What is known besides the objects when they come from an API server and not from files. */
import { z } from "zod";
import type { ObjectOf } from "./manifest-object.ts";

export type BackendSpec = ObjectOf<"GlobalRoute">["spec"]["backends"][number];

export interface ApiContext {
  /**
   * The addresses that the `sourceRef` of a backend stands for, canonical (as `parseAddress` gives them).
   *
   * @returns none when they are not known (yet): the backend is then left out, and whoever answers here tells why
   */
  addressesOf(route: ObjectOf<"GlobalRoute">, backend: BackendSpec): readonly string[];
  /** Labels of a namespace in the cluster that holds our objects; undefined when there is no such namespace. */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
  /** Where the controller runs: only there may overrides aim at clusters. */
  readonly controllerNamespace: string;
  /** Nobody looks for sources: a route that lists no backends is taken to get some. */
  readonly isOffline?: boolean;
}

/**
 * For manifests that are to be applied to a cluster and are checked before, without it: sources are taken to have an address, and namespaces
 * have the labels that the manifests give them.
 *
 * @param foreign objects of other systems among the manifests
 */
export function offlineContext(foreign: readonly unknown[], controllerNamespace: string): ApiContext {
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const raw of foreign) {
    const namespace = namespaceObject.safeParse(raw);
    if (namespace.success) labels.set(namespace.data.metadata.name, namespace.data.metadata.labels);
  }
  return {
    addressesOf: () => ["192.0.2.1"],
    namespaceLabels: (namespace) => ({ ...labels.get(namespace), "kubernetes.io/metadata.name": namespace }),
    controllerNamespace,
    isOffline: true,
  };
}

const namespaceObject = z.object({
  apiVersion: z.literal("v1"),
  kind: z.literal("Namespace"),
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
});

/** What `discovery` of a route amounts to: whether annotated sources of its namespace join it. */
export const discoveryOf = ({ discovery, backends }: ObjectOf<"GlobalRoute">["spec"]): "SameNamespace" | "None" =>
  discovery ?? (backends.length === 0 ? "SameNamespace" : "None");
