/** How a MemberCluster says it is reached: which Secret, and which kinds are read there. Pure; reads raw objects. */
import type { KubeObject } from "../kube/kube-object.ts";
import { field, textField } from "../kube/kube-status.ts";
import { SOURCE_KINDS, type SourceKind } from "./cluster-objects.ts";

export interface MemberAccess {
  /** Of the MemberCluster. */
  readonly name: string;
  readonly secret: string;
  /** Absent = whichever of the usual ones is there. */
  readonly key?: string;
  readonly sources: readonly SourceKind[];
  /** UID that the cluster had when its status was written. */
  readonly recordedUid?: string;
  /** RFC 3339. */
  readonly created: string;
}

/** Keys under which others keep kubeconfigs: ours, Cluster API's and Rancher's, vCluster's. */
export const USUAL_KEYS = ["kubeconfig", "value", "config"] as const;

/** @returns undefined for a cluster whose API server is not asked: its addresses are written by hand */
export function readAccess(cluster: KubeObject): MemberAccess | undefined {
  const access = field(cluster.spec, "access");
  const secretRef = field(access, "secretRef");
  const secret = textField(secretRef, "name");
  if (secret === "") return undefined;
  const key = textField(secretRef, "key");
  const sources = field(access, "sources");
  const recordedUid = textField(cluster.status, "uid");
  return {
    name: cluster.metadata.name,
    secret,
    ...(key === "" ? {} : { key }),
    sources: Array.isArray(sources) && sources.length > 0 ? SOURCE_KINDS.filter((kind) => sources.includes(kind)) : SOURCE_KINDS,
    ...(recordedUid === "" ? {} : { recordedUid }),
    created: cluster.metadata.creationTimestamp ?? "",
  };
}

/** @returns the text under the key, decoded, and the key itself; undefined when there is none */
export function readSecretText(secret: KubeObject, key?: string): { readonly key: string; readonly text: string } | undefined {
  for (const name of key === undefined ? USUAL_KEYS : [key]) {
    const data = textField(secret.data, name);
    if (data !== "") return { key: name, text: Buffer.from(data, "base64").toString("utf8") };
  }
  return undefined;
}
