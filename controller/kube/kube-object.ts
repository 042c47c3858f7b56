/** Objects of the Kubernetes API as they come over the wire: raw JSON, whose unknown fields are kept. */

export interface ObjectMeta {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly uid?: string;
  /** Equality is what mostly counts; see {@link isOlderVersion}. */
  readonly resourceVersion?: string;
  /** Raised by the API server with each change of the spec. */
  readonly generation?: number;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly [field: string]: unknown;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly [field: string]: unknown;
}

/** One kind of object at one version. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As in the URL. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `namespace/name`, or `name` for cluster-scoped objects: unique among the objects of one resource in one cluster. */
export const objectKey = ({ metadata }: { readonly metadata: Pick<ObjectMeta, "name" | "namespace"> }): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;

/** `apps/v1` or `v1`. */
export const apiVersionOf = ({ group, version }: Pick<Resource, "group" | "version">): string =>
  group === "" ? version : `${group}/${version}`;

/** Whether a resourceVersion comes before another of the same resource: they are decimal numbers wherever this matters; others cannot be compared. */
export function isOlderVersion(version: string, other: string): boolean {
  const decimal = /^\d{1,19}$/;
  return decimal.test(version) && decimal.test(other) && BigInt(version) < BigInt(other);
}
